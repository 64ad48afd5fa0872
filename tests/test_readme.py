"""The README's examples are settings that June reads."""

import re
from pathlib import Path

import pytest

from agent.config import Config, load

ROOT = Path(__file__).parent.parent

README = (ROOT / "README.md").read_text()

MODELS = README.partition("\n## Models\n")[2].partition("\n## ")[0]


def examples() -> list[tuple[str, str]]:
    """Each block of settings under Models, with the title that it stands under."""
    title, found = "", []
    for part in re.finditer(r"^### ([^\n]+)$|```toml\n(.*?)```", MODELS, re.MULTILINE | re.DOTALL):
        title = part[1] or title
        if part[2]:
            found.append((title, part[2]))
    return found


def loaded(folder: Path, text: str) -> Config:
    path = folder / "agent.toml"
    path.write_text(text)
    return load(path, {"HOME": str(folder)})


def test_every_common_server_has_its_lines() -> None:
    """Those that the issue of its day named."""
    titles = {title for title, _ in examples()}
    assert titles == {"OpenAI", "Ollama", "llama.cpp", "vLLM", "Speaches and Kokoro"}
    assert len(examples()) == 6


@pytest.mark.parametrize(("title", "text"), examples())
def test_the_lines_of_each_server_can_be_used(tmp_path: Path, title: str, text: str) -> None:
    """They are valid, and each stage that they name is asked at that server."""
    config = loaded(tmp_path, text)
    for stage in ("stt", "llm", "tts"):
        named = f"[{stage}]" in text
        assert config.provider_of(stage) == ("openai" if named else "local"), title
        address = config.settings_of(stage).base_url
        assert address.endswith("/v1") if named and title != "OpenAI" else address == ""


def test_every_reason_of_the_table_is_one_that_june_gives() -> None:
    """And June gives no other, but for those that only she sees."""
    from session import CloseReason

    table = README.partition("\n## How a call ends\n")[2].partition("\n## ")[0]
    named = {name for name in re.findall(r"`(\w+)`", table) if name in set(CloseReason)}
    assert set(CloseReason) - named == {CloseReason.REPLACED}


def test_every_file_that_the_readme_names_exists() -> None:
    """A newcomer follows them."""
    for path in re.findall(r"`((?:agent|session|bench|tests)/[\w./]+)`", README):
        assert (ROOT / path).exists(), path

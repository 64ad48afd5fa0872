"""Which cloner `[mockingbird] cloner` gives, and what the operator reads when it gives none."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from livekit.agents import tts
from speech_fakes import ScriptedSpeech

from agent.config import Config, ConfigError, load
from agent.errors import CannotStart
from agent.models.local.tts import LocalTTS
from agent.voices.choice import cloner_for, maker_in
from agent.voices.openai_voices import OpenAIVoices

HOME = {"HOME": "/home/alice"}

WHOLE = """
class Mine:
    provider, model, sample_rate, phrases = "local", "mine", 8_000, ()
    async def clone(self, name, sample, phrases): ...
    async def speak(self, clone, text): ...
    async def delete(self, name): ...
    async def aclose(self): ...

make_cloner = Mine
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to stand in, and no file of another test's in memory."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    maker_in.cache_clear()
    sys.modules.pop("june_skill_mine", None)


@pytest.fixture
def june() -> tts.TTS[str]:
    return LocalTTS(ScriptedSpeech())


def configured(cloner: str, **environ: str) -> Config:
    return load(environ={**HOME, "JUNE_MOCKINGBIRD__CLONER": cloner, **environ})


@pytest.mark.parametrize("cloner", ["auto", "mimic"])
def test_by_default_the_voice_is_made_on_this_machine(
    june: tts.TTS[str], cloner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of June's own voice, also where that is a hosted one."""
    mimic = ModuleType("agent.voices.mimic")
    monkeypatch.setattr(mimic, "Mimic", lambda own, _: ("mimic", own), raising=False)
    monkeypatch.setitem(sys.modules, "agent.voices.mimic", mimic)

    assert load(environ=HOME).mockingbird.cloner == "auto"
    config = configured(cloner, OPENAI_API_KEY="sk-any")
    made: object = cloner_for(config, june)
    assert made == ("mimic", june)
    assert config.mockingbird.cloner_in_use == "mimic"


def test_nobody_makes_one_where_it_is_off(june: tts.TTS[str]) -> None:
    """The skill then says so."""
    assert cloner_for(configured("off"), june) is None


def test_openai_has_the_key_the_server_and_the_model_of_her_voice(june: tts.TTS[str]) -> None:
    """Which may not be OpenAI at all."""
    cloner = cloner_for(
        configured(
            "openai",
            JUNE_TTS__BASE_URL="http://voices.example.org:8000/v1/",
            JUNE_TTS__KEY_VARIABLE="MY_KEY",
            JUNE_TTS__MODEL="tts-9",
            MY_KEY="sk-mine",
        ),
        june,
    )
    assert isinstance(cloner, OpenAIVoices)
    assert (cloner.provider, cloner.model) == ("voices.example.org:8000", "tts-9")
    assert cloner._client.api_key == "sk-mine"


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({}, "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": " "}, "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": "sk-any", "JUNE_TTS__KEY_VARIABLE": "MY_KEY"}, "MY_KEY"),
    ],
)
def test_openai_without_its_key_is_told_at_the_start(
    environ: dict[str, str], variable: str
) -> None:
    """Not to the first caller who wants to hear themselves."""
    with pytest.raises(ConfigError) as caught:
        configured("openai", **environ)
    words = "is not set, and `mockingbird.cloner` is `openai`; set it, or take `mimic`"
    assert f"`{variable}` {words}" in str(caught.value)


def test_a_server_that_asks_for_no_key_gets_none() -> None:
    """OpenAI's own is for OpenAI."""
    configured("openai", JUNE_TTS__BASE_URL="http://127.0.0.1:8000/v1")


def test_a_file_is_imported_once_and_makes_one_for_each_call(
    here: Path, june: tts.TTS[str]
) -> None:
    """From where the operator stands."""
    (here / "mine.py").write_text(WHOLE)
    config = configured("mine.py")
    assert config.cloner_file == here / "mine.py"

    first, second = (cloner_for(config, june) for _ in range(2))
    assert first is not None
    assert first is not second
    assert type(first) is type(second)
    assert first.sample_rate == 8_000


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "there is no such file"),
        ("import nothing_like_that", "it cannot be imported: ModuleNotFoundError: No module named"),
        ("raise SystemExit(3)", "it cannot be imported: SystemExit: 3"),
        ("make_cloners = 1", "it has no function `make_cloner`"),
        ("make_cloner = 1", "it has no function `make_cloner`"),
        ("import os\ndef make_cloner(): os.environ['X_KEY']", "raises KeyError: 'X_KEY'"),
        ("def make_cloner(a): ...", "its `make_cloner` raises TypeError: make_cloner() missing"),
        ("def make_cloner(): ...", "returns has no `aclose`, `clone`, `delete`, `model`"),
        (WHOLE.replace("speak", "say"), "what its `make_cloner` returns has no `speak`\n"),
    ],
)
def test_a_file_that_is_no_cloner_is_explained(
    here: Path, june: tts.TTS[str], text: str | None, why: str
) -> None:
    """Which file, what is wrong with it, and what to do."""
    if text is not None:
        (here / "mine.py").write_text(text)
    with pytest.raises(CannotStart) as caught:
        cloner_for(configured("mine.py"), june)
    assert f"`mockingbird.cloner` is `{here / 'mine.py'}`, and " in str(caught.value)
    assert why in str(caught.value)
    assert "\nhint: compare it with docs/voice-cloner.md" in str(caught.value)


@pytest.mark.parametrize("value", ["Mimic", "", "mine", ".py", "folder/.py", "mine.py/"])
def test_what_is_neither_a_cloner_nor_a_file_is_refused(value: str) -> None:
    """With everything that may stand there."""
    with pytest.raises(ConfigError) as caught:
        configured(value)
    rule = "must be `auto`, `mimic`, `openai`, `off`, or the path of a Python file such as"
    assert f"`JUNE_MOCKINGBIRD__CLONER` {rule}" in str(caught.value)


@pytest.mark.parametrize("hours", [0, 169])
def test_a_voice_lives_an_hour_at_least_and_a_week_at_most(hours: int) -> None:
    """Consent is no possession."""
    with pytest.raises(ConfigError, match="must be a whole number from 1 to 168"):
        load(environ={**HOME, "JUNE_MOCKINGBIRD__HOURS": str(hours)})

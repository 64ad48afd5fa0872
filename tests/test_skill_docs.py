"""What `docs/skills.md` and the README show of skills is true: their code is run as it stands."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from skill_fakes import FakePorts

from skills import Heard, Say, SetAlarm
from skills.loading import load_skills
from skills.registry import Begin, Registry, Use
from skills.words import words_of

ROOT = Path(__file__).parent.parent
DOCS = (ROOT / "docs" / "skills.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> dict[str, str]:
    """Code by the file that its first line names."""
    found = re.findall(rf"```{language}\n# (\S+)\n(.*?)```", text, re.DOTALL)
    return {Path(name).name: code for name, code in found}


def written(folder: Path, text: str) -> Path:
    folder.mkdir()
    for name, code in blocks(text, "python").items():
        (folder / name).write_text(code, encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The skills of the page, in files."""
    folder = written(tmp_path / "my-skills", DOCS)
    (folder / "test_quiz.py").rename(tmp_path / "test_quiz.py")
    return folder


@pytest.fixture
def registry(folder: Path) -> Registry:
    def fail(file: str, problem: BaseException | str) -> None:
        raise AssertionError(f"{file}: {problem}")

    return load_skills(["*"], folder, fail)


async def used(registry: Registry, said: str, ports: FakePorts) -> str:
    found = registry.find(words_of(said))
    assert isinstance(found, Use), said
    arguments = found.ability.arguments.model_validate(found.slots)
    return await found.ability.use(ports, arguments)


async def test_the_ability_of_the_page_is_used_by_phrase(registry: Registry) -> None:
    """One die, several, and no more than it says."""
    for said, dice in (("Roll a die, please.", 1), ("throw three dice", 3), ("roll 99 dice", 9)):
        thrown = await used(registry, said, FakePorts())
        assert re.fullmatch(r"[1-6](, [1-6])*", thrown)
        assert len(thrown.split(", ")) == dice


async def test_the_ports_of_the_page_are_there(registry: Registry) -> None:
    """It asks, says, keeps, and refuses."""
    ports = FakePorts(answers=["Mushrooms."])
    assert await used(registry, "order a pizza", ports) == "A pizza with mushrooms is on its way."
    assert ports.asked == ["Which topping would you like?"]
    assert ports.said == ["One moment, please."]
    assert ports.memory.texts == {"last pizza": "Mushrooms."}


def test_the_mode_of_the_page_is_complete(registry: Registry) -> None:
    """From its trigger to its effect."""
    found = registry.find(words_of("June, quiz me!"))
    assert isinstance(found, Begin)
    mode, now = found.mode, FakePorts().now()
    first = mode.begin(Heard("", now))
    assert first.reply == Say("What is seven times eight?")
    second = mode.step(first.state, Heard("56", now))
    assert second.reply == Say("Right. How many legs has a spider?")
    last = mode.step(second.state, Heard("Six.", now))
    assert (last.state, last.reply) == (None, Say("No. You knew 1."))
    assert isinstance(last.effects[0], SetAlarm)


def test_the_test_of_the_page_passes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a developer would run it."""
    monkeypatch.syspath_prepend(str(folder))
    space: dict[str, object] = {}
    exec(compile((tmp_path / "test_quiz.py").read_text(), "test_quiz.py", "exec"), space)
    test = space["test_a_right_answer_counts"]
    assert callable(test)
    test()
    sys.modules.pop("quiz")


@pytest.fixture
def package(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's package, as an installer leaves it."""
    site = tmp_path / "site"
    project = blocks(DOCS, "toml")["pyproject.toml"]
    group, entry = re.findall(r'\[project\.entry-points\."(.*?)"\]\n(.*)\n', project)[0]
    about = site / "june_quiz-1.0.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: june-quiz\nVersion: 1.0.0\n")
    (about / "entry_points.txt").write_text(f"[{group}]\n{entry.replace(chr(34), '')}\n")
    (site / "june_quiz.py").write_text((folder / "quiz.py").read_text())
    monkeypatch.syspath_prepend(str(site))
    yield
    sys.modules.pop("june_quiz", None)


@pytest.mark.usefixtures("package")
def test_the_package_of_the_page_is_found() -> None:
    """By its entry point; and what is not enabled is not imported."""
    problems: list[str] = []

    def note(file: str, _: object) -> None:
        problems.append(file)

    assert "quiz" in {skill.name for skill in load_skills(["*"], None, note).skills}
    sys.modules.pop("june_quiz")
    assert "quiz" not in {skill.name for skill in load_skills(["clock"], None, note).skills}
    assert "june_quiz" not in sys.modules
    assert problems == []


async def test_the_ability_of_the_readme_works_in_six_lines(tmp_path: Path) -> None:
    """As it stands there."""
    (name, code), *others = blocks(README, "python").items()
    assert others == []
    assert len(code.strip().splitlines()) <= 6
    registry = load_skills(["*"], written(tmp_path / "skills", README), lambda *_: None)
    assert name.removesuffix(".py") in {skill.name for skill in registry.skills}
    assert "Ann" in await used(registry, "June, say hello to Ann, please.", FakePorts())

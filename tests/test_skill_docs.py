"""What `docs/skills.md` and the README show of skills is true: their code is run as it stands."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from skill_fakes import FakePorts

from agent.config import load
from session.memories import LONGEST_NAME_CHARACTERS, LONGEST_TEXT_CHARACTERS
from session.store.retention import MEMORY_SECONDS, MOST_KEYS
from skills import Heard, Say, SetAlarm, SkillError, across, runner
from skills.importing import IMPORT_SECONDS
from skills.loading import load_skills
from skills.patterns import MOST_WORDINGS
from skills.phrases import LONGEST_WORDS
from skills.registry import Begin, Registry, Use
from skills.slots import LONGEST_TEXT_WORDS
from skills.words import words_of

ROOT = Path(__file__).parent.parent
DOCS = (ROOT / "docs" / "skills.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
TESTS = "test_my_skills.py"


def blocks(text: str, language: str) -> dict[str, str]:
    """Code by the path that its first line names."""
    return dict(re.findall(rf"```{language}\n# (\S+)\n(.*?)```", text, re.DOTALL))


def written(folder: Path, text: str) -> Path:
    """A page's code, each block in its file; the folder of the skills among it."""
    for name, code in (blocks(text, "python") | blocks(text, "toml")).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    return folder / "my-skills"


def loaded(folder: Path | None) -> Registry:
    def fail(file: str, problem: BaseException | str) -> None:
        raise AssertionError(f"{file}: {problem}")

    return load_skills(["*"], folder, fail)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """June's skills and those of the page."""
    return loaded(written(tmp_path, DOCS))


async def used(registry: Registry, said: str, ports: FakePorts) -> str:
    found = registry.find(words_of(said))
    assert isinstance(found, Use), said
    arguments = found.ability.arguments.model_validate(found.slots)
    return await found.ability.use(ports, arguments)


async def test_the_ability_of_the_page_is_used_by_phrase(registry: Registry) -> None:
    """One die, several, and no more than it says."""
    for said, dice in (("Roll a die, please.", 1), ("throw three dice", 3), ("roll 9 dice", 9)):
        thrown = await used(registry, said, FakePorts())
        assert re.fullmatch(r"[1-6](, [1-6])*", thrown)
        assert len(thrown.split(", ")) == dice
    with pytest.raises(ValidationError):
        await used(registry, "roll 99 dice", FakePorts())


async def test_the_ports_of_the_page_are_there(registry: Registry) -> None:
    """It asks, says, keeps, rings and refuses."""
    ports = FakePorts(answers=["Mushrooms."])
    assert await used(registry, "order a pizza", ports) == "A pizza with mushrooms is on its way."
    assert ports.asked == ["Which topping would you like?"]
    assert ports.said == ["One moment, please."]
    assert ports.memory.texts == {"last pizza": "Mushrooms."}
    assert [one.text for one in await ports.alarms.all()] == ["Your pizza is ready."]
    with pytest.raises(SkillError, match="Nobody here"):
        await used(registry, "June, order pizza with pineapple, please", FakePorts())


def test_the_mode_of_the_page_is_complete(registry: Registry) -> None:
    """From its trigger to its effect, with a question that was cut off between them."""
    found = registry.find(words_of("June, quiz me!"))
    assert isinstance(found, Begin)
    mode, now = found.mode, FakePorts().now()
    first = mode.begin(Heard("", now))
    assert first.reply == Say("What is seven times eight?")
    second = mode.step(first.state, Heard("56", now))
    assert second.reply == Say("Right. How many legs has a spider?")
    cut_off = mode.interrupted(second.state, second.reply.text, "Right. How")
    again = mode.step(cut_off, Heard("Sorry?", now))
    assert again.reply == Say("Again: How many legs has a spider?")
    last = mode.step(again.state, Heard("Eight, of course.", now))
    assert (last.state, last.reply) == (None, Say("Right. You knew 2."))
    assert isinstance(last.effects[0], SetAlarm)


@pytest.mark.usefixtures("registry")
def test_the_tests_of_the_page_pass(tmp_path: Path) -> None:
    """As `./june test` runs them, with what the page puts on the path."""
    search = os.pathsep.join(map(str, (ROOT, tmp_path / "my-skills", ROOT / "tests")))
    settings = ["-q", "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *settings, str(tmp_path / TESTS)],
        env=os.environ | {"PYTHONPATH": search},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert f"{blocks(DOCS, 'python')[TESTS].count('def test_')} passed" in run.stdout


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The page's package, as an installer leaves it; the name of its module."""
    written(tmp_path, DOCS)
    source, site = tmp_path / "june-coin", tmp_path / "site"
    told = tomllib.loads((source / "pyproject.toml").read_text())
    project = told["project"]
    name, version = project["name"], project["version"]
    about = site / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    [(group, points)] = project["entry-points"].items()
    lines = [f"{point} = {module}" for point, module in points.items()]
    (about / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]))
    [module] = told["tool"]["setuptools"]["py-modules"]
    (source / f"{module}.py").rename(site / f"{module}.py")
    monkeypatch.syspath_prepend(str(site))
    yield module
    sys.modules.pop(module, None)


async def test_the_package_of_the_page_is_found(package: str) -> None:
    """By its entry point; and what is not enabled is not imported."""
    registry = loaded(None)
    assert await used(registry, "Flip a coin, please.", FakePorts()) in ("Heads.", "Tails.")
    assert registry.skill_of("flip_a_coin").name == "coin"
    del sys.modules[package]
    assert "coin" not in {skill.name for skill in load_skills(["clock"], None, print).skills}
    assert package not in sys.modules


async def test_the_ability_of_the_readme_works_in_six_lines(tmp_path: Path) -> None:
    """As it stands there, by the words that the README tries it with."""
    [(name, code)] = blocks(README, "python").items()
    assert name == "my-skills/hello.py"
    assert len(code.strip().splitlines()) <= 6
    [said] = re.findall(
        r'`echo "(.*?)" \| JUNE_SKILLS__PATH=my-skills ./june console --text`', README
    )
    greeted = await used(loaded(written(tmp_path, README)), said, FakePorts())
    assert greeted == "Hello, Ann! How nice to meet you."


def test_what_the_readme_says_can_be_said() -> None:
    """Each example of its table, by phrase, to the skill that its line is about."""
    table = README.partition("\n## Skills\n")[2].partition("\nA story")[0]
    lines = [line.split(" | ") for line in table.splitlines() if line.startswith('| "')]
    said = [re.findall(r'"(.*?)"', line[0]) for line in lines]
    registry = loaded(None)

    def skill(words: str) -> str:
        found = registry.find(words_of(words.replace("…", "buy milk")))
        assert isinstance(found, Use | Begin), words
        target = found.ability if isinstance(found, Use) else found.mode
        return registry.skill_of(target.name).name

    assert [{skill(words) for words in one} for one in said] == [
        {"clock"},
        {"timers"},
        {"notes"},
        {"storyteller"},
        {"translator"},
        {"mockingbird"},
        {"help", "end_call"},
    ]


def test_the_settings_of_the_readme_are_read(tmp_path: Path) -> None:
    """The voices, the folder and the names."""
    [voices] = re.findall(r"`\[tts\] (voices = .*?)`", README)
    path = tmp_path / "agent.toml"
    path.write_text(f'[tts]\n{voices}\n[skills]\npath = "my-skills"\nenabled = ["clock"]\n')
    config = load(path, {"HOME": str(tmp_path)})
    assert config.tts.voices == {"fr": "ff_siwis"}
    assert config.skills_dir is not None
    assert config.skills_dir.name == "my-skills"


def test_times_and_limits_are_those_of_the_code() -> None:
    """Each number of the page's table, and those that are in its sentences."""
    assert IMPORT_SECONDS == 5
    assert "takes over 5 s to |" in DOCS
    assert MEMORY_SECONDS == 365 * 86_400
    rows = re.findall(r"^\| (.*) \| (.*) \|$", DOCS.partition("\n## Times")[2], re.MULTILINE)
    assert [limit for _, limit in rows[2:]] == [
        f"{runner.ABILITY_SECONDS:g} s",
        f"{runner.STEP_SECONDS:g} s",
        f"{runner.GRACE_SECONDS:g} s",
        f"{runner.LONGEST_CHARACTERS:,} characters",
        f"{across.SAYINGS} times, {across.SAYING_CHARACTERS} characters each",
        f"{across.QUESTIONS} times, {across.SAYING_CHARACTERS} characters each",
        f"{MOST_KEYS}, of {LONGEST_TEXT_CHARACTERS:,} characters each; "
        f"a key has {LONGEST_NAME_CHARACTERS}",
        str(MOST_KEYS),
        f"{MOST_WORDINGS:,}",
        f"{LONGEST_WORDS} words; {LONGEST_TEXT_WORDS} words",
    ]

"""By which door skills come in, and that a bad one hurts no other."""

import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from skills import SkillConflict, loading
from skills.loading import load_skills, skill_of_module
from skills.registry import Registry, Use
from skills.words import words_of

GOOD = '''
from skills import ability

HELP = "toss a coin"

@ability(phrases=["toss a coin"])
async def toss_coin() -> str:
    """Toss a coin."""
    return "Heads."
'''

MODE = '''
from typing import ClassVar
from pydantic import BaseModel
from skills import Heard, Mode, Say, Step, ability

class Count(BaseModel):
    turns: int = 0

@ability
async def inner_tool() -> str:
    """Only inside."""
    return "yes"

class Echo(Mode[Count]):
    name = "echo"
    description = "Repeats what is said."
    triggers = ("echo mode",)
    state = Count
    abilities = (inner_tool,)

    def begin(self, heard: Heard) -> Step[Count]:
        return Step(Count(), Say("Go."))

    def step(self, state: Count, heard: Heard) -> Step[Count]:
        return Step(state, Say(heard.text))
'''

Problems = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def _no_module_stays() -> Iterator[None]:
    """A file of one test is not there in the next."""
    yield
    for name in [name for name in sys.modules if name.startswith("june_skill_")]:
        del sys.modules[name]


@pytest.fixture
def only_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without June's own skills, which have tests of their own."""
    monkeypatch.setattr(loading, "BUILT_IN", ())


def load(
    folder: Path | None, enabled: Sequence[str] = ("*",), import_seconds: float = 5.0
) -> tuple[Registry, Problems]:
    problems: Problems = []

    def on_problem(file: str, error: BaseException | str) -> None:
        problems.append((file, f"{type(error).__name__}: {error}"))

    registry = load_skills(enabled, folder, on_problem, import_seconds=import_seconds)
    return registry, problems


def names(registry: Registry) -> list[str]:
    return [skill.name for skill in registry.skills]


def write(folder: Path, **files: str) -> Path:
    for stem, text in files.items():
        (folder / f"{stem}.py").write_text(text, encoding="utf-8")
    return folder


def test_junes_own_skills_come_by_the_same_door() -> None:
    """Each is there, or reported with its file."""
    registry, problems = load(None)
    assert len(registry.skills) + len(problems) == len(loading.BUILT_IN)
    assert set(names(registry)) <= set(loading.BUILT_IN)
    assert all(Path(file).suffix == ".py" or file.startswith("skills.") for file, _ in problems)


@pytest.mark.usefixtures("only_files")
def test_a_file_is_a_skill(tmp_path: Path) -> None:
    """Its name is the file's, its abilities and phrases are June's."""
    registry, problems = load(write(tmp_path, coin=GOOD))
    (skill,) = registry.skills
    assert (skill.name, skill.help) == ("coin", "toss a coin")
    assert skill.file == str(tmp_path / "coin.py")
    assert registry.find(words_of("June, please toss a coin!")) == Use(skill.abilities[0], {})
    assert problems == []


@pytest.mark.usefixtures("only_files")
def test_a_mode_is_made_once_and_keeps_its_abilities(tmp_path: Path) -> None:
    """What is listed in a mode is not the skill's own, though the file defines it."""
    registry, problems = load(write(tmp_path, echo=MODE))
    (skill,) = registry.skills
    assert skill.abilities == ()
    assert [mode.name for mode in skill.modes] == ["echo"]
    assert skill.help == "echo"
    assert set(registry.abilities) == {"inner_tool"}
    assert registry.skill_of("echo") is registry.skill_of("inner_tool") is skill
    assert problems == []


@pytest.mark.usefixtures("only_files")
def test_the_help_is_made_of_the_names(tmp_path: Path) -> None:
    """Where a file says nothing better."""
    registry, _ = load(write(tmp_path, coin=GOOD.replace("HELP", "OTHER")))
    assert registry.skills[0].help == "toss coin"


BROKEN = {
    "raises": ("raise ValueError('no')", "ValueError: no"),
    "exits": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "interrupts": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "syntax": ("def", "SyntaxError: "),
    "missing": ("import there_is_no_such_module", "ModuleNotFoundError: "),
    "nul": ("x = '\0'", ""),
    "nothing": ("x = 1", "has no ability and no mode"),
    "empty": ("", "has no ability and no mode"),
    "sync": (GOOD.replace("async def", "def"), "must be an `async def`"),
    "untyped": (GOOD.replace("toss_coin()", "toss_coin(side)"), "has no type"),
    "phrase": (GOOD.replace('["toss a coin"]', '["toss [a coin"]'), "toss [a coin"),
    "slot": (GOOD.replace('["toss a coin"]', '["toss a {thing}"]'), "thing"),
    "needed": (
        GOOD.replace("toss_coin()", "toss_coin(side: str)"),
        "does not give `side`",
    ),
    "help_text": (GOOD.replace('"toss a coin"\n', "7\n", 1), "`HELP` must be a text"),
    "long_name": (GOOD.replace("toss_coin", "t" * 65), "cannot be the name of a tool"),
    "private": (GOOD.replace("toss_coin", "_toss"), "cannot be the name of a tool"),
    "no_name": (MODE.replace('    name = "echo"\n', ""), "needs a `name`"),
    "no_description": (MODE.replace("    description", "    other"), "needs a `description`"),
    "no_state": (MODE.replace("    state = Count\n", ""), "needs a `state`"),
    "no_tuple": (MODE.replace('("echo mode",)', '"echo mode"'), "must be a tuple"),
    "no_ability": (MODE.replace("(inner_tool,)", "(print,)"), "holds what is no ability"),
    "constructor": (
        MODE + "\n    def __init__(self) -> None:\n        raise OSError('no disk')\n",
        "no disk",
    ),
}


@pytest.mark.usefixtures("only_files")
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_reported_and_left_out(tmp_path: Path, name: str) -> None:
    """The good one beside it works."""
    text, said = BROKEN[name]
    registry, problems = load(write(tmp_path, **{name: text, "zz_coin": GOOD}))
    assert names(registry) == ["zz_coin"]
    assert [file for file, _ in problems] == [str(tmp_path / f"{name}.py")]
    assert said in problems[0][1]
    assert f"june_skill_{name}" not in sys.modules or name not in {"raises", "exits", "syntax"}


@pytest.mark.usefixtures("only_files")
@pytest.mark.parametrize("text", ["import time\ntime.sleep(0.6)\n" + GOOD, "while True: pass"])
def test_an_import_that_takes_too_long_is_given_up(tmp_path: Path, text: str) -> None:
    """And its thread ends as soon as it can: a loop must not take June's time."""
    registry, problems = load(write(tmp_path, slow=text, zz_coin=GOOD), import_seconds=0.2)
    assert names(registry) == ["zz_coin"]
    assert "longer than 0.2 s" in problems[0][1]
    for thread in threading.enumerate():
        if thread.name == "june.import":
            thread.join(3)
            assert not thread.is_alive()


@pytest.mark.usefixtures("only_files")
def test_a_file_takes_no_name_away(tmp_path: Path) -> None:
    """A skill `random.py` uses Python's `random`, and so does everybody else."""
    import random

    before = list(sys.path)
    text = "import random\nCHOICES = random.sample\n" + GOOD
    registry, problems = load(write(tmp_path, random=text, json=GOOD.replace("toss", "throw")))
    assert problems == []
    assert names(registry) == ["json", "random"]
    assert sys.modules["random"] is random
    assert sys.path == before


@pytest.mark.usefixtures("only_files")
def test_annotations_as_text_and_dataclasses_work(tmp_path: Path) -> None:
    """They look their module up in `sys.modules`."""
    text = '''
from __future__ import annotations
from dataclasses import dataclass
from typing import ClassVar, Literal
from skills import Ports, ability

@dataclass
class Coin:
    kind: ClassVar[str] = "coin"
    side: str = "heads"

Side = Literal["heads", "tails"]

@ability(phrases=["is it {side}"])
async def is_it(side: Side, ports: Ports) -> str:
    """Whether it is."""
    return str(Coin().side == side)
'''
    registry, problems = load(write(tmp_path, coin=text))
    assert problems == []
    assert registry.abilities["is_it"].ports_argument == "ports"
    found = registry.find(words_of("is it tails"))
    assert found == Use(registry.abilities["is_it"], {"side": "tails"})


@pytest.mark.usefixtures("only_files")
def test_what_is_imported_from_elsewhere_is_not_its_own(tmp_path: Path) -> None:
    """A file that only borrows is no skill, and one that borrows and adds has what it adds."""
    text = "from june_skill_a_coin import toss_coin\n"
    more = text + GOOD.replace("toss", "throw")
    registry, problems = load(write(tmp_path, a_coin=GOOD, b_only=text, c_more=more))
    assert [skill.abilities[0].name for skill in registry.skills] == ["toss_coin", "throw_coin"]
    assert "has no ability" in problems[0][1]


@pytest.mark.usefixtures("only_files")
def test_an_alias_is_no_second_ability(tmp_path: Path) -> None:
    """One object under two names."""
    registry, problems = load(write(tmp_path, coin=GOOD + "\nflip = toss_coin\n"))
    assert problems == []
    assert len(registry.skills[0].abilities) == 1


@pytest.mark.usefixtures("only_files")
def test_odd_names_of_files(tmp_path: Path) -> None:
    """A hyphen and a symlink do; what nobody could say in `enabled` is a problem."""
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "source.txt").write_text(GOOD)
    folder = tmp_path / "skills"
    folder.mkdir()
    (folder / "linked.py").symlink_to(outside / "source.txt")
    (folder / "dangling.py").symlink_to(outside / "gone.py")
    (folder / "folder.py").mkdir()
    write(folder, **{"my-coin": GOOD.replace("toss", "throw"), "2coins": GOOD, "a b": GOOD})
    write(folder, **{"_helper": "raise ValueError", ".#lock": "raise ValueError"})
    (folder / "readme.md").write_text("no skill")
    registry, problems = load(folder)
    assert names(registry) == ["linked", "my-coin"]
    assert sorted(Path(file).name for file, _ in problems) == [
        "2coins.py",
        "a b.py",
        "dangling.py",
        "folder.py",
    ]


@pytest.mark.usefixtures("only_files")
def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    """And June starts all the same."""
    registry, problems = load(tmp_path / "gone")
    assert registry.skills == ()
    assert problems[0][0] == str(tmp_path / "gone")


@pytest.mark.usefixtures("only_files")
def test_only_what_is_enabled_is_imported(tmp_path: Path) -> None:
    """A file that would raise says nothing while nobody asks for it."""
    folder = write(tmp_path, coin=GOOD, broken="raise ValueError")
    registry, problems = load(folder, ["coin"])
    assert (names(registry), problems) == (["coin"], [])
    registry, problems = load(folder, [])
    assert (names(registry), problems) == ([], [])
    assert load(folder, ["coin", "broken"])[1] != []


def test_a_builtin_that_is_not_enabled_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may need what is not installed."""
    monkeypatch.setattr(loading, "BUILT_IN", ("nothing_of_that_name", "clock"))
    _, problems = load(write(tmp_path, coin=GOOD), ["coin"])
    assert problems == []
    _, problems = load(tmp_path, ["coin", "nothing_of_that_name"])
    assert "ModuleNotFoundError" in problems[0][1]


def test_an_unknown_name_is_refused_with_close_ones(tmp_path: Path) -> None:
    """A misspelt name would mean a skill that is silently not there."""
    write(tmp_path, coin=GOOD)
    with pytest.raises(SkillConflict, match="no skill is called `timer`") as caught:
        load(tmp_path, ["coin", "timer"])
    assert "hint: did you mean `timers`" in str(caught.value)
    with pytest.raises(SkillConflict, match=r"hint: there are .*`coin`"):
        load(tmp_path, ["xyzzy"])


@pytest.mark.usefixtures("only_files")
def test_two_of_one_thing_are_refused(tmp_path: Path) -> None:
    """At the start, with both files."""
    folder = write(tmp_path, one=GOOD, two=GOOD)
    with pytest.raises(SkillConflict) as caught:
        load(folder)
    assert str(folder / "one.py") in str(caught.value)
    assert str(folder / "two.py") in str(caught.value)
    assert "\nhint: " in str(caught.value)
    assert names(load(folder, ["one"])[0]) == ["one"]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package with one good skill, one that is a function, and one that is broken."""
    site = tmp_path / "site"
    info = site / "june_coin-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: june-coin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[june.skills]\nbroken = june_coin_broken\n"
        "coin = june_coin\nfunction = june_coin:toss_coin\n"
    )
    inner = site / "june_coin"
    inner.mkdir()
    (inner / "__init__.py").write_text(
        'from june_coin.tossing import toss_coin\n\n__all__ = ["toss_coin"]\n'
    )
    (inner / "tossing.py").write_text(GOOD)
    (site / "june_coin_broken.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(site)
    yield site
    for name in [name for name in sys.modules if name.startswith("june_coin")]:
        del sys.modules[name]


@pytest.mark.usefixtures("only_files")
def test_an_installed_package_brings_skills(package: Path) -> None:
    """Under the names of its entry points; a package may define them in a submodule."""
    registry, problems = load(None)
    (skill,) = registry.skills
    assert (skill.name, [ability.name for ability in skill.abilities]) == ("coin", ["toss_coin"])
    assert skill.file == str(package / "june_coin" / "__init__.py")
    assert [file for file, _ in problems] == [
        "june_coin_broken, of the package june-coin",
        "june_coin:toss_coin, of the package june-coin",
    ]
    assert "must name a module" in problems[1][1]


@pytest.mark.usefixtures("only_files", "package")
def test_a_package_that_is_not_enabled_is_not_imported() -> None:
    """It may be slow, or broken."""
    assert load(None, ["coin"])[1] == []
    assert "june_coin_broken" not in sys.modules


@pytest.mark.usefixtures("only_files", "package")
def test_a_file_and_a_package_of_one_name_are_refused(tmp_path: Path) -> None:
    """Which one is meant, nobody could know."""
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder, coin=GOOD.replace("toss", "throw"))
    with pytest.raises(SkillConflict, match="two skills are called `coin`") as caught:
        load(folder, ["coin"])
    assert str(folder / "coin.py") in str(caught.value)


def test_a_module_can_be_made_a_skill_in_a_test() -> None:
    """A developer need not go through a folder."""
    module = ModuleType("coin")
    exec(GOOD, vars(module))
    assert skill_of_module(module).name == "coin"
    with pytest.raises(ValueError, match="has no ability and no mode"):
        skill_of_module(ModuleType("empty"))
    with pytest.raises(ValueError, match="cannot be the name of a skill"):
        skill_of_module(module, "9lives")

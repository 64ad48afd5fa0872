"""`./june skills`: what June can do, and what is wrong with a skill, in words."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.__main__ import app
from agent.errors import CannotStart

HELLO = '''
from skills import ability

@ability(phrases=["say hello to {name}"])
async def hello(name: str) -> str:
    """Greet somebody."""
    return name
'''

GAME = '''
from typing import Literal
from pydantic import BaseModel
from skills import Mode, Say, Step, ability
from skills.durations import Duration

class State(BaseModel):
    pass

@ability
async def hint() -> str:
    """Give a hint."""
    return "Think."

class Game(Mode[State]):
    name = "game"
    description = "Begin it when the caller wants to play."
    triggers = ("play {rounds} rounds", "play [{some}] for {so_long}", "play {side}")
    slots = {"rounds": int, "so_long": Duration, "side": Literal["black side", "white side"]}
    exits = ("(that was|this was) fun",)
    confirmation = "Shall we play?"
    max_turns = 7
    state = State
    abilities = (hint,)

    def begin(self, heard):
        return Step(State(), Say("Go."))

    def step(self, state, heard):
        return Step(None, Say("Over."))
'''


@pytest.fixture
def skills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the operator's, with one skill."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "hello.py").write_text(HELLO)
    for name, value in {
        "JUNE_SKILLS__PATH": str(folder),
        "JUNE_DATA__DIR": str(tmp_path),
        "JUNE_LOGS__FORMAT": "pretty",
    }.items():
        monkeypatch.setenv(name, value)
    return folder


def june(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["skills", *arguments])


@pytest.mark.usefixtures("skills")
def test_all_skills_are_listed_with_their_phrases() -> None:
    """As a person would say them; the operator's own too."""
    listed = june()
    assert listed.exit_code == 0
    for part in ("set timers", "“set a timer for 5 minutes”", "“tell me a story”", "“say hello to"):
        assert part in listed.output
    assert "{" not in listed.output
    assert "[" not in listed.output


@pytest.mark.usefixtures("skills")
@pytest.mark.parametrize("arguments", [("storyteller",), ("--help", "storyteller")])
def test_one_skill_is_shown_with_all_of_it(arguments: tuple[str, ...]) -> None:
    """Also behind `--help`."""
    shown = june(*arguments)
    assert shown.exit_code == 0
    for part in ("skills/storyteller/__init__.py", "a mode", "ends after 10 turns", "{topic}"):
        assert part in shown.output


def test_a_mode_is_shown_with_how_it_begins_and_ends(skills: Path) -> None:
    """Its question, its turns, its exits, the model's tools in it; examples by their types."""
    (skills / "game.py").write_text(GAME)
    for part in (
        "Begin it when the caller wants to play.",
        "play {rounds} rounds",
        "asks first: “Shall we play?”",
        "ends after 7 turns",
        "“back to normal” and the like, and by “that was fun”",
        "the model also has hint: Give a hint.",
        "[a] may be left out",
    ):
        assert part in june("game").output
    listed = june().output
    for said in ("“play 3 rounds”", "“play for 5 minutes”", "“play black side”"):
        assert said in listed
    [mode] = json.loads(june("game", "--json").output)["modes"]
    assert [one["name"] for one in mode["abilities"]] == ["hint"]
    assert (mode["confirmation"], mode["max_turns"]) == ("Shall we play?", 7)


def test_help_alone_is_the_commands() -> None:
    """It teaches."""
    helped = june("--help")
    assert helped.exit_code == 0
    assert "List what June can do" in helped.output
    assert "--json" in helped.output


def test_json_is_for_programs(skills: Path) -> None:
    """Of all, and of one."""
    names = [one["name"] for one in json.loads(june("--json").output)]
    assert {"clock", "timers", "hello"} <= set(names)
    one = json.loads(june("hello", "--json").output)
    assert one["file"] == str(skills / "hello.py")
    assert one["abilities"][0]["phrases"] == ["say hello to {name}"]


@pytest.mark.usefixtures("skills")
def test_an_unknown_skill_is_named_with_what_may_be_meant() -> None:
    """And the command to type next."""
    failed = june("timer").exception
    assert isinstance(failed, CannotStart)
    assert str(failed) == "no skill is called `timer`\nhint: run `./june skills timers`"
    assert "to see them all" in str(june("xyz").exception)
    several = str(june("translatorteller").exception)
    assert "run `./june skills translator` or `./june skills storyteller`" in several
    assert "\x1b" not in str(june("\x1b[2J").exception)


def test_a_skill_that_does_not_import_is_left_out(skills: Path) -> None:
    """The others are there."""
    (skills / "broken.py").write_text("import nothing_of_this_name")
    assert june("hello").exit_code == 0
    listed = june()
    assert listed.exit_code == 0
    assert "say hello" in listed.stdout
    assert "broken" not in listed.stdout
    assert "broken.py" in listed.stderr


def test_what_a_skill_prints_does_not_spoil_the_json(skills: Path) -> None:
    """It goes where problems go."""
    (skills / "loud.py").write_text(f"print('I am here')\n{HELLO.replace('hello', 'loud')}")
    listed = june("--json")
    assert "loud" in {one["name"] for one in json.loads(listed.stdout)}
    assert "I am here" in listed.stderr


def test_no_livekit_is_needed_to_list() -> None:
    """Nor any model: it would take seconds."""
    code = """
import sys
from agent.__main__ import app
app(["skills"], standalone_mode=False)
heavy = ("livekit", "onnxruntime", "aiohttp", "moonshine_voice", "piper")
sys.exit(", ".join(one for one in heavy if one in sys.modules) or 0)
"""
    root = Path(__file__).parent.parent
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "storyteller" in run.stdout


@pytest.mark.parametrize(
    ("name", "text"),
    [("timers.py", HELLO), ("other.py", HELLO.replace("hello(", "other("))],
)
def test_two_skills_of_one_name_or_phrase_are_refused(skills: Path, name: str, text: str) -> None:
    """Both are named."""
    (skills / name).write_text(text)
    failed = june().exception
    assert isinstance(failed, CannotStart)
    assert str(skills / name) in str(failed)
    assert "hint:" in str(failed)


def test_a_name_that_no_skill_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the settings, with what may be meant."""
    monkeypatch.setenv("JUNE_SKILLS__ENABLED", '["clok"]')
    assert "did you mean `clock`" in str(june().exception)

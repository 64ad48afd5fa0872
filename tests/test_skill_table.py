"""Each skill by utterance, barge-in, silence, hang, crash and resume; fake ports, a fake clock."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from skill_fakes import FakePorts

from session import SkillSession
from session.floor import Floor
from session.mode_steps import ModeSteps
from session.outcomes import Answered, CallCan, Line, Own, Spoken, UseTool
from skills.loading import BUILT_IN, load_skills
from skills.registry import Registry, Use
from skills.runner import Runner, SkillFailed
from skills.words import letters, words_of

HOUR_SECONDS = 3_600


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_skills(BUILT_IN, None, lambda *_: None)


@pytest.fixture
async def runner() -> AsyncIterator[Runner]:
    runner = Runner(grace_seconds=0.05, close_seconds=0.1)
    yield runner
    await runner.aclose()


@dataclass
class AbilityRow:
    """`before` is said first; of what is said then the answer is a regular expression."""

    said: str
    answer: str
    before: Sequence[str] = ()
    answers: Sequence[str] = ()
    """To the skill's questions."""
    after_crash: tuple[str, str] | None = None
    """Said in the next call, and its answer."""
    keeps: bool = False
    """Whether it changes something that is kept."""


ABILITIES = {
    "clock": AbilityRow("What time is it?", r"It's 3:05 p\.m\."),
    "timers": AbilityRow(
        "Set a tea timer for two hours.",
        "Your tea timer is set",
        after_crash=("What timers are running?", "tea timer"),
        keeps=True,
    ),
    "timers that ask": AbilityRow(
        "Set a timer.",
        "timer is set",
        answers=["two hours"],
        after_crash=("What timers are running?", "2 hour timer"),
        keeps=True,
    ),
    "notes": AbilityRow(
        "Take a note: buy milk.",
        "buy milk",
        after_crash=("Read my notes.", "buy milk"),
        keeps=True,
    ),
    "help": AbilityRow("What can you do?", "set timers.*language model"),
    "end_call": AbilityRow("Goodbye.", "^$"),
}


async def use(registry: Registry, runner: Runner, ports: Any, said: str, seconds: float = 5) -> str:
    found = registry.find(words_of(said))
    assert isinstance(found, Use), said
    skill = registry.skill_of(found.ability.name)
    arguments = found.ability.arguments.model_validate(dict(found.slots))
    return await runner.use(skill, found.ability, arguments, ports, seconds)


def kept(ports: FakePorts) -> int:
    return len(ports.memory.texts) + len(ports.alarms.by_key)


@pytest.fixture(params=ABILITIES)
def row(request: pytest.FixtureRequest) -> AbilityRow:
    return ABILITIES[request.param]


@pytest.fixture
def ports(row: AbilityRow, registry: Registry) -> FakePorts:
    return FakePorts(skills=registry.skills, answers=row.answers)


async def test_ability_utterance(
    row: AbilityRow, ports: FakePorts, registry: Registry, runner: Runner
) -> None:
    """It answers, and keeps what it is to keep."""
    assert re.search(row.answer, await use(registry, runner, ports, row.said))
    assert (kept(ports) > 0) == row.keeps
    assert ports.hung_up == (row.answer == "^$")


class Stuck(FakePorts):
    """A call whose store, caller and clock do not answer; `reached` once it is asked."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.reached = asyncio.Event()

    async def never(self, *_: object) -> Any:
        self.reached.set()
        await asyncio.Event().wait()


def stuck(registry: Registry) -> Stuck:
    ports = Stuck(skills=registry.skills)
    for place in (ports, ports.memory, ports.alarms):
        for name in ("ask", "say", "hang_up", "put", "all", "take", "set", "cancel"):
            if hasattr(place, name):
                setattr(place, name, ports.never)
    return ports


WAITING = [name for name in ABILITIES if name not in ("clock", "help")]
"""Those that need the store or the caller; nothing can keep the others waiting."""


@pytest.mark.parametrize("row", ["clock", "help"], indirect=True)
async def test_ability_that_waits_for_nobody(
    row: AbilityRow, registry: Registry, runner: Runner
) -> None:
    """It answers though store and caller do not."""
    assert re.search(row.answer, await use(registry, runner, stuck(registry), row.said))


@pytest.mark.parametrize("row", WAITING, indirect=True)
async def test_ability_barge_in(row: AbilityRow, registry: Registry, runner: Runner) -> None:
    """Who speaks before it is done ends it; nothing is half written, and it works again."""
    ports = stuck(registry)
    using = asyncio.create_task(use(registry, runner, ports, row.said))
    await asyncio.wait_for(ports.reached.wait(), 5)
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    assert kept(ports) == 0
    again = FakePorts(skills=registry.skills, answers=row.answers)
    assert re.search(row.answer, await use(registry, runner, again, row.said))


async def test_ability_silence(
    row: AbilityRow, ports: FakePorts, registry: Registry, runner: Runner
) -> None:
    """An hour in which nobody speaks loses nothing that was kept."""
    await use(registry, runner, ports, row.said)
    before = kept(ports)
    ports.pass_time(HOUR_SECONDS)
    assert kept(ports) == before
    if row.after_crash is not None:
        said, answer = row.after_crash
        assert re.search(answer, await use(registry, runner, ports, said))


@pytest.mark.parametrize("row", [one for one in WAITING if "ask" not in one], indirect=True)
async def test_ability_hang(row: AbilityRow, registry: Registry, runner: Runner) -> None:
    """A store that does not answer costs its time and no more; a caller's time does not count."""
    with pytest.raises(SkillFailed):
        await use(registry, runner, stuck(registry), row.said, seconds=0.05)


async def test_ability_crash_and_resume(
    row: AbilityRow, ports: FakePorts, registry: Registry, runner: Runner
) -> None:
    """What it kept is there in the next call, for which all else begins anew."""
    await use(registry, runner, ports, row.said)
    later = FakePorts(now=ports.clock.now, skills=registry.skills)
    later.memory.texts = ports.memory.texts
    later.alarms.by_key = ports.alarms.by_key
    said, answer = row.after_crash or (row.said, row.answer)
    assert re.search(answer, await use(registry, Runner(), later, said))


@dataclass
class ModeRow:
    """A state that a mode is brought to, and what it says to one more utterance there."""

    to: Sequence[str]
    said: str
    answer: str
    has_model: bool = False


MODES = {
    "a tale, begun": ModeRow(["tell me a story"], "go on", r"\w+ \w+"),
    "a tale, later": ModeRow(["tell me a story", "go on", "go on"], "again", r"\w+ \w+"),
    "a tale, another": ModeRow(["tell me a story"], "another one", "Here is"),
    "a tale, lost in it": ModeRow(["tell me a story"], "mumble", "Say go on"),
    "a story by the model": ModeRow(["tell me a story"], "a dragon", "", has_model=True),
    "translator, which language": ModeRow(
        ["translate this"], "French", "What should I say in French", has_model=True
    ),
    "translator, waiting": ModeRow(["translate to French"], "Good morning", "", has_model=True),
    "translator, staying": ModeRow(
        ["translate everything I say to Spanish", "hello"], "Where are you?", "", has_model=True
    ),
}


class Call:
    """A floor with real modes, as long as a process lives."""

    def __init__(self, registry: Registry, runner: Runner, row: ModeRow) -> None:
        self.registry, self.runner, self.row = registry, runner, row
        self.ports = FakePorts()
        self.kept: SkillSession | None = None
        self.turn = 0
        self.floor = self._floor(None)

    def _floor(self, skill: SkillSession | None) -> Floor:
        can = CallCan(has_model=self.row.has_model)
        return Floor(
            ModeSteps(self.registry, self.runner, can, self.ports.now),
            skill,
            keep=self._keep,
            carry_out=lambda *_: None,
            speak_in=lambda _: None,
        )

    def _keep(self, skill: SkillSession | None) -> None:
        self.kept = skill

    def crash(self) -> None:
        """The process is gone; the store has what was kept, as JSON."""
        left = None if self.kept is None else self.kept.model_dump_json()
        self.floor = self._floor(None if left is None else SkillSession.model_validate_json(left))

    async def says(self, text: str, *, heard: bool = True) -> Any:
        self.turn += 1
        outcome = await self.floor.hear(self.turn, text)
        self.floor.commit(self.turn, text)
        if isinstance(outcome, UseTool):
            name = outcome.name.removeprefix("begin_")
            outcome = await self.floor.begin(name, outcome.arguments)
        if heard and isinstance(outcome, Spoken | Answered):
            text = outcome.text if isinstance(outcome, Spoken) else "what the model said"
            self.floor.said(text, interrupted=False)
        return outcome

    async def brought(self) -> "Call":
        for text in self.row.to:
            await self.says(text)
        return self


def fits(row: ModeRow, outcome: Any) -> bool:
    if row.has_model and row.answer == "":
        return isinstance(outcome, Answered) and outcome.instructions != ""
    return isinstance(outcome, Spoken) and re.search(row.answer, outcome.text) is not None


@pytest.fixture(params=MODES)
async def call(request: pytest.FixtureRequest, registry: Registry, runner: Runner) -> Call:
    return await Call(registry, runner, MODES[request.param]).brought()


async def test_mode_utterance(call: Call) -> None:
    """It is the mode's, and the mode goes on."""
    assert fits(call.row, await call.says(call.row.said))
    assert call.floor.skill is not None


async def test_mode_barge_in(call: Call) -> None:
    """A reply of which nothing was heard was not heard: a tale loses no sentence by it."""
    first = await call.says(call.row.said, heard=False)
    second = await call.says("go on")
    assert isinstance(second, Spoken | Answered)
    if (
        isinstance(first, Spoken)
        and isinstance(second, Spoken)
        and call.row.to[0] == "tell me a story"
    ):
        told = re.split(r"(?<=[.!?\"]) (?=[A-Z\"])", first.text)
        of_tale = [one for one in told if not re.search("Here is|[Ss]ay go on", one)]
        assert all(letters(one) in letters(second.text) for one in of_tale[:1])
        assert (of_tale == []) == (call.row.said == "mumble")


async def test_mode_silence(call: Call) -> None:
    """An hour changes nothing; the floor is still the mode's."""
    before = call.floor.skill
    call.ports.pass_time(HOUR_SECONDS)
    assert call.floor.skill == before
    assert fits(call.row, await call.says(call.row.said))


async def test_mode_hang(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs a sentence, and the caller has June back."""
    skill = call.floor.skill
    assert skill is not None
    hanging = type(call.registry.modes[skill.name])
    released = asyncio.get_running_loop().create_future()

    def blocked(*_: object) -> Any:
        while not released.done():
            time.sleep(0.01)

    monkeypatch.setattr(hanging, "step", blocked)
    monkeypatch.setattr(Runner.step, "__defaults__", (0.05,))
    assert await call.says(call.row.said) == Line(Own.FAILED)
    released.set_result(None)
    assert call.floor.skill is None


async def test_mode_crash_and_resume(call: Call) -> None:
    """The next process goes on in the same state, with the same words."""
    before = call.floor.skill
    call.crash()
    assert call.floor.skill == before
    assert fits(call.row, await call.says(call.row.said))


async def test_mode_is_left_from_every_state(call: Call) -> None:
    """By the usual words, also after a crash."""
    call.crash()
    assert await call.says("That's enough, thanks.") == Line(Own.LEFT)
    assert call.kept is None

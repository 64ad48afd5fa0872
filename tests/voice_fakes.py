"""Scripted recorder, cloner and speaker, and a scene in which Mockingbird has the floor."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from skill_fakes import WEDNESDAY

from session import SkillSession
from session.floor import Floor
from session.mode_steps import ModeSteps
from session.outcomes import CallCan, Line, Outcome, Spoken
from skills import CancelAlarm, Effect, News, SetAlarm, VoiceTrouble
from skills.mockingbird import Mockingbird
from skills.mockingbird.studio import Patience, Studio
from skills.registry import Registry
from skills.runner import Runner
from skills.sound import Sound
from skills.voice import Why

SPEECH = Sound(b"\x01\x00" * 16_000 * 8, 16_000)

QUICK = Patience(0.05, 0.05, 0.05, 0.05)


class Scripted:
    """What is asked of it waits for `let`, or fails with the next of `troubles`."""

    def __init__(self) -> None:
        self.troubles: list[Why] = []
        self.is_stuck = False

    async def come(self) -> None:
        if self.is_stuck:
            await asyncio.Event().wait()
        if self.troubles:
            raise VoiceTrouble(self.troubles.pop(0))


@dataclass
class FakeRecorder(Scripted):
    said_: Sound = SPEECH
    is_listening: bool = False

    def __post_init__(self) -> None:
        super().__init__()
        self.spoken = asyncio.Event()

    def listen(self) -> None:
        self.is_listening = True

    async def said(self) -> Sound:
        await self.come()
        return self.said_

    async def sample(self) -> Sound:
        self.is_listening = True
        await self.spoken.wait()
        self.spoken.clear()
        await self.come()
        self.is_listening = False
        return self.said_

    def stop(self) -> None:
        self.is_listening = False


@dataclass
class FakeCloner(Scripted):
    phrases: Sequence[str] = ()
    is_known: bool = False
    consents: list[tuple[str, str]] = field(default_factory=list)
    made: int = 0
    discarded: int = 0
    heard_phrases: int = 0

    def __post_init__(self) -> None:
        super().__init__()
        self.making: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def consent(self, asked: str, heard: str, said: Sound) -> bool:
        await self.come()
        self.consents.append((asked, heard))
        return self.is_known

    async def phrase(self, said: Sound) -> None:
        await self.come()
        self.heard_phrases += 1

    async def make(self, sample: Sound) -> None:
        await self.come()
        await self.making
        self.made += 1

    async def discard(self) -> None:
        self.discarded += 1


class FakeSpeaker:
    """Speaks as June or as the caller; `may_not` is a consent that does not hold."""

    def __init__(self) -> None:
        self.is_cloned = False
        self.may_not = False

    def put_on(self) -> None:
        if self.may_not:
            raise VoiceTrouble(Why.NO_CONSENT)
        self.is_cloned = True

    def take_off(self) -> None:
        self.is_cloned = False


class Scene:
    """A call in which nothing is heard: the caller's turns, and what June says to them."""

    def __init__(
        self,
        registry: Registry,
        runner: Runner,
        *,
        kept: SkillSession | None = None,
        patience: Patience | None = None,
        now: Callable[[], datetime] = lambda: WEDNESDAY,
        clones: bool = True,
        is_heard: bool = True,
    ) -> None:
        """`is_heard`: what June says is heard to its end, before the caller says something."""
        self.is_heard = is_heard
        self.recorder = FakeRecorder()
        self.cloner = FakeCloner()
        self.speaker = FakeSpeaker()
        self.kept: list[SkillSession | None] = [kept]
        self.said: list[str] = []
        self.studio = Studio(self.recorder, self.cloner, self.speaker, self._told, patience)
        can = CallCan(has_model=False, clones=clones)
        self.floor = Floor(
            ModeSteps(registry, runner, can, now),
            kept,
            keep=self.kept.append,
            carry_out=self._carry_out,
            speak_in=lambda _: None,
        )
        self._turn = 0

    def _carry_out(self, effects: Sequence[Effect], _: str) -> None:
        for effect in effects:
            assert not isinstance(effect, SetAlarm | CancelAlarm)
            self.studio.do(effect)

    async def _told(self, news: News) -> None:
        outcome = await self.floor.told(news)
        if outcome is not None:
            self._say(outcome)

    def _say(self, outcome: Outcome) -> None:
        if isinstance(outcome, Spoken):
            self.said.append(outcome.text)
            if self.is_heard:
                self.floor.said(outcome.text, interrupted=False)
        elif isinstance(outcome, Line):
            self.said.append(outcome.which.value)

    @property
    def stage(self) -> str:
        skill = self.floor.skill
        if skill is None:
            return "inactive"
        return "confirming" if skill.stage == "confirming" else str(skill.state["stage"])

    @property
    def asked(self) -> str:
        """The sentence that the caller is to repeat."""
        assert self.floor.skill is not None
        return str(self.floor.skill.state["asked"])

    async def says(self, text: str, *, typed: bool = False) -> Outcome:
        """A turn; what it comes to."""
        self._turn += 1
        outcome = await self.floor.hear(self._turn, text, is_typed=typed)
        self.floor.commit(self._turn, text)
        self._say(outcome)
        return outcome

    async def reach(self, stage: str) -> None:
        """Mode and studio work in threads and tasks of their own; this waits for a stage."""
        async with asyncio.timeout(10):
            while self.stage != stage:
                await asyncio.sleep(0.001)

    async def hears(self, line: str, times: int = 1) -> None:
        """Waits until June has said it so often."""
        async with asyncio.timeout(10):
            while sum(said.startswith(line) for said in self.said) < times:
                await asyncio.sleep(0.001)

    async def until(self, stage: str) -> None:
        """As an ordinary caller gets there."""
        self._say(await self.floor.begin(Mockingbird.name, {}))
        if stage == "confirming":
            return
        await self.says("Yes.")
        if stage == "awaiting_voice_sample":
            return
        await self.says(self.asked)
        await self.reach("capturing_audio")
        if stage == "capturing_audio":
            return
        self.recorder.spoken.set()
        await self.reach("cloning_voice")
        if stage == "cloning_voice":
            return
        if stage == "error":
            self.cloner.making.set_exception(VoiceTrouble(Why.FAILED))
        else:
            self.cloner.making.set_result(None)
        await self.reach(stage)

    async def aclose(self) -> None:
        await self.studio.aclose()

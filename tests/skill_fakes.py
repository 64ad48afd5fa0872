"""Fakes of what June lends a skill: a clock that a test moves, texts and alarms in dictionaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from skills import Alarm, Skill, SkillError

WEDNESDAY = datetime(2026, 3, 4, 15, 5, tzinfo=UTC)

LONGEST_TEXT_CHARACTERS = 4_000


@dataclass
class FakeClock:
    """Stands still until a test moves it."""

    now: datetime = WEDNESDAY

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class FakeMemory:
    """One user's texts of one skill. While `is_away` every method raises `SkillError`."""

    texts: dict[str, str] = field(default_factory=dict)
    is_away: bool = False

    async def put(self, key: str, text: str) -> None:
        self._reach()
        if len(text) > LONGEST_TEXT_CHARACTERS:
            raise SkillError("That is too long for me to keep.")
        self.texts[key] = text

    async def all(self) -> Mapping[str, str]:
        self._reach()
        return dict(sorted(self.texts.items()))

    async def take(self, key: str) -> str | None:
        self._reach()
        return self.texts.pop(key, None)

    def _reach(self) -> None:
        if self.is_away:
            raise SkillError("I can't reach my memory right now.")


@dataclass
class FakeAlarms:
    """Those whose time has come have rung: they are no longer there."""

    clock: FakeClock
    by_key: dict[str, Alarm] = field(default_factory=dict)
    is_away: bool = False

    async def set(self, alarm: Alarm) -> None:
        self._reach()
        self.by_key[alarm.key] = alarm

    async def all(self) -> Sequence[Alarm]:
        self._reach()
        waiting = (alarm for alarm in self.by_key.values() if alarm.due_at > self.clock.now)
        return sorted(waiting, key=lambda alarm: alarm.due_at)

    async def cancel(self, key: str) -> bool:
        is_waiting = any(alarm.key == key for alarm in await self.all())
        if is_waiting:
            del self.by_key[key]
        return is_waiting

    def _reach(self) -> None:
        if self.is_away:
            raise SkillError("I can't reach my alarms right now.")


@dataclass
class FakeKeptVoice:
    """`kept` is what there is of a voice, and what deleting it comes to."""

    kept: Literal["nothing", "deleted", "going"] = "nothing"

    async def delete(self) -> Literal["nothing", "deleted", "going"]:
        kept, self.kept = self.kept, "nothing"
        return kept


class FakePorts:
    """`Ports` of a call in which the caller gives the `answers`, one for each question.

    `.said` and `.asked` are in order; `.hung_up` is whether the call was to end.
    """

    def __init__(
        self,
        now: datetime = WEDNESDAY,
        language: str = "en",
        has_model: bool = False,
        skills: Sequence[Skill] = (),
        answers: Sequence[str] = (),
    ) -> None:
        self.clock = FakeClock(now)
        self.language = language
        self.has_model = has_model
        self.skills = skills
        self.memory = FakeMemory()
        self.alarms = FakeAlarms(self.clock)
        self.voice = FakeKeptVoice()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.hung_up = False
        self._answers = list(answers)

    def now(self) -> datetime:
        return self.clock.now

    def pass_time(self, seconds: float) -> None:
        self.clock.pass_time(seconds)

    async def say(self, text: str) -> None:
        self.said.append(text)

    async def ask(self, question: str) -> str:
        self.asked.append(question)
        assert self._answers, "the skill asked more often than the test has answers"
        return self._answers.pop(0)

    async def hang_up(self) -> None:
        self.hung_up = True

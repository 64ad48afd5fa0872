"""June's ports, as one use of an ability gets them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from agent.voices.in_call import CallVoice
from session import MemoryFull, Session, SessionError, SessionService, TextTooLong
from session.alarms import Keeps, UserAlarms
from skills import Alarm, Skill, SkillError
from skills.ports import KeptVoice

T = TypeVar("T")

AWAY = "I can't reach my memory at the moment."
FULL = "I can't keep any more. Ask me to delete something first."
TOO_LONG = "That is too long for me to keep."


@dataclass(frozen=True)
class CallMemory:
    """What a skill keeps of this user; faults become sentences. None for a call without a store."""

    kept: Keeps | None

    async def put(self, key: str, text: str) -> None:
        await _in_words(self._opened.put(key, text))

    async def all(self) -> Mapping[str, str]:
        return await _in_words(self._opened.all())

    async def take(self, key: str) -> str | None:
        return await _in_words(self._opened.take(key))

    @property
    def _opened(self) -> Keeps:
        if self.kept is None:
            raise SkillError(AWAY)
        return self.kept


@dataclass(frozen=True)
class CallAlarms:
    """The alarms of one skill. None for a call without a store."""

    skill: str
    kept: UserAlarms | None
    changed: Callable[[], None]

    async def set(self, alarm: Alarm) -> None:
        await _in_words(self._opened.set(self.skill, alarm))
        self.changed()

    async def all(self) -> Sequence[Alarm]:
        kept = await _in_words(self._opened.all())
        return [one.alarm for one in kept if one.skill == self.skill]

    async def cancel(self, key: str) -> bool:
        was_there = await _in_words(self._opened.take(self.skill, key))
        self.changed()
        return was_there

    @property
    def _opened(self) -> UserAlarms:
        if self.kept is None:
            raise SkillError(AWAY)
        return self.kept


@dataclass(frozen=True)
class CallKeptVoice:
    """The voice that was made of this user's, also where this call can make none."""

    sessions: SessionService
    session: Session
    in_call: CallVoice | None

    async def delete(self) -> Literal["nothing", "deleted", "going"]:
        if self.in_call is not None:
            return await _in_words(self.in_call.delete())
        if self.sessions.stands_in:
            raise SkillError(AWAY)
        deleted = await _in_words(self.sessions.voices.delete(self.session.user, "asked"))
        if deleted is None:
            return "nothing"
        return "going" if deleted.doomed else "deleted"


@dataclass(frozen=True)
class CallPorts:
    """Lives as long as one use."""

    language: str
    skills: Sequence[Skill]
    has_model: bool
    memory: CallMemory
    alarms: CallAlarms
    voice: KeptVoice
    clock: Callable[[], datetime]
    says: Callable[[str], Awaitable[object]]
    asks: Callable[[str], Awaitable[str]]
    hangs_up: Callable[[], None]

    def now(self) -> datetime:
        return self.clock()

    async def say(self, text: str) -> None:
        with suppress(RuntimeError):  # the call is ending, and nobody listens any more
            await self.says(text)

    async def ask(self, question: str) -> str:
        return await self.asks(question)

    async def hang_up(self) -> None:
        self.hangs_up()


async def _in_words(kept: Awaitable[T]) -> T:
    try:
        return await kept
    except MemoryFull:
        raise SkillError(FULL) from None
    except TextTooLong:
        raise SkillError(TOO_LONG) from None
    except SessionError:
        raise SkillError(AWAY) from None

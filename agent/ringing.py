"""Alarms ring: at their time, at the next pause; and those that were missed, after the greeting."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Self

import structlog
from livekit.agents import AgentSession, llm, utils
from livekit.agents.voice import SpeechHandle

from session import SessionError
from session.alarms import KeptAlarm, UserAlarms
from skills import Alarm

log = structlog.get_logger(__name__)

WAITED_FOR_SECONDS = 900.0
"""A caller who waits for an alarm that is so near is not asked whether they are still there."""

PAUSE_SECONDS = 0.2
"""How often it is looked whether somebody speaks."""

LONGEST_TALK_SECONDS = 30.0
"""Who talks for so long without a pause is told all the same."""

TRIES = 3
"""An alarm that is talked over was not heard."""

STORE_SECONDS = 10.0
"""Until a store that is away is asked again."""

LOOK_SECONDS = 60.0
"""How often at least it is looked for alarms that another call of this user has set."""


class Ringing:
    """Lives as long as one call; its one task says what is due."""

    def __init__(
        self,
        voice: AgentSession[None],
        alarms: UserAlarms,
        *,
        say: Callable[[str], Awaitable[SpeechHandle]],
        missed: str,
        words: Callable[[Alarm], str] = lambda alarm: alarm.text,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._voice = voice
        self._alarms = alarms
        self._say = say
        self._missed = missed
        self._words = words
        self._now = now
        self._sleep = sleep
        self._began = now()
        self._changed = asyncio.Event()
        self._known: list[KeptAlarm] = []
        """As the store was read last: a store that is away silences none of them."""
        self._next: datetime | None = None
        self._is_held = False
        self._rung: set[KeptAlarm] = set()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="june.ringing")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._task is not None:
            await utils.aio.cancel_and_wait(self._task)

    def hold(self) -> None:
        """Nobody would hear it: the caller's network is lost."""
        self._is_held = True

    def let_go(self) -> None:
        """They are back."""
        self._is_held = False

    def look_again(self) -> None:
        """An alarm was set or cancelled in this call."""
        self._changed.set()

    @property
    def is_waited_for(self) -> bool:
        """Whether the next alarm is so near that a silent caller may be waiting for it."""
        if self._next is None:
            return False
        return (self._next - self._now()).total_seconds() < WAITED_FOR_SECONDS

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            look_seconds = LOOK_SECONDS
            try:
                self._known = await self._alarms.all()
            except SessionError as error:
                log.debug("alarms.unread", error=str(error))
                look_seconds = STORE_SECONDS
            waiting = [one for one in self._known if one not in self._rung]
            due = [one for one in waiting if one.alarm.due_at <= self._now()]
            if due:
                self._next = self._now()
                await self._ring(due)
                continue
            self._next = waiting[0].alarm.due_at if waiting else None
            if self._next is not None:
                until_next = (self._next - self._now()).total_seconds()
                look_seconds = min(look_seconds, max(0.0, until_next))
            await self._until(look_seconds)

    async def _until(self, seconds: float) -> None:
        """So long, or until something has changed."""
        waits: set[asyncio.Future[object]] = {
            asyncio.ensure_future(self._changed.wait()),
            asyncio.ensure_future(self._sleep(seconds)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await utils.aio.cancel_and_wait(*waits)

    async def _ring(self, due: list[KeptAlarm]) -> None:
        missed = [self._words(one.alarm) for one in due if one.alarm.due_at < self._began]
        others = [self._words(one.alarm) for one in due if one.alarm.due_at >= self._began]
        said = [*([f"{self._missed} {' '.join(missed)}"] if missed else []), *others]
        self._rung.update(due)
        if not await self._is_heard(" ".join(said)):
            return  # it is said at the user's next call
        log.info("alarm.rang", count=len(due), missed=len(missed))
        for one in due:
            try:
                # After it was heard: two calls of one user may both ring, but none keeps silent.
                await self._alarms.take(one.skill, one.alarm.key)
            except SessionError as error:
                log.warning("alarm.not_deleted", error=str(error))

    async def _is_heard(self, text: str) -> bool:
        is_begun = False
        for _ in range(TRIES):
            await self._pause()
            try:
                speech = await self._say(text)
            except RuntimeError:
                return False  # the voice is closing
            await speech.wait_for_playout()
            if any(
                isinstance(item, llm.ChatMessage) and not item.interrupted
                for item in speech.chat_items
            ):
                return True
            is_begun = is_begun or speech.interrupted
        return is_begun  # three times; of a voice that fails nobody has heard anything

    async def _pause(self) -> None:
        while self._is_held:
            await self._sleep(PAUSE_SECONDS)
        waited = 0.0
        while waited < LONGEST_TALK_SECONDS and (
            self._voice.user_state == "speaking"
            or self._voice.agent_state in ("speaking", "thinking")
        ):
            await self._sleep(PAUSE_SECONDS)
            waited += PAUSE_SECONDS

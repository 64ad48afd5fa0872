"""What June says when her ears or her voice fail; for a model that does, see `agent.reply`."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Callable
from typing import Protocol

import structlog
from livekit import rtc
from livekit.agents import ErrorEvent
from livekit.agents.types import NotGivenOr

from agent.lines import Lines
from agent.models.refused import Refused
from agent.spoken import SpokenLines, frames

log = structlog.get_logger(__name__)

TOO_MANY = 3
WITHIN_SECONDS = 60.0
"""So many failures of one stage in so short a time end the call; LiveKit would end it in silence
at the fourth."""


class Saying(Protocol):
    """An AgentSession, as far as it is asked to say something."""

    def say(self, text: str, *, audio: NotGivenOr[AsyncIterable[rtc.AudioFrame]] = ...) -> object:
        """Raises `RuntimeError` while it is closing."""
        ...


class Trouble:
    """Lives as long as one call. `give_up` is called once a stage has failed too often.

    Nothing is said once the call `is_over`: it would stand where the goodbye should be.
    """

    def __init__(
        self,
        voice: Saying,
        spoken: SpokenLines,
        lines: Lines,
        *,
        is_over: Callable[[], bool],
        give_up: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        self._voice = voice
        self._spoken = spoken
        self._lines = lines
        self._is_over = is_over
        self._give_up = give_up
        self._now = now
        self._failures: dict[str, deque[float]] = {}
        self._saying: asyncio.Task[None] | None = None

    def on_error(self, event: ErrorEvent) -> None:
        """For the AgentSession's `error`."""
        if event.error.recoverable or self._is_over():
            return
        if isinstance(event.error.error, Refused):
            return  # the call ends with the reason
        match event.error.type:
            case "stt_error":
                line, needs_voice = self._lines.cannot_hear, False
            case "tts_error":
                line, needs_voice = self._lines.trouble, True
            case _:
                return
        log.warning("stage.failed", stage=event.error.type, error=type(event.error.error).__name__)
        if self._is_too_often(event.error.type):
            self._give_up()
        elif self._saying is None or self._saying.done():
            self._saying = asyncio.create_task(
                self._say(line, only_if_spoken=needs_voice), name="june.trouble"
            )

    def _is_too_often(self, stage: str) -> bool:
        failures = self._failures.setdefault(stage, deque(maxlen=TOO_MANY))
        failures.append(self._now())
        return len(failures) == TOO_MANY and failures[-1] - failures[0] < WITHIN_SECONDS

    async def _say(self, line: str, *, only_if_spoken: bool) -> None:
        sound = await self._spoken.sound_of(line)
        try:
            if sound is not None:
                self._voice.say(line, audio=frames(sound))
            elif not only_if_spoken:
                self._voice.say(line)
        except RuntimeError as error:
            log.info("trouble.unsaid", error=str(error))  # the voice is closing

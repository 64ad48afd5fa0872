"""Notices that June is deaf: somebody has spoken, and no text comes of it."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from typing import Self

import structlog
from livekit.agents import AgentSession, UserStateChangedEvent

from agent.models.guarded_stt import GuardedSTT
from agent.turns import SILENCE_SECONDS
from session.prices import LOCAL

log = structlog.get_logger(__name__)

TEXT_SECONDS = 3.0
"""From the end of speech to its text."""

LOCAL_PATIENCE = 2
"""So many times as long for ears of this machine: they are slow only where everything is, and what
they are about to understand is worth more than an apology."""

SWITCH_SECONDS = 2.0
"""Before that somebody else listens to it, if there is somebody: the ears of this machine need
about half a second."""

SPEECH_SECONDS = 0.8
"""A VAD takes shorter noises for speech at times, and nothing is to be understood of those."""


class EarsWatch:
    """Lives as long as one call. `on_deaf` is told whether nobody can be asked at all."""

    def __init__(
        self, voice: AgentSession[None], ears: GuardedSTT, on_deaf: Callable[[bool], None]
    ) -> None:
        self._voice = voice
        self._stt = ears
        self._on_deaf = on_deaf
        self._began_at = 0.0
        self._waiting: asyncio.Task[None] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._voice.on("user_state_changed", self._on_user_state)
        self._stack.callback(self._voice.off, "user_state_changed", self._on_user_state)
        self._stack.callback(self._stop)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        now = asyncio.get_running_loop().time()
        if event.new_state == "speaking":
            self._stop()
            self._began_at = now
            if self._stt.ears is not None:
                self._stt.ears.begin_speech()
        elif event.old_state == "speaking":
            spoken_seconds = now - self._began_at - SILENCE_SECONDS
            self._waiting = asyncio.create_task(
                self._wait_for_text(spoken_seconds), name="june.ears.text"
            )

    def _stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    async def _wait_for_text(self, spoken_seconds: float) -> None:
        """The VAD knows of the end of speech only after a silence, which counts."""
        ears = self._stt.ears
        if ears is None:
            return
        patience = LOCAL_PATIENCE if self._stt.provider == LOCAL else 1
        left = TEXT_SECONDS * patience - SILENCE_SECONDS
        if ears.can_switch:
            if await _is_set(ears.answered, SWITCH_SECONDS - SILENCE_SECONDS):
                return
            if spoken_seconds >= SPEECH_SECONDS or ears.has_words:
                ears.rebuild(forget=False)
            left -= SWITCH_SECONDS - SILENCE_SECONDS
        elif ears.is_resting:
            left = 0.0
        if await _is_set(ears.answered, left):
            return
        if spoken_seconds < SPEECH_SECONDS and not ears.has_words:
            return  # a cough, perhaps
        log.warning("ears.deaf", resting=ears.is_resting, spoken_seconds=round(spoken_seconds, 1))
        is_resting = ears.is_resting
        ears.rebuild(forget=True)
        self._on_deaf(is_resting)


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True

"""Notices that June is deaf: somebody has spoken, and no text comes of it."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from typing import Self

import structlog
from livekit.agents import AgentSession, UserStateChangedEvent

from agent.models.guarded_ears import GuardedEars
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

SPEECH_SECONDS = 0.4
"""A VAD takes shorter noises for speech at times, and nothing is to be understood of those."""

WORDS_SECONDS = 0.8
"""In so much speech there are words: hosted ears that find none have failed, or hear a machine."""


MOST_WORDLESS = 2
"""In a row, of which the caller is told; where a television is on June keeps quiet in the end."""


class EarsWatch:
    """Lives as long as one call. `on_deaf` is told whether nobody can be asked at all.

    `on_wordless` is called where the ears work, and have found no words in speech.
    """

    def __init__(
        self,
        voice: AgentSession[None],
        ears: GuardedSTT,
        on_deaf: Callable[[bool], None],
        on_wordless: Callable[[], None],
    ) -> None:
        self._voice = voice
        self._stt = ears
        self._on_deaf = on_deaf
        self._on_wordless = on_wordless
        self._wordless = 0
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
        if await self._is_answered(ears, spoken_seconds):
            self._look_for_words(ears, spoken_seconds)
        elif spoken_seconds >= SPEECH_SECONDS or ears.has_words:
            is_resting = ears.is_resting
            log.warning("ears.deaf", resting=is_resting, spoken_seconds=round(spoken_seconds, 1))
            ears.rebuild(forget=True)
            self._on_deaf(is_resting)

    async def _is_answered(self, ears: GuardedEars, spoken_seconds: float) -> bool:
        """Whether all is known of the speech in time; somebody else may be asked for it."""
        patience = LOCAL_PATIENCE if self._stt.provider == LOCAL else 1
        left = TEXT_SECONDS * patience - SILENCE_SECONDS
        if ears.can_switch:
            before = SWITCH_SECONDS - SILENCE_SECONDS
            if await _is_set(ears.answered, before):
                return True
            if spoken_seconds >= SPEECH_SECONDS or ears.has_words:
                ears.rebuild(forget=False)
            left -= before
        elif ears.is_resting:
            left = 0.0
        return await _is_set(ears.answered, left)

    def _look_for_words(self, ears: GuardedEars, spoken_seconds: float) -> None:
        if ears.has_words:
            self._wordless = 0
        elif spoken_seconds >= WORDS_SECONDS and self._stt.provider != LOCAL:
            # Ears of this machine tell speech from noise by themselves.
            self._wordless += 1
            if self._wordless <= MOST_WORDLESS:
                log.info("ears.wordless", spoken_seconds=round(spoken_seconds, 1))
                self._on_wordless()


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True

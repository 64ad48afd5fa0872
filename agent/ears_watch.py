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

AGAIN_SECONDS = 1.0
"""At least so long after the newest speech, where an earlier one was waited for already."""

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
        *,
        is_over: Callable[[], bool],
    ) -> None:
        self._voice = voice
        self._stt = ears
        self._on_deaf = on_deaf
        self._on_wordless = on_wordless
        self._is_over = is_over
        self._wordless = 0
        self._began_at = 0.0
        self._owed_since = 0.0
        """The end of the first speech that is owed an answer."""
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
        now, ears = asyncio.get_running_loop().time(), self._stt.ears
        if ears is None:
            return
        if event.new_state == "speaking":
            self._stop()
            self._began_at = now
            ears.begin_speech()
        elif event.old_state == "speaking":
            if not ears.owed.seconds:
                self._owed_since = now
            # The VAD knows of the end of speech only after a silence, which counts.
            spoken_seconds = max(0.0, now - self._began_at - SILENCE_SECONDS)
            ears.owed.end(spoken_seconds)
            self._waiting = asyncio.create_task(
                self._wait_for_text(ears, spoken_seconds), name="june.ears.text"
            )

    def _stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    async def _wait_for_text(self, ears: GuardedEars, spoken_seconds: float) -> None:
        is_answered = await self._is_answered(ears)
        if self._is_over():
            return  # LiveKit gives the ears silence during a goodbye
        if is_answered:
            self._look_for_words(ears, spoken_seconds)
        elif _is_speech(ears):
            is_resting = ears.is_resting
            log.warning("ears.deaf", resting=is_resting, spoken_seconds=round(ears.owed.seconds, 1))
            ears.rebuild(forget=True)
            self._on_deaf(is_resting)
        else:
            ears.owed.close()

    async def _is_answered(self, ears: GuardedEars) -> bool:
        """Whether all is known of the speech in time; somebody else may be asked for it."""
        is_local = self._stt.provider == LOCAL
        patience = LOCAL_PATIENCE if is_local else 1
        if ears.can_switch and not is_local and not ears.is_resting:
            if await _is_set(ears.owed.answered, self._left(SWITCH_SECONDS)):
                return True
            if _is_speech(ears):
                ears.rebuild(forget=False)
        if ears.is_resting:
            return ears.owed.answered.is_set()
        return await _is_set(ears.owed.answered, self._left(TEXT_SECONDS * patience))

    def _left(self, seconds: float) -> float:
        """Of so many after the end of the speech that is waited for longest."""
        left = self._owed_since + seconds - SILENCE_SECONDS - asyncio.get_running_loop().time()
        return max(left, AGAIN_SECONDS)

    def _look_for_words(self, ears: GuardedEars, spoken_seconds: float) -> None:
        if ears.owed.has_words:
            self._wordless = 0
        elif spoken_seconds >= WORDS_SECONDS and self._stt.provider != LOCAL:
            # Ears of this machine tell speech from noise by themselves.
            self._wordless += 1
            if self._wordless <= MOST_WORDLESS:
                log.info("ears.wordless", spoken_seconds=round(spoken_seconds, 1))
                self._on_wordless()


def _is_speech(ears: GuardedEars) -> bool:
    """Rather than a cough."""
    return ears.owed.seconds >= SPEECH_SECONDS or ears.owed.has_words


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True

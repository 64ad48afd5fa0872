"""From words to sound: June's own lines from the cache, and one of them where her voice fails."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing

import structlog
from livekit import rtc
from livekit.agents import APIError

from agent.lines import Lines
from agent.models.refused import Refused
from agent.spoken import SpokenLines, frames

log = structlog.get_logger(__name__)

Synthesis = Callable[[AsyncIterable[str]], AsyncGenerator[rtc.AudioFrame, None]]


class Mouth:
    """Lives as long as one call.

    `is_own` says whether June speaks in her own voice, the one of the cache. `on_mute` is called
    where nothing at all could be said of a reply: it is apologised for; `on_lost_words` where June
    apologises in the middle of one.
    """

    def __init__(
        self,
        spoken: SpokenLines,
        lines: Lines,
        *,
        is_own: Callable[[], bool],
        on_mute: Callable[[], None],
        on_lost_words: Callable[[], None] = lambda: None,
    ) -> None:
        self._spoken = spoken
        self._lines = lines
        self._is_own = is_own
        self._on_mute = on_mute
        self._on_lost_words = on_lost_words
        self._begun: object = None
        """The newest reply of which there was sound."""

    async def speak(
        self, text: AsyncIterable[str], synthesise: Synthesis, *, reply: object
    ) -> AsyncGenerator[rtc.AudioFrame, None]:
        """Raises where the voice has failed: LiveKit then keeps only what was heard.

        A reply that is flushed early comes in parts; `reply` is the same object for each of them.
        """
        opening, rest = await self._opening(aiter(text))
        if opening in self._lines.all() and self._is_own():
            sound = await self._spoken.sound_of(opening)
            if sound is not None:
                self._begun = reply
                async for frame in frames(sound):
                    yield frame
                return
        try:
            async with aclosing(synthesise(_joined(opening, rest))) as sounds:
                async for frame in sounds:
                    self._begun = reply
                    yield frame
        except Refused:
            raise  # the call ends with the reason
        except Exception as error:
            has_sound = self._begun is reply
            log.warning("voice.failed", error=type(error).__name__, has_sound=has_sound)
            if not has_sound:
                self._on_mute()
            elif (sound := await self._spoken.sound_of(self._lines.lost_words)) is not None:
                self._on_lost_words()
                async for frame in frames(sound):
                    yield frame
            if isinstance(error, APIError):
                raise
            # LiveKit logs it; where it happened may be told, but what it says may be the words.
            failed = APIError(f"the voice failed: {type(error).__name__}", retryable=False)
            raise failed.with_traceback(error.__traceback__) from None

    async def _opening(self, text: AsyncIterator[str]) -> tuple[str, AsyncIterator[str]]:
        """So much of it that it is clear whether it is one of June's own lines, and the rest."""
        opening = ""
        async for piece in text:
            opening += piece
            if not any(line.startswith(opening.strip()) for line in self._lines.all()):
                return opening, text
        return opening.strip(), text


async def _joined(opening: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield opening
    async for piece in rest:
        yield piece

"""The speaker: June's voice in a call, her own or, with consent, the caller's.

There is no other way to a clone: whatever June says is made here, sentence by sentence, and each
sentence asks anew whether the consent still holds.
"""

import hashlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

import structlog
from livekit import rtc
from livekit.agents import APIConnectOptions, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

from agent.events import Tell, to_nobody, voice_changed
from agent.models.audible import at_rate, in_time
from session.voice_records import Utterance
from skills.voice import Why

log = structlog.get_logger(__name__)

FIRST_SECONDS = 2.0
STALL_SECONDS = 3.0
"""A clone that is slower is taken off: June's own voice says the rest."""


@dataclass(frozen=True)
class Worn:
    """A clone that may be spoken with, for as long as its consent holds."""

    consent_id: str
    clone: tts.TTS[str]
    holds: Callable[[], Awaitable[bool]]
    """Asks the store. Raises nothing: what cannot be known does not hold."""
    on_said: Callable[[Utterance], None]
    """Gets each utterance for the manifest, also one that was cut off."""
    on_lost: Callable[[Why], None]
    """June has her own voice again, from this very sentence on."""


class VoiceOfCall(tts.TTS[str]):
    """Lives as long as one call. To LiveKit it is one voice, whose sound has one rate."""

    def __init__(
        self,
        june: tts.TTS[str],
        *,
        is_over: Callable[[], bool] = lambda: False,
        tell: Tell = to_nobody,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Once the call `is_over` but for her goodbye, she says that in her own voice."""
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False),
            sample_rate=june.sample_rate,
            num_channels=june.num_channels,
        )
        self.june = june
        self.is_over = is_over
        self.now = now
        self._tell = tell
        self._worn: Worn | None = None

    @property
    def worn(self) -> Worn | None:
        """The clone that June speaks with; None while she has her own voice."""
        return self._worn

    @worn.setter
    def worn(self, worn: Worn | None) -> None:
        was_cloned, self._worn = self.is_cloned, worn
        if self.is_cloned != was_cloned:
            self._tell(voice_changed(is_cloned=self.is_cloned))

    @property
    def is_cloned(self) -> bool:
        return self._worn is not None

    @property
    def _speaking(self) -> tts.TTS[str]:
        return self.june if self._worn is None else self._worn.clone

    @property
    def model(self) -> str:
        return self._speaking.model

    @property
    def provider(self) -> str:
        return self._speaking.provider

    @property
    def markup(self) -> tts.TTS.Markup:
        return self.june.markup

    def prewarm(self) -> None:
        self.june.prewarm()

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> "Sentence":
        return Sentence(self, text, conn_options)

    def lose(self, worn: Worn, why: Why) -> None:
        """It may not, or cannot, be spoken with any more."""
        if self.worn is worn:
            self.worn = None
            log.warning("clone.lost", why=why.value)
            worn.on_lost(why)

    async def aclose(self) -> None:
        await self.june.aclose()


def speaker_of(
    june: tts.TTS[str] | None, is_over: Callable[[], bool], tell: Tell = to_nobody
) -> VoiceOfCall | None:
    """None for a call that is only typed."""
    return None if june is None else VoiceOfCall(june, is_over=is_over, tell=tell)


class Sentence(tts.ChunkedStream):
    """One text becoming sound, in the voice that June has when its turn comes."""

    # The inner stream's spans are those of the request; this one only stands around them.
    _tts_request_span_name = "tts_voice"
    _tts_attempt_span_name = None

    def __init__(self, owner: VoiceOfCall, text: str, conn_options: APIConnectOptions) -> None:
        super().__init__(tts=owner, input_text=text, conn_options=conn_options)
        self._owner = owner

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        owner = self._owner
        output_emitter.initialize(
            request_id=utils.shortuuid(),
            sample_rate=owner.sample_rate,
            num_channels=owner.num_channels,
            mime_type="audio/pcm",
        )
        worn = None if owner.is_over() else owner.worn
        if worn is not None and not await worn.holds():
            owner.lose(worn, Why.NO_CONSENT)
        if worn is not None and owner.worn is not worn:
            worn = None  # it was taken off meanwhile
        if worn is None or not await self._cloned(worn, output_emitter):
            async with aclosing(self._sound_of(owner.june)) as sound:
                async for frame in sound:
                    output_emitter.push_frame(frame)

    async def _cloned(self, worn: Worn, output_emitter: tts.AudioEmitter) -> bool:
        """False where not a sound came of it, so that June may say it herself."""
        digest, began_at, has_sound = hashlib.sha256(), self._owner.now(), False
        in_its_time = in_time(
            self._sound_of(worn.clone), first_seconds=FIRST_SECONDS, stall_seconds=STALL_SECONDS
        )
        sound = at_rate(in_its_time, self._owner.sample_rate)
        try:
            async for frame in sound:
                if self._owner.worn is not worn:
                    break
                output_emitter.push_frame(frame)
                digest.update(frame.data.cast("b"))
                has_sound = True
        except Exception as error:
            log.warning("clone.failed", error=type(error).__name__)
            self._owner.lose(worn, Why.FAILED)
            if has_sound:
                raise
        finally:
            await sound.aclose()
            # Also of a sentence that the caller has cut off.
            if has_sound:
                worn.on_said(
                    Utterance(at=began_at, consent_id=worn.consent_id, sha256=digest.hexdigest())
                )
        return has_sound

    async def _sound_of(self, voice: tts.TTS[str]) -> AsyncGenerator[rtc.AudioFrame, None]:
        once = replace(self._conn_options, max_retry=0)
        async with voice.synthesize(self.input_text, conn_options=once) as speech:
            async for sound in speech:
                yield sound.frame

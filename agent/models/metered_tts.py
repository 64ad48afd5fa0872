"""Any voice, each request of which is paid for."""

from dataclasses import replace
from typing import Any, ClassVar

from livekit.agents import APIConnectOptions, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

from agent.models.metered import Meter, count_of, reserve, settling
from session.usage import ModelUsed, Purse, Usage

BYTES_PER_SECOND = 8
"""Of UTF-8, in slow speech; at an ordinary pace English has about 15, and Chinese 13."""

DIGIT_SECONDS = 0.5
"""A digit is one byte, and a word."""

PAUSE_SECONDS = 1.0
"""Before and after the words."""


class MeteredTTS(tts.TTS[str]):
    """To LiveKit it looks as `inner` does. Lives as long as that, and closes it.

    Takes whole texts only: LiveKit hands it one sentence after the other.
    """

    def __init__(self, inner: tts.TTS[str], purse: Purse) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False),
            sample_rate=inner.sample_rate,
            num_channels=inner.num_channels,
        )
        self._label = inner.label
        self._inner = inner
        self._purse = purse

    @property
    def model(self) -> str:
        return self._inner.model

    @property
    def provider(self) -> str:
        return self._inner.provider

    @property
    def markup(self) -> tts.TTS.Markup:
        return self._inner.markup

    def _set_expressive(self, enabled: bool) -> None:  # noqa: FBT001 (LiveKit's own signature)
        super()._set_expressive(enabled)
        self._inner._set_expressive(enabled)  # noqa: SLF001 (as LiveKit's adapters do)

    def update_options(self, **options: Any) -> None:
        """Those of `inner`, whatever they are."""
        changeable: Any = self._inner
        changeable.update_options(**options)

    def prewarm(self) -> None:
        self._inner.prewarm()

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> "MeteredSpeech":
        return MeteredSpeech(self, self._inner, self._purse, text, conn_options)

    async def aclose(self) -> None:
        await self._inner.aclose()


class MeteredSpeech(tts.ChunkedStream):
    """One text becoming sound. LiveKit runs `_run` for each attempt, which is one request.

    Its error may be `Refused`.
    """

    # The inner stream's spans are those of the request; this one only stands around them.
    _tts_request_span_name: ClassVar[str] = "tts_metered"
    _tts_attempt_span_name: ClassVar[str | None] = None

    def __init__(
        self,
        owner: MeteredTTS,
        inner: tts.TTS[str],
        purse: Purse,
        text: str,
        conn_options: APIConnectOptions,
    ) -> None:
        super().__init__(tts=owner, input_text=text, conn_options=conn_options)
        self._inner = inner
        self._purse = purse

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        model = ModelUsed("tts", self._inner.provider, self._inner.model)
        text = self.input_text
        at_most = Usage(characters=len(text), audio_seconds=spoken_seconds(text))
        held = await reserve(self._purse, model, at_most)
        meter = Meter(Usage())
        with settling(self._purse, held, meter):
            speech = self._inner.synthesize(
                text, conn_options=replace(self._conn_options, max_retry=0)
            )
            meter.estimate = at_most
            async with speech:
                seconds = await self._pass_on(speech, meter, output_emitter)
            told = speech._input_tokens, speech._output_tokens  # noqa: SLF001 (told nowhere else)
            read, written = map(count_of, told)
            self._set_token_usage(input_tokens=read, output_tokens=written)
            meter.counted = Usage(
                input_tokens=read,
                output_tokens=written,
                characters=len(text),
                audio_seconds=seconds,
            )

    async def _pass_on(
        self, speech: tts.ChunkedStream, meter: Meter, output_emitter: tts.AudioEmitter
    ) -> float:
        """Seconds of sound."""
        seconds = 0.0
        async for sound in speech:
            if not meter.has_answer:
                self._begin(output_emitter, sound.request_id)
                meter.has_answer = True
            # LiveKit ends the text by itself; a flush would add 10 ms of silence to it.
            output_emitter.push_frame(sound.frame)
            seconds += sound.frame.duration
            if seconds > meter.estimate.audio_seconds:
                meter.estimate = replace(meter.estimate, audio_seconds=seconds)
        if not meter.has_answer:  # there was nothing to say
            self._begin(output_emitter, utils.shortuuid())
        return seconds

    def _begin(self, output_emitter: tts.AudioEmitter, request_id: str) -> None:
        output_emitter.initialize(
            request_id=request_id,
            sample_rate=self._inner.sample_rate,
            num_channels=self._inner.num_channels,
            mime_type="audio/pcm",
        )


def spoken_seconds(text: str) -> float:
    """How long it takes to say it, at most; an estimate."""
    size_bytes = len(text.encode("utf-8", errors="surrogatepass"))
    digits = sum(map(str.isdigit, text))
    return size_bytes / BYTES_PER_SECOND + digits * DIGIT_SECONDS + PAUSE_SECONDS

"""Piper as LiveKit's TTS."""

from livekit.agents import APIConnectionError, APIConnectOptions, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

from agent.models.local.engine import Speech


class LocalTTS(tts.TTS[str]):
    """June's local voice. Lives as long as one call; LiveKit hands it one sentence at a time."""

    MODEL = "piper-en-us-joe"

    def __init__(self, speech: Speech) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False),
            sample_rate=speech.speaking_rate,
            num_channels=1,
        )
        self._speech = speech

    @property
    def model(self) -> str:
        return self.MODEL

    @property
    def provider(self) -> str:
        return "local"

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> "LocalSentence":
        return LocalSentence(self, self._speech, text, conn_options)


class LocalSentence(tts.ChunkedStream):
    """One sentence becoming sound."""

    def __init__(
        self, owner: LocalTTS, speech: Speech, text: str, conn_options: APIConnectOptions
    ) -> None:
        super().__init__(tts=owner, input_text=text, conn_options=conn_options)
        self._speech = speech

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=utils.shortuuid(),
            sample_rate=self._speech.speaking_rate,
            num_channels=1,
            mime_type="audio/pcm",
        )
        try:
            async for sound in self._speech.speak(self.input_text):
                output_emitter.push(sound)
        except Exception as error:
            raise APIConnectionError("the local voice did not answer") from error
        output_emitter.flush()

"""A clone as LiveKit's TTS."""

from livekit.agents import APIConnectionError, APIConnectOptions, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

from agent.voices.cloner import CloneFailed, Cloner


class ClonedTTS(tts.TTS[str]):
    """Lives as long as it is worn. The cloner stays its owner's to close."""

    def __init__(self, cloner: Cloner, clone: str) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False),
            sample_rate=cloner.sample_rate,
            num_channels=1,
        )
        self._cloner = cloner
        self._clone = clone

    @property
    def model(self) -> str:
        return self._cloner.model

    @property
    def provider(self) -> str:
        return self._cloner.provider

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> "ClonedSentence":
        return ClonedSentence(self, self._cloner, self._clone, text, conn_options)


class ClonedSentence(tts.ChunkedStream):
    """One sentence becoming sound."""

    def __init__(
        self,
        owner: ClonedTTS,
        cloner: Cloner,
        clone: str,
        text: str,
        conn_options: APIConnectOptions,
    ) -> None:
        super().__init__(tts=owner, input_text=text, conn_options=conn_options)
        self._cloner = cloner
        self._clone = clone

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=utils.shortuuid(),
            sample_rate=self._cloner.sample_rate,
            num_channels=1,
            mime_type="audio/pcm",
        )
        try:
            async for piece in self._cloner.speak(self._clone, self.input_text):
                output_emitter.push(piece)
        except CloneFailed as error:
            raise APIConnectionError(str(error)) from None
        output_emitter.flush()

"""From `[models]` in agent.toml to the three models of one call."""

from dataclasses import dataclass
from pathlib import Path

from livekit.agents import llm, stt, tts, vad

from agent.models.local.engine import LocalSpeech, Speech
from agent.models.local.remote import RemoteSpeech
from agent.models.local.stt import LocalSTT
from agent.models.local.tts import LocalTTS
from agent.models.offline import OfflineLLM


@dataclass(frozen=True)
class Models:
    """Lives as long as one call; `aclose` gives back what it holds."""

    stt: stt.STT[str]
    llm: llm.LLM[str]
    tts: tts.TTS[str]
    speech: Speech

    @property
    def voice(self) -> str:
        """Names June's voice, for the cache of spoken lines."""
        return voice_name(self.tts)

    async def aclose(self) -> None:
        await self.speech.aclose()


def build_models(speech: Speech, detector: vad.VAD) -> Models:
    return Models(
        stt=LocalSTT(speech, detector), llm=OfflineLLM(), tts=LocalTTS(speech), speech=speech
    )


def local_speech(socket: Path | None) -> Speech:
    """The worker's model process, or, where nobody started one, the models in this process."""
    return LocalSpeech() if socket is None else RemoteSpeech(socket)


def voice_name(voice: tts.TTS[str]) -> str:
    return f"{voice.provider}/{voice.model}"

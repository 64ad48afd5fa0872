"""From the configuration to the models of one call."""

from dataclasses import dataclass
from pathlib import Path

from livekit.agents import llm, stt, tts, vad

from agent.config import Config
from agent.models.local.engine import LocalSpeech, Speech
from agent.models.local.remote import RemoteSpeech
from agent.models.local.stt import LocalSTT
from agent.models.local.tts import LocalTTS
from agent.models.metered_llm import MeteredLLM
from agent.models.metered_stt import MeteredSTT
from agent.models.metered_tts import MeteredTTS
from agent.models.offline import OfflineLLM
from agent.models.openai import openai_llm, openai_stt, openai_tts
from session.purse import CallPurse


@dataclass(frozen=True)
class Models:
    """Lives as long as one call. `stt` and `tts` are None in a call that is only typed."""

    stt: stt.STT[str] | None
    note_taker: llm.LLM[str]
    """The same mind, beside the conversation: where its money is refused the call goes on."""
    llm: llm.LLM[str]
    tts: tts.TTS[str] | None
    voice: str
    """Names June's voice, for the cache of spoken lines."""
    purse: CallPurse
    """What they pay with; it is opened once the session is known."""

    async def aclose(self) -> None:
        for model in (self.stt, self.llm, self.tts):
            if model is not None:
                await model.aclose()


def build_models(
    config: Config,
    *,
    language: str,
    speech: Speech | None,
    detector: vad.VAD,
    typed_only: bool = False,
) -> Models:
    """`speech` is needed only where a stage is local, and stays its owner's to close."""
    purse = CallPurse(config.session.money)
    longest = config.llm.max_output_tokens
    mind = build_llm(config)
    return Models(
        stt=None
        if typed_only
        else MeteredSTT(build_stt(config, language, speech, detector), purse),
        llm=MeteredLLM(mind, purse, max_output_tokens=longest),
        note_taker=MeteredLLM(mind, purse.aside(), max_output_tokens=longest),
        tts=None if typed_only else MeteredTTS(build_tts(config, speech), purse),
        voice=voice_name(config),
        purse=purse,
    )


def build_stt(
    config: Config, language: str, speech: Speech | None, detector: vad.VAD
) -> stt.STT[str]:
    if config.provider_of("stt") == "local":
        return LocalSTT(_needed(speech), detector)
    return openai_stt(config.stt, config.key_of("stt"), language, detector)


def build_llm(config: Config) -> llm.LLM[str]:
    """The offline brain where the stage is local."""
    if config.provider_of("llm") == "local":
        return OfflineLLM()
    return openai_llm(config.llm, config.key_of("llm"))


def build_tts(config: Config, speech: Speech | None) -> tts.TTS[str]:
    if config.provider_of("tts") == "local":
        return LocalTTS(_needed(speech))
    return openai_tts(config.tts, config.key_of("tts"))


def voice_name(config: Config) -> str:
    """Says server, model and voice: lines that one of them spoke are not another's."""
    if config.provider_of("tts") == "local":
        return f"local/{LocalTTS.MODEL}"
    return f"{config.tts.base_url or 'openai'}/{config.tts.model}/{config.tts.voice}"


def local_speech(socket: Path | None) -> Speech:
    """The worker's model process, or, where nobody started one, the models in this process."""
    return LocalSpeech() if socket is None else RemoteSpeech(socket)


def _needed(speech: Speech | None) -> Speech:
    if speech is None:
        raise ValueError("a local stage needs local speech")
    return speech

"""From the configuration to the models of one call."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from livekit.agents import llm, stt, tts, vad

from agent.choice import Choice
from agent.config import Config
from agent.lines import primary
from agent.models.busy import BusyNote, note_of
from agent.models.guard import Guard, Provider
from agent.models.guarded_llm import ASIDE_SECONDS, GuardedLLM
from agent.models.guarded_stt import GuardedSTT
from agent.models.guarded_tts import GuardedTTS
from agent.models.local.engine import LocalSpeech, Speech
from agent.models.local.remote import RemoteSpeech
from agent.models.local.stt import LocalSTT
from agent.models.local.tts import LocalTTS
from agent.models.metered_llm import MeteredLLM
from agent.models.metered_stt import MeteredSTT
from agent.models.metered_tts import MeteredTTS
from agent.models.offline import OfflineLLM
from agent.models.openai import openai_llm, openai_stt, openai_tts
from agent.models.turn_clock import TurnClock
from agent.settings import LlmSettings, SttSettings, TtsSettings
from session.purse import CallPurse
from session.usage import Purse


@dataclass(frozen=True)
class Models:
    """Lives as long as one call. `stt` and `tts` are None in a call that is only typed."""

    stt: GuardedSTT | None
    note_taker: llm.LLM[str]
    """The same minds, beside the conversation: where their money is refused the call goes on."""
    llm: llm.LLM[str]
    tts: tts.TTS[str] | None
    voice: str
    """Names June's voice, for the cache of spoken lines."""
    purse: CallPurse
    """What they pay with; it is opened once the session is known."""
    guard: Guard
    """Who of them may be asked; it is opened then too."""
    clock: TurnClock

    async def aclose(self) -> None:
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.guard.aclose)
            for model in (self.tts, self.llm, self.stt):
                if model is not None:
                    closing.push_async_callback(model.aclose)


def build_models(
    config: Config,
    *,
    language: str,
    speech: Speech | None,
    detector: vad.VAD,
    typed_only: bool = False,
) -> Models:
    """`speech` is needed only where a stage is local, and stays its owner's to close."""
    purse, guard, clock = CallPurse(config.session.money), Guard(), TurnClock()
    minds = [
        (choice, mind, _busy(choice, mind))
        for choice in config.providers_of("llm")
        for mind in [build_llm(choice)]
    ]

    def longest(choice: Choice) -> int:
        assert isinstance(choice.settings, LlmSettings)
        return choice.settings.max_output_tokens

    def thinking(paying: Purse) -> list[Provider[llm.LLM[str]]]:
        return [
            Provider(
                MeteredLLM(mind, paying, max_output_tokens=longest(choice)),
                choice.circuit("llm"),
                busy,
            )
            for choice, mind, busy in minds
        ]

    def ears() -> GuardedSTT:
        hearing = [
            Provider(MeteredSTT(ears, purse), choice.circuit("stt"), _busy(choice, ears))
            for choice in _usable(config.providers_of("stt"), language, speech)
            for ears in [build_stt(choice, language, speech, detector)]
        ]
        return GuardedSTT(hearing, guard, detector)

    def voice() -> GuardedTTS:
        speaking = [
            Provider(MeteredTTS(voice, purse), choice.circuit("tts"), _busy(choice, voice))
            for choice in _usable(config.providers_of("tts"), language, speech)
            for voice in [build_tts(choice, speech)]
        ]
        return GuardedTTS(speaking, guard, clock)

    return Models(
        stt=None if typed_only else ears(),
        llm=GuardedLLM(thinking(purse), guard, clock),
        note_taker=GuardedLLM(
            thinking(purse.aside()), guard, TurnClock(), first_token_seconds=ASIDE_SECONDS
        ),
        tts=None if typed_only else voice(),
        voice=voice_name(config),
        purse=purse,
        guard=guard,
        clock=clock,
    )


def build_stt(
    choice: Choice, language: str, speech: Speech | None, detector: vad.VAD
) -> stt.STT[str]:
    if choice.is_local:
        return LocalSTT(_needed(speech), detector)
    assert isinstance(choice.settings, SttSettings)
    return openai_stt(choice.settings, choice.key, language, detector)


def build_llm(choice: Choice) -> llm.LLM[str]:
    """The offline brain where it is local."""
    if choice.is_local:
        return OfflineLLM()
    assert isinstance(choice.settings, LlmSettings)
    return openai_llm(choice.settings, choice.key)


def build_tts(choice: Choice, speech: Speech | None) -> tts.TTS[str]:
    if choice.is_local:
        return LocalTTS(_needed(speech))
    assert isinstance(choice.settings, TtsSettings)
    return openai_tts(choice.settings, choice.key)


def _busy(choice: Choice, model: object) -> BusyNote:
    return BusyNote() if choice.is_local else note_of(model)


def _usable(choices: Sequence[Choice], language: str, speech: Speech | None) -> Sequence[Choice]:
    """Ears and voice of this machine are English: in other languages they stand in for nobody."""
    first, *others = choices
    can_be_local = speech is not None and primary(language) == "en"
    return [first, *(one for one in others if can_be_local or not one.is_local)]


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

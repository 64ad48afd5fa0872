"""What the provider will do: one take per request, or a function that chooses one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from bench.provider.faults import AnswerFault, HearingFault, KeepingFault, SpeakingFault
from bench.provider.requests import (
    ChatRequest,
    HearingRequest,
    SpeakingRequest,
    VoicesRequest,
)

MODELS = ("gpt-4.1-mini", "gpt-4o-mini-transcribe", "gpt-4o-mini-tts")


@dataclass(frozen=True)
class ToolUse:
    """The model wants to use a tool. Text is sent as it is, so that it may be broken JSON."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)


@dataclass(frozen=True)
class Usage:
    """What an answer says that it cost."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True)
class Answer:
    """One answer of the LLM."""

    text: str | None = None
    """Without it, nothing beside a tool, and otherwise a short sentence."""
    tools: Sequence[ToolUse] = ()
    first_token_seconds: float = 0.05
    """From the request to the first token, at the least."""
    tokens_per_second: float = 100.0
    usage: Usage | None = None
    """Without it, an estimate from the words."""
    fault: AnswerFault | None = None

    @property
    def words(self) -> str:
        return self.text if self.text is not None else "" if self.tools else "I hear you."


@dataclass(frozen=True)
class Hearing:
    """How one recording, or everything on one realtime connection, is heard."""

    text: str | None = None
    """Heard in each utterance, whatever was said. Without it, what Moonshine hears."""
    delay_seconds: float = 0.0
    """From the end of the sound to its final words, on top of what hearing takes."""
    interims: bool = True
    """Whether words come while somebody speaks. OpenAI's `gpt-4o-…transcribe` models send theirs
    after the end of speech only; `gpt-realtime-whisper` sends them during it."""
    fault: HearingFault | None = None


@dataclass(frozen=True)
class Speaking:
    """How one text is spoken."""

    first_audio_seconds: float = 0.0
    """From the request to the first sound, at the least."""
    times_realtime: float | None = None
    """How much faster than it plays the sound is sent: 2.0 sends a second of it in half a second.
    Without it, as fast as it is made."""
    fault: SpeakingFault | None = None


@dataclass(frozen=True)
class Keeping:
    """How one request about custom voices is answered."""

    fault: KeepingFault | None = None
    delay_seconds: float = 0.0
    """Before the answer, when what was asked for is done."""
    is_done_first: bool = False
    """What was asked for is done, and then the answer to it breaks."""


@dataclass
class Script:
    """What comes next in each stage; may be changed while the provider runs.

    Of a sequence each request takes the first, so that what is left is what is still to come. When
    nothing is left, each answer is the stage's default.
    """

    llm: Sequence[Answer] | Callable[[ChatRequest], Answer] = ()
    stt: Sequence[Hearing] | Callable[[HearingRequest], Hearing] = ()
    tts: Sequence[Speaking] | Callable[[SpeakingRequest], Speaking] = ()
    voices: Sequence[Keeping] | Callable[[VoicesRequest], Keeping] = ()
    lists_voices: bool = False
    """OpenAI lists consents, and no voices; a server that speaks its protocol may."""
    models: Sequence[str] = MODELS

    def answer(self, request: ChatRequest) -> Answer:
        if callable(self.llm):
            return self.llm(request)
        take, self.llm = first(self.llm, Answer())
        return take

    def hearing(self, request: HearingRequest) -> Hearing:
        if callable(self.stt):
            return self.stt(request)
        take, self.stt = first(self.stt, Hearing())
        return take

    def speaking(self, request: SpeakingRequest) -> Speaking:
        if callable(self.tts):
            return self.tts(request)
        take, self.tts = first(self.tts, Speaking())
        return take

    def keeping(self, request: VoicesRequest) -> Keeping:
        if callable(self.voices):
            return self.voices(request)
        take, self.voices = first(self.voices, Keeping())
        return take


class Scripted(Protocol):
    """Has a script, which may be another one at the next request."""

    @property
    def script(self) -> Script: ...


Take = TypeVar("Take")


def first(takes: Sequence[Take], default: Take) -> tuple[Take, Sequence[Take]]:
    """The next take, and what is left; the sequence that was given stays as it is."""
    return (takes[0], takes[1:]) if takes else (default, takes)

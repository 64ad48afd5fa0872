"""What one model request used, and the door through which it pays."""

from dataclasses import dataclass
from typing import Literal, Protocol

from session.limits import Decision

Stage = Literal["stt", "llm", "tts"]


@dataclass(frozen=True)
class ModelUsed:
    """Who did the work."""

    stage: Stage
    provider: str
    """The host that was asked, such as `api.openai.com`, or `local`."""
    model: str


@dataclass(frozen=True)
class Usage:
    """Of one model request; what a provider does not count stays 0."""

    input_tokens: int = 0
    """With the cached ones, and of audio as well."""
    cached_input_tokens: int = 0
    output_tokens: int = 0
    audio_seconds: float = 0.0
    """Heard or spoken."""
    characters: int = 0
    """Spoken."""

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True)
class Held:
    """The answer to a reservation. Only an allowed one is settled."""

    decision: Decision
    id: str
    model: ModelUsed


class Purse(Protocol):
    """What a model's wrapper pays with."""

    async def reserve(self, model: ModelUsed, at_most: Usage) -> Held:
        """Before a request. Whoever is cancelled while waiting has reserved nothing."""
        ...

    def settle(self, held: Held, used: Usage, *, is_estimate: bool) -> None:
        """After it, once, however it ended. Never waits: a barge-in may be the reason."""
        ...

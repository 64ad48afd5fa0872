"""What was asked, as a script that answers by request sees it."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class ChatRequest:
    """One request to the LLM."""

    model: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    body: dict[str, Any]

    @property
    def last_user_text(self) -> str:
        """What the caller said last; empty if they have said nothing."""
        return next((t for role, t in reversed(self._said()) if role == "user"), "")

    @property
    def tool_output(self) -> str | None:
        """What the tool answered, if this request brings the model its output."""
        role, text = self._said()[-1] if self.messages else ("", "")
        return text if role == "tool" else None

    @property
    def tool_names(self) -> list[str]:
        return [tool["function"]["name"] for tool in self.tools if "function" in tool]

    def _said(self) -> list[tuple[str, str]]:
        return [(m.get("role", ""), text_of(m.get("content"))) for m in self.messages]


@dataclass(frozen=True)
class HearingRequest:
    """One recording, or one realtime connection with whatever is said on it."""

    model: str
    realtime: bool
    fields: dict[str, Any]
    """The form's fields; of a realtime connection, the query of its address."""


@dataclass(frozen=True)
class SpeakingRequest:
    """One text to speak."""

    model: str
    text: str
    voice: str
    """Its name, or the id of a custom one."""
    body: dict[str, Any]


@dataclass(frozen=True)
class VoicesRequest:
    """One request about custom voices or the consents to them."""

    method: str
    kind: Literal["consent", "voice"]
    fields: dict[str, Any]
    """The form's fields, or the JSON's."""


def text_of(content: object) -> str:
    """The text of a message, whose content may come in parts."""
    match content:
        case str():
            return content
        case list():
            return "".join(p.get("text", "") for p in content if isinstance(p, dict))
        case _:
            return ""

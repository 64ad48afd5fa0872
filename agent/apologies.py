"""Tells the caller's page that June has apologised, and for which stage: no words, only which."""

from livekit.agents import ConversationItemAddedEvent, llm

from agent.events import Event, EventType, Tell
from agent.lines import Lines


class Apologies:
    """Lives as long as one call.

    By what was really said: of an attempt that nobody heard nothing is told.
    """

    def __init__(self, lines: Lines, tell: Tell) -> None:
        self._tell = tell
        self._stages = {
            lines.trouble: "llm",
            lines.lost_words: "llm",
            lines.not_understood: "llm",
            lines.cannot_hear: "stt",
            lines.not_caught: "stt",
        }

    def commit(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if not isinstance(item, llm.ChatMessage) or item.role != "assistant":
            return
        said = (item.text_content or "").strip()
        # One that broke off is apologised for at its end.
        stage = next((stage for line, stage in self._stages.items() if said.endswith(line)), None)
        if stage is not None:
            self._tell(Event(EventType.TROUBLE, stage=stage))

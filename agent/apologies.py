"""Tells the caller's page that June has apologised, and for which stage: no words, only which."""

from typing import Literal

from livekit.agents import ConversationItemAddedEvent, llm

from agent.events import Event, EventType, Tell
from agent.lines import Lines

Stage = Literal["stt", "llm", "tts", "vad"]


class Apologies:
    """Lives as long as one call.

    By what was really said: of an attempt that nobody heard nothing is told. A line alone does not
    tell: that June has no answer is said for her model, and for her voice.
    """

    def __init__(self, lines: Lines, tell: Tell) -> None:
        self._tell = tell
        self._by_mind = (lines.trouble, lines.lost_words, lines.not_understood)
        self._begun: tuple[str, Stage] | None = None

    def begun(self, line: str, stage: Stage) -> None:
        """It is about to be said, for a stage that is not the mind."""
        self._begun = (line, stage)

    def apologised(self, stage: Stage) -> None:
        """The caller hears it now, as sound without words."""
        self._tell(Event(EventType.TROUBLE, stage=stage))

    def commit(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if not isinstance(item, llm.ChatMessage) or item.role not in ("user", "assistant"):
            return
        if item.role == "user":
            self._begun = None  # who speaks again did not let June say it
            return
        said = (item.text_content or "").strip()
        if self._begun is not None and said == self._begun[0]:
            stage = self._begun[1]
            self._begun = None
            self.apologised(stage)
        elif said.endswith(self._by_mind):  # one that broke off is apologised for at its end
            self.apologised("llm")

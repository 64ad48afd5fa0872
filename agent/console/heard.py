"""What June heard a caller say, as lines."""

from livekit.agents import UserInputTranscribedEvent, UserStateChangedEvent

from agent.call import Call
from agent.console.printed import Printed


class Heard:
    """Prints each final transcript of a call, at the time when the caller began to say it."""

    def __init__(self, call: Call, printed: Printed) -> None:
        self._printed = printed
        self._began: float | None = None
        self.lines = 0
        call.voice.on("user_state_changed", self._on_state)
        call.voice.on("user_input_transcribed", self._on_words)

    def _on_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking" and self._began is None:
            self._began = self._printed.now()

    def _on_words(self, event: UserInputTranscribedEvent) -> None:
        if event.is_final:
            self._printed.line("you", event.transcript, at=self._began)
            self._began = None
            self.lines += 1

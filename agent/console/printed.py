"""What is said, as lines on a terminal: who said it, and with a clock also when."""

from collections.abc import Callable
from typing import TextIO

from livekit.agents.voice.io import TextOutput

from agent.redact import printable

Clock = Callable[[], float]
"""Seconds since the call began."""

SPEAKER_WIDTH = 6
TIME_WIDTH = 9


class Printed(TextOutput):
    """Lives as long as one call. June's words appear as she says them."""

    def __init__(self, out: TextIO, clock: Clock | None = None) -> None:
        super().__init__(label="terminal", next_in_chain=None)
        self._out = out
        self._clock = clock
        self._is_in_line = False

    async def capture_text(self, text: str) -> None:
        if not self._is_in_line:
            self._begin_line("june")
            text = text.lstrip()
        self._out.write(one_line(text))
        self._out.flush()

    def flush(self) -> None:
        """June has said what she had to say."""
        if self._is_in_line:
            self._out.write("\n")
            self._out.flush()
        self._is_in_line = False

    def line(self, who: str, text: str) -> None:
        """A line of somebody else's, whole."""
        self.flush()
        self._begin_line(who)
        self._out.write(one_line(text))
        self.flush()

    def note(self, text: str) -> None:
        """What nobody said: indented, below what it is about."""
        self.flush()
        self._out.write(
            f"{' ' * (SPEAKER_WIDTH + TIME_WIDTH * bool(self._clock))}{one_line(text)}\n"
        )
        self._out.flush()

    def _begin_line(self, who: str) -> None:
        time = f"{self._clock():{TIME_WIDTH - 2}.2f}  " if self._clock else ""
        self._out.write(f"{time}{f'{who}:':{SPEAKER_WIDTH}}")
        self._is_in_line = True


def one_line(text: str) -> str:
    return printable(text).replace("\n", " ")

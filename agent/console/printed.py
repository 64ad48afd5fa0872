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
    """Lives as long as one call. June's words appear as she says them.

    `make_way` is called before a line begins, for whatever else stands on the terminal.
    """

    def __init__(
        self,
        out: TextIO,
        clock: Clock | None = None,
        make_way: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(label="terminal", next_in_chain=None)
        self._out = out
        self._clock = clock
        self._make_way = make_way
        self._is_in_line = False
        self._broken: BrokenPipeError | None = None

    @property
    def is_in_line(self) -> bool:
        """Whether June is in the middle of saying something."""
        return self._is_in_line

    def now(self) -> float:
        """Seconds since the call began; 0 without a clock."""
        return self._clock() if self._clock else 0.0

    async def capture_text(self, text: str) -> None:
        if not self._is_in_line:
            self._begin_line("june")
            text = text.lstrip()
        self._write(one_line(text))

    def flush(self) -> None:
        """June has said what she had to say."""
        if self._is_in_line:
            self._write("\n")
        self._is_in_line = False

    def line(self, who: str, text: str, *, at: float | None = None) -> None:
        """A line of somebody else's, whole; `at` is when it was begun to be said, if not now."""
        self.flush()
        self._begin_line(who, at)
        self._write(one_line(text))
        self.flush()

    def note(self, text: str) -> None:
        """What nobody said: indented, below what it is about."""
        self.flush()
        self._make_way()
        indent = " " * (SPEAKER_WIDTH + TIME_WIDTH * bool(self._clock))
        self._write(f"{indent}{one_line(text)}\n")

    def check(self) -> None:
        """Raise `BrokenPipeError` if whoever read along has stopped to: `| head` does."""
        if self._broken is not None:
            raise self._broken

    def _begin_line(self, who: str, at: float | None = None) -> None:
        self._make_way()
        seconds = self.now() if at is None else at
        time = f"{seconds:{TIME_WIDTH - 2}.2f}  " if self._clock else ""
        self._write(f"{time}{f'{who}:':{SPEAKER_WIDTH}}")
        self._is_in_line = True

    def _write(self, text: str) -> None:
        if self._broken is not None:
            return
        try:
            self._out.write(text)
            self._out.flush()
        except BrokenPipeError as error:
            # Most of what is written is written in callbacks of LiveKit's: it would be a fault.
            self._broken = error


def one_line(text: str) -> str:
    return printable(text).replace("\n", " ")

"""How loud it is at the microphone: a line on the terminal that shows June is being spoken to."""

import math
from typing import TextIO

from agent.console.pcm import RATE, SAMPLE_BYTES

EVERY_SAMPLES = RATE // 10

WIDTH = 30

QUIETEST_DB = -60.0
"""Decibels below full scale at which the line is empty; a quiet room is about there."""

DEAF_SECONDS = 5.0


def level_db(pcm: bytes) -> float:
    """Root mean square, in decibels of full scale; minus infinity for digital silence."""
    samples = memoryview(pcm).cast("h")
    power = sum(sample * sample for sample in samples) / max(1, len(samples))
    return 10 * math.log10(power / 32768**2) if power else -math.inf


class Meter:
    """Lives as long as one call. Draws only on a terminal, and only on a line of its own."""

    def __init__(self, out: TextIO) -> None:
        self._out = out if out.isatty() else None
        self._loudest = -math.inf
        self._samples = 0
        self._is_drawn = False

    def show(self, pcm: bytes) -> None:
        if self._out is None:
            return
        self._loudest = max(self._loudest, level_db(pcm))
        self._samples += len(pcm) // SAMPLE_BYTES
        if self._samples < EVERY_SAMPLES:
            return
        share = 1 - max(QUIETEST_DB, self._loudest) / QUIETEST_DB
        self._draw("mic:  " + "#" * round(share * WIDTH))
        self._is_drawn = True
        self._loudest, self._samples = -math.inf, 0

    def clear(self) -> None:
        """Give the line to somebody else."""
        if self._is_drawn:
            self._draw("")
        self._is_drawn = False

    def _draw(self, text: str) -> None:
        assert self._out is not None
        # The cursor goes back to where the line began: what is written next stands in its place.
        self._out.write(f"\r{text:{WIDTH + 6}}\r")
        self._out.flush()


class Deafness:
    """Whether a microphone has given nothing but zeros: it is muted, or the system forbids it."""

    def __init__(self) -> None:
        self._zeros: int | None = 0

    def is_found_in(self, pcm: bytes) -> bool:
        """True once, after a few seconds without a single sound from the beginning."""
        if self._zeros is None:
            return False
        self._zeros = None if any(pcm) else self._zeros + len(pcm) // SAMPLE_BYTES
        if self._zeros is None or self._zeros < DEAF_SECONDS * RATE:
            return False
        self._zeros = None
        return True

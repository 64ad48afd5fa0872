"""A sentence, cut where it pauses, so that its beginning is heard before its end is ready."""

import numpy as np

from agent.voices.mimic.pitch import Floats
from skills.sound import BYTES_A_SAMPLE, Sound

LEAST_SECONDS = 1.2
"""Of a piece: in less, the pitch is measured worse."""

MOST_SECONDS = 6.0
"""Who speaks for so long without a pause is cut in the quietest place."""

WINDOW_SECONDS = 0.02

PAUSE_WINDOWS = 3

QUIET = 0.02
"""Of the loudest window's amplitude."""


class Pieces:
    """Lives as long as one sentence."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._window = round(WINDOW_SECONDS * sample_rate)
        self._waiting = bytearray()

    def add(self, pcm: bytes) -> list[Sound]:
        """The pieces that are whole now."""
        self._waiting += pcm
        whole = []
        while (window := self._cut_at()) is not None:
            end = window * self._window * BYTES_A_SAMPLE
            whole.append(Sound(bytes(self._waiting[:end]), self._sample_rate))
            del self._waiting[:end]
        return whole

    def rest(self) -> list[Sound]:
        """The last piece, if anything is left."""
        end = len(self._waiting) // BYTES_A_SAMPLE * BYTES_A_SAMPLE
        left = bytes(self._waiting[:end])
        self._waiting.clear()
        return [Sound(left, self._sample_rate)] if left else []

    def _cut_at(self) -> int | None:
        """In windows from the start; None while there is no good place."""
        first = round(LEAST_SECONDS / WINDOW_SECONDS)
        loudness = self._loudness()
        if len(loudness) < first + PAUSE_WINDOWS:
            return None
        quiet = loudness[first:] <= QUIET * loudness.max()
        pauses = np.convolve(quiet, np.ones(PAUSE_WINDOWS), "valid") > PAUSE_WINDOWS - 0.5
        if pauses.any():
            return first + int(pauses.argmax()) + PAUSE_WINDOWS // 2
        last = round(MOST_SECONDS / WINDOW_SECONDS)
        if len(loudness) < last:
            return None
        return first + int(loudness[first:last].argmin())

    def _loudness(self) -> Floats:
        """Of each whole window, as a root mean square."""
        count = len(self._waiting) // (self._window * BYTES_A_SAMPLE)
        samples = np.frombuffer(bytes(self._waiting), "<i2", count * self._window)
        windows = samples.reshape(count, self._window).astype(np.float64)
        loudness: Floats = np.sqrt((windows**2).mean(axis=1))
        return loudness

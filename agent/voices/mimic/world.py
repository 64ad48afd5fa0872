"""WORLD: speech taken apart into pitch, timbre and breath, and put together again.

M. Morise, F. Yokomori, K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system for
real-time applications", 2016. `pyworld` lets other threads run while it computes.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyworld

from agent.voices.mimic.pitch import LOWEST_HZ, STEP_SECONDS, Floats, pitch_of


@dataclass(frozen=True)
class Frames:
    """What was said, every `STEP_SECONDS`. Taking apart and together block."""

    pitch: Floats
    """(frames,), in Hz; 0 where unvoiced."""
    power: Floats
    """(frames, bins) from 0 Hz to half the sample rate: the envelope, whatever the pitch."""
    breath: Floats
    """(frames, bins): how much of it is noise, from 0 to 1."""

    @classmethod
    def of(cls, samples: Floats, sample_rate: int) -> Self:
        """`samples` are between -1 and 1, at least one."""
        pitch = pitch_of(samples, sample_rate)
        times = np.arange(len(pitch)) * STEP_SECONDS
        size = pyworld.get_cheaptrick_fft_size(sample_rate, LOWEST_HZ)
        power = pyworld.cheaptrick(samples, pitch, times, sample_rate, fft_size=size)
        breath = pyworld.d4c(samples, pitch, times, sample_rate, fft_size=size)
        return cls(pitch, _with_fundamental(power, pitch, sample_rate), breath)

    def samples(self, sample_rate: int) -> Floats:
        """A frame more than there were, about."""
        spoken: Floats = pyworld.synthesize(
            self.pitch,
            np.ascontiguousarray(self.power),
            np.ascontiguousarray(self.breath),
            sample_rate,
            1000 * STEP_SECONDS,
        )
        return spoken

    def at_pace(self, ratio: float) -> "Frames":
        """Said in 1 / `ratio` of the time."""
        count = max(2, round(len(self.pitch) / ratio))
        at = np.minimum((np.arange(count) * ratio).round().astype(int), len(self.pitch) - 1)
        return Frames(self.pitch[at], self.power[at], self.breath[at])


def _with_fundamental(power: Floats, pitch: Floats, sample_rate: int) -> Floats:
    """As strong as the second harmonic, at least: what the microphone or a telephone cut off.

    The ear does not miss it; a voice that is moved without it has a hole where none belongs.
    """
    hertz = np.linspace(0, sample_rate / 2, power.shape[1])
    second = np.minimum(np.searchsorted(hertz, 2 * pitch), len(hertz) - 1)
    least = power[np.arange(len(power)), second][:, None]
    below = (hertz < 2 * pitch[:, None]) & (pitch > 0)[:, None]
    return np.where(below, np.maximum(power, least), power)

"""A voice made of harmonics: its pitch and its resonances are known."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from skills.sound import Sound

RESONANCES_HZ = (550.0, 1_500.0, 2_500.0, 3_500.0)


@cache
def voice(
    pitch_hz: float,
    seconds: float,
    *,
    sample_rate: int = 16_000,
    range_semitones: float = 1.5,
    syllables: float = 4.0,
    tract: float = 1.0,
    lowest_harmonic: int = 1,
    level: float = 0.1,
) -> Sound:
    """Syllables of one vowel, in a melody around the pitch; as loud as speech at level 0.1."""
    times = np.arange(round(seconds * sample_rate)) / sample_rate
    melody = pitch_hz * 2 ** (range_semitones * np.sin(2 * np.pi * 0.7 * times) / 12)
    phase = 2 * np.pi * np.cumsum(melody) / sample_rate
    samples = np.zeros_like(times)
    for number in range(lowest_harmonic, int(0.9 * sample_rate / 2 / pitch_hz / 1.2)):
        samples += _resonance(number * melody, tract) * np.cos(number * phase) / number
    samples *= 0.08 + np.sin(np.pi * syllables * times) ** 2
    samples += np.random.default_rng(7).normal(0, 1e-3 * samples.std(), len(samples))
    return sound(samples * level / samples.std(), sample_rate)


def whisper(seconds: float, *, sample_rate: int = 16_000) -> Sound:
    """Syllables of noise."""
    times = np.arange(round(seconds * sample_rate)) / sample_rate
    noise = np.random.default_rng(11).normal(0, 0.1, len(times))
    return sound(noise * (0.1 + np.sin(2 * np.pi * 2 * times) ** 2), sample_rate)


def sound(samples: NDArray[np.float64], sample_rate: int) -> Sound:
    return Sound((np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes(), sample_rate)


def _resonance(hertz: NDArray[np.float64], tract: float) -> NDArray[np.float64]:
    total = np.full_like(hertz, 0.02)
    for centre in RESONANCES_HZ:
        total += 1 / (1 + ((hertz - centre * tract) / 90) ** 2)
    return total

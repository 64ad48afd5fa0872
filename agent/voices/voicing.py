"""Where a sound has a pitch, and which: this tells speaking from whispering and from music."""

import numpy as np
from numpy.typing import NDArray

from agent.voices.mel import RATE

HOP = RATE // 100
"""Samples from one frame to the next: 10 ms."""

WINDOW = RATE * 4 // 100
"""Samples of one frame: 40 ms, in which the lowest voice repeats itself three times."""

LOWEST_HZ, HIGHEST_HZ = 75, 400

VOICED = 0.5
"""How far a frame must repeat itself, from 0 to 1, to have a pitch."""

OCTAVE_COST = 0.01
"""What repeats itself after a time does so after twice that too: the shorter is preferred by this
for each octave, as Boersma does."""

LEAST_POWER = 1e-5
"""Sum of a frame's squares under which it is silent."""

GLIDE_OCTAVES, GLIDE_FRAMES = 0.08, 5
"""A voice moves by less than this from frame to frame, for at least so many of them. What looks
like a pitch in noise does not."""

HELD_OCTAVES, HELD_FRAMES = 0.006, 8
"""A note stays this near to itself."""


def frames_of(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """`(n, WINDOW)`, a view; `n` is 0 of a sound shorter than a window."""
    if len(samples) < WINDOW:
        return np.zeros((0, WINDOW), np.float32)
    return np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]


def pitches(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """In Hz by frame, 0 where there is none. `frames` are as `frames_of` has them, at 16 kHz.

    The lag at which the autocorrelation, divided by the window's own, is greatest: Paul Boersma,
    "Accurate short-term analysis of the fundamental frequency" (1993), without its path finding.
    """
    window = np.hanning(WINDOW).astype(np.float32)
    found = _autocorrelation((frames - frames.mean(axis=1, keepdims=True)) * window)
    own = _autocorrelation(window[None])[0]
    lags = slice(RATE // HIGHEST_HZ, RATE // LOWEST_HZ + 1)
    power = np.maximum(found[:, :1], LEAST_POWER)
    alike = found[:, lags] / power * (own[0] / own[lags])
    octaves = np.log2(np.arange(lags.start, lags.stop) / lags.start)
    best = (alike - OCTAVE_COST * octaves).argmax(axis=1)
    return np.where(alike.max(axis=1) > VOICED, RATE / (best + lags.start), 0.0)


def gliding(pitches: NDArray[np.float64]) -> NDArray[np.bool_]:
    """For each step from one frame to the next, whether it belongs to a voice with a pitch."""
    return _in_runs(_steps(pitches) < GLIDE_OCTAVES, GLIDE_FRAMES)


def held(pitches: NDArray[np.float64]) -> NDArray[np.bool_]:
    """For each step from one frame to the next, whether it belongs to a note."""
    return _in_runs(_steps(pitches) < HELD_OCTAVES, HELD_FRAMES)


def _steps(pitches: NDArray[np.float64]) -> NDArray[np.float64]:
    """In octaves; infinite from or to a frame without a pitch."""
    one, next_one = pitches[:-1], pitches[1:]
    steps = np.abs(np.log2(np.maximum(next_one, 1)) - np.log2(np.maximum(one, 1)))
    return np.where((one > 0) & (next_one > 0), steps, np.inf)


def _in_runs(are: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """Those that are true together with at least so many neighbours in a row."""
    if len(are) < least:
        return np.zeros_like(are)
    starts = np.lib.stride_tricks.sliding_window_view(are, least).all(axis=1)
    return np.convolve(starts, np.ones(least, int)) > 0


def _autocorrelation(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """For lags from 0 to `WINDOW`: zeros behind each frame keep its end from meeting its start."""
    spectrum = np.fft.rfft(frames, 2 * WINDOW, axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.fft.irfft(power, axis=1)[:, :WINDOW].astype(np.float32)

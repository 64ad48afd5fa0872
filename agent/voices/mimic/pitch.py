"""The pitch of a voice over time.

Not by WORLD's own `dio` or `harvest`: they look for the fundamental itself, and many voices reach
June without it. A telephone cuts it off, and so did whoever recorded June's local voice, whose
median they put at 173 and 142 Hz instead of 90.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP_SECONDS = 0.005
"""Between two frames, here and wherever WORLD is used."""

LOWEST_HZ, HIGHEST_HZ = 65.0, 500.0

WINDOW_SECONDS = 0.046
"""Three periods of `LOWEST_HZ`."""

ENOUGH_HZ = 8_000
"""Samples per second that are looked at, at least."""

CANDIDATES = 6
"""Peaks of the autocorrelation that are followed, in each frame."""

VOICED = 0.45
"""Height of a peak above which a frame counts as voiced, as in the paper below."""

QUIET = 0.03
"""Of the loudest frame's amplitude: below it nothing counts as voiced."""

OCTAVE_COST = 0.02
"""For each octave below `HIGHEST_HZ`: a period is also there twice."""

JUMP_COST = 0.7
"""For each octave between two frames."""

TURN_COST = 0.28
"""Between voiced and unvoiced."""


def pitch_of(samples: Floats, sample_rate: int) -> Floats:
    """Hz at each `STEP_SECONDS`, the first at 0 s, as many as WORLD counts; 0 where unvoiced.

    Peaks of the autocorrelation, divided by the window's own, and the cheapest way through them:
    P. Boersma, "Accurate short-term analysis of the fundamental frequency and the
    harmonics-to-noise ratio of a sampled sound", 1993. Costs are per frame of 5 ms, for his 10.
    """
    count = frames_in(len(samples), sample_rate)
    thinned, rate = _thinned(samples, sample_rate)
    correlated, loudness = _correlated(thinned, rate, count)
    hertz, heights = _peaks(correlated, rate)
    gain = heights - OCTAVE_COST * np.log2(HIGHEST_HZ / hertz)
    gain[heights <= 0] = -np.inf
    quiet = np.clip(1 - loudness / max(loudness.max(), 1e-9) / QUIET, 0.0, 1.0)
    unvoiced = VOICED + 2.0 * quiet
    return _cheapest(hertz, gain, unvoiced)


def frames_in(samples: int, sample_rate: int) -> int:
    """As WORLD counts them."""
    return int(1000 * samples / sample_rate / (1000 * STEP_SECONDS)) + 1


def _thinned(samples: Floats, sample_rate: int) -> tuple[Floats, float]:
    """Fewer samples, each the mean of some: what that folds down hardly matters for a pitch."""
    step = max(1, sample_rate // ENOUGH_HZ)
    whole = samples[: len(samples) // step * step]
    return whole.reshape(-1, step).mean(axis=1), sample_rate / step


def _correlated(samples: Floats, rate: float, count: int) -> tuple[Floats, Floats]:
    """(frames, lags) between -1 and 1, and the loudness of each frame."""
    size = int(WINDOW_SECONDS * rate)
    lags = int(rate / LOWEST_HZ) + 2
    padded = np.pad(samples, size)
    starts = (np.arange(count) * STEP_SECONDS * rate).astype(int) + size - size // 2
    pieces = padded[np.minimum(starts[:, None] + np.arange(size), len(padded) - 1)]
    pieces = pieces - pieces.mean(axis=1, keepdims=True)
    window = np.hanning(size)
    points = 1 << (size + lags).bit_length()
    own = np.fft.irfft(np.abs(np.fft.rfft(window, points)) ** 2)[:lags]
    power = np.abs(np.fft.rfft(pieces * window, points)) ** 2
    correlation = np.fft.irfft(power)[:, :lags]
    energy = np.maximum(correlation[:, :1], 1e-12)
    loudness: Floats = np.sqrt((pieces**2).mean(axis=1))
    return correlation / energy / (own / own[0]), loudness


def _peaks(correlated: Floats, rate: float) -> tuple[Floats, Floats]:
    """(frames, `CANDIDATES`) each: Hz, and heights; a height of 0 is no peak."""
    first = int(rate / HIGHEST_HZ)
    left, here, right = (
        correlated[:, first - 1 : -2],
        correlated[:, first:-1],
        correlated[:, first + 1 :],
    )
    heights = np.where((here >= left) & (here > right), here, 0.0)
    best = np.argsort(-heights, axis=1)[:, :CANDIDATES]
    row = np.arange(len(best))[:, None]
    before, at, after = left[row, best], here[row, best], right[row, best]
    curve = np.minimum(before - 2 * at + after, -1e-9)
    shift = np.clip(0.5 * (before - after) / curve, -0.5, 0.5)
    tops = np.clip(at - 0.25 * (before - after) * shift, 0.0, 1.0)
    return rate / (first + best + shift), np.where(heights[row, best] > 0, tops, 0.0)


def _cheapest(hertz: Floats, gain: Floats, unvoiced: Floats) -> Floats:
    """The way through the frames that loses least; state 0 is unvoiced."""
    octaves = np.log2(hertz)
    frames, states = len(hertz), hertz.shape[1] + 1
    came_from = np.zeros((frames, states), np.intp)
    score = np.concatenate([unvoiced[:1], gain[0]])
    move = np.full((states, states), TURN_COST)
    move[0, 0] = 0.0
    for i in range(1, frames):
        move[1:, 1:] = JUMP_COST * np.abs(octaves[i - 1][:, None] - octaves[i])
        ways = score[:, None] - move
        came_from[i] = ways.argmax(axis=0)
        score = ways.max(axis=0) + np.concatenate([unvoiced[i : i + 1], gain[i]])
    found = np.zeros(frames)
    state = int(score.argmax())
    for i in range(frames - 1, -1, -1):
        if state:
            found[i] = hertz[i, state - 1]
        state = int(came_from[i, state])
    return found

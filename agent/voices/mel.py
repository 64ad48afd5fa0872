"""How loud a voice is in each of 40 bands of pitch, 100 times a second."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
"""In Hz; what the speaker encoder was trained on."""

BANDS = 40

WINDOW = 400
"""Samples of one frame: 25 ms."""

HOP = 160
"""Samples from one frame to the next: 10 ms."""


def mel_spectrogram(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Power by frame and band, not in decibels: `(1 + n // HOP, BANDS)`.

    `samples` are at `RATE`, from -1 to 1. Frame `t` is centred at sample `t * HOP`; beyond the ends
    is silence. It is `librosa.feature.melspectrogram` with its defaults, as the encoder's training
    used it: a periodic Hann window, and Slaney's triangles.
    """
    padded = np.pad(samples, WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    spectrum = np.fft.rfft(frames * _hann(), axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return power.astype(np.float32) @ _triangles()


@cache
def _hann() -> NDArray[np.float32]:
    phase = 2 * np.pi * np.arange(WINDOW) / WINDOW
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


@cache
def _triangles() -> NDArray[np.float32]:
    """Weights `(WINDOW // 2 + 1, BANDS)`: each band a triangle between its neighbours' peaks, whose
    area over Hz is 1. Malcolm Slaney, Auditory Toolbox (1998).
    """
    edges = _mel_to_hz(np.linspace(0, _hz_to_mel(RATE / 2), BANDS + 2))
    bins = np.linspace(0, RATE / 2, WINDOW // 2 + 1)[:, None]
    low, peak, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins - low) / (peak - low)
    falling = (high - bins) / (high - peak)
    weights = np.maximum(0, np.minimum(rising, falling)) * (2 / (high - low))
    return weights.astype(np.float32)


_KNEE_HZ = 1_000.0
_MELS_BELOW = _KNEE_HZ * 3 / 200
"""Slaney's scale is straight up to 1 kHz, 200/3 Hz a mel, and logarithmic from there."""

_LOG_STEP = np.log(6.4) / 27


def _hz_to_mel(hz: float) -> float:
    """For frequencies above the knee."""
    return float(_MELS_BELOW + np.log(hz / _KNEE_HZ) / _LOG_STEP)


def _mel_to_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    straight = mels * 200 / 3
    curved = _KNEE_HZ * np.exp(_LOG_STEP * (mels - _MELS_BELOW))
    return np.where(mels < _MELS_BELOW, straight, curved)

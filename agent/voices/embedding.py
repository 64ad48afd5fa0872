"""A voice as 256 numbers: the speaker encoder of Resemblyzer 0.1.4, run in numpy.

It is the network of Wan, Wang, Papir and Moreno, "Generalized End-to-End Loss for Speaker
Verification" (2018): 1.6 s of mel spectrogram go through three LSTM layers, and the last one's last
state through a linear layer to a point on the unit sphere, where one voice stays together.

Everything here blocks, about 25 ms for a second of speech: call it by `asyncio.to_thread`. The
weights are read at the first use, once per process, and held (6 MB).
"""

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.voices.mel import HOP, mel_spectrogram
from agent.voices.samples import samples_of
from agent.voices.weights import speaker_encoder
from skills.sound import Sound

SIZE = 256
"""Numbers of an embedding, and of an LSTM layer's state."""

WINDOW_FRAMES = 160

STEP_FRAMES = 77
"""1.3 windows begin in a second, as in Resemblyzer."""

LEAST_COVERED = 0.75
"""A last window with less sound than this is left out, if there is another one."""

LEVEL_DBFS = -30.0
"""To which the mean level is brought. Resemblyzer raises quieter sound to it and leaves louder as
it is; then the same voice, 20 dB quieter, was refused in 11 of 100 cases instead of 1 (n = 123)."""

FLOOR = 0.1
"""Of the frames in which a band is weakest, the strongest gives the power of steady noise, which is
taken from all. With noise on one side, 20 dB below the voice, 8 of 100 were refused instead of 37
(n = 123, threshold 0.80), and without noise nothing changed."""

SLICES = 32
"""Into which each product with a layer's weights is cut. OpenBLAS gives a product of over 2^18
multiplications to several threads, which wait for each other in a loop: on two busy cores that took
ten times as long as one thread. With 32 slices the products of up to 32 windows, 26 s, stay below.
"""

Embedding = NDArray[np.float32]
"""`(SIZE,)`, none negative, of length 1."""


def embed(sound: Sound) -> Embedding:
    """The voice in it; it should be speech all through, since silence counts like speech.

    Raises:
        ValueError: if it has no samples.
        WeightsUnreadable: if the installed `resemblyzer` cannot be used.
    """
    return _unit(windows(sound).mean(axis=0))


def windows(sound: Sound) -> NDArray[np.float32]:
    """The embedding of each 1.6 s, one every 0.77 s: `(n, SIZE)`, n ≥ 1. Raises as `embed`."""
    samples = samples_of(sound)
    if not len(samples):
        raise ValueError("there is no sound to embed")
    starts = _starts(len(samples))
    end = starts[-1] + WINDOW_FRAMES
    mel = _without_noise(mel_spectrogram(_at_level(samples)))
    mel = np.pad(mel, ((0, max(0, end - len(mel))), (0, 0)))
    return _encoded(np.stack([mel[start : start + WINDOW_FRAMES] for start in starts]))


def _starts(samples: int) -> list[int]:
    """The frames at which windows begin, as `compute_partial_slices` of Resemblyzer has them."""
    frames = -(-(samples + 1) // HOP)
    starts = list(range(0, max(1, frames - WINDOW_FRAMES + STEP_FRAMES + 1), STEP_FRAMES))
    covered = (samples - starts[-1] * HOP) / (WINDOW_FRAMES * HOP)
    return starts[:-1] if covered < LEAST_COVERED and len(starts) > 1 else starts


def _at_level(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    level = np.sqrt(np.mean(np.square(samples, dtype=np.float64)))
    return samples * np.float32(10 ** (LEVEL_DBFS / 20) / level) if level > 0 else samples


def _without_noise(mel: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.maximum(0, mel - np.quantile(mel, FLOOR, axis=0).astype(np.float32))


class _Layer(NamedTuple):
    """One of the LSTM's, its columns in `SLICES`: first the input gate's, then the forget gate's,
    the cell's and the output gate's, as torch orders them.
    """

    of_input: NDArray[np.float32]
    """`(SLICES, inputs, width)`."""
    of_state: NDArray[np.float32]
    """`(SLICES, SIZE, width)`."""
    bias: NDArray[np.float32]
    """`(SLICES, 1, width)`."""


class _Encoder(NamedTuple):
    layers: tuple[_Layer, ...]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


@cache
def _encoder() -> _Encoder:
    tensors = speaker_encoder()
    layers = tuple(
        _Layer(
            _sliced(tensors[f"lstm.weight_ih_l{n}"]),
            _sliced(tensors[f"lstm.weight_hh_l{n}"]),
            _sliced((tensors[f"lstm.bias_ih_l{n}"] + tensors[f"lstm.bias_hh_l{n}"])[:, None]),
        )
        for n in range(3)
    )
    return _Encoder(layers, tensors["linear.weight"], tensors["linear.bias"])


def _sliced(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """`(4 * SIZE, k)` to `(SLICES, k, 4 * SIZE // SLICES)`."""
    return np.ascontiguousarray(np.stack(np.split(weight, SLICES)).transpose(0, 2, 1))


def _encoded(mels: NDArray[np.float32]) -> NDArray[np.float32]:
    """`(n, WINDOW_FRAMES, BANDS)` to `(n, SIZE)`, all windows at once."""
    encoder = _encoder()
    steps = mels.transpose(1, 0, 2)
    for layer in encoder.layers:
        steps = _through(layer, steps)
    return _unit(np.maximum(0, steps[-1] @ encoder.weight.T + encoder.bias))


def _through(layer: _Layer, steps: NDArray[np.float32]) -> NDArray[np.float32]:
    """`(time, n, inputs)` to the layer's states `(time, n, SIZE)`."""
    time, n, _ = steps.shape
    states = np.zeros((time + 1, n, SIZE), np.float32)
    cell = np.zeros((SLICES // 4, n, 4 * SIZE // SLICES), np.float32)
    for step, (state, following) in zip(steps, pairwise(states), strict=True):
        gates = step @ layer.of_input + state @ layer.of_state + layer.bias
        take, keep, new, give = gates.reshape(4, *cell.shape)
        cell = _sigmoid(keep) * cell + _sigmoid(take) * np.tanh(new)
        seen = _sigmoid(give) * np.tanh(cell)
        following[...] = seen.transpose(1, 0, 2).reshape(n, SIZE)
    return states[1:]


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """By way of `tanh`, which no large number can overflow."""
    half = np.float32(0.5)
    return np.asarray(half * np.tanh(half * x) + half)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of length 1 along the last axis; zeros stay zeros."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, np.finfo(np.float32).tiny))

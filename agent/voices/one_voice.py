"""Whether one voice speaks all through a recording."""

import numpy as np
from numpy.typing import NDArray

LEAST_WINDOWS = 4
"""Of two against one, the one would decide."""

LEAST_ALIKE = 0.75
"""Cosine between the two halves that a recording's windows fall into most clearly."""


def is_one_voice(windows: NDArray[np.float32]) -> bool:
    """`windows` are the embeddings of pieces of a recording, `(n, SIZE)`, as `embedding` has them.

    They are parted in two where they vary most, along their first principal component: with two
    voices, by voice. Two who speak at once are like a third voice, and not noticed.
    """
    if len(windows) < LEAST_WINDOWS:
        return True
    around = windows - windows.mean(axis=0)
    along = np.linalg.svd(around, full_matrices=False)[0][:, 0]
    return _alike(windows[along > 0], windows[along <= 0]) >= LEAST_ALIKE


def _alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    if not len(one) or not len(other):
        return 1.0
    a, b = one.mean(axis=0), other.mean(axis=0)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))

"""Whether one voice speaks all through a recording."""

import numpy as np
from numpy.typing import NDArray

LEAST_WINDOWS = 4
"""Of two against one, the one would decide."""

LEAST_ALIKE, LEAST_ALIKE_OF_FEW = 0.75, 0.70
"""Cosine between the two halves that a recording's windows fall into most clearly. Of few windows a
half may be a single one, which says less."""

FEW_WINDOWS = 6
"""Of 6 s."""


def is_one_voice(windows: NDArray[np.float32]) -> bool:
    """`windows` are the embeddings of pieces of a recording, `(n, SIZE)`, as `embedding` has them.

    They are parted in two where they vary most, along their first principal component: with two
    voices, by voice. Two who speak at once are like a third voice, and not noticed.
    """
    if len(windows) < LEAST_WINDOWS:
        return True
    around = windows - windows.mean(axis=0)
    along = np.linalg.svd(around, full_matrices=False)[0][:, 0]
    least = LEAST_ALIKE if len(windows) > FEW_WINDOWS else LEAST_ALIKE_OF_FEW
    return _alike(windows[along > 0], windows[along <= 0]) >= least


def _alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    if not len(one) or not len(other):
        return 1.0
    a, b = one.mean(axis=0), other.mean(axis=0)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))

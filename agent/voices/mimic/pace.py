"""How fast somebody speaks."""

import numpy as np
from numpy.typing import NDArray

from agent.voices.mimic.pitch import STEP_SECONDS, Floats
from agent.voices.mimic.world import Frames

Truths = NDArray[np.bool_]

VOWELS_HZ = (300.0, 3_300.0)

SMOOTH_SECONDS = 0.09

DIP_DB = 2.0
"""Between two syllables, at least."""

LOUD_DB = 25.0
"""Below the loudest frame, no frame is a syllable's nucleus."""

PAUSE_SECONDS = 0.25
"""A longer silence is no speech; a shorter one belongs to a word."""

SLOWEST, FASTEST = 2.0, 9.0


def pace_of(frames: Frames) -> float:
    """Syllables in a second of speech, about: voiced peaks of loudness between dips.

    After N. H. de Jong and T. Wempe, "Praat script to detect syllable nuclei and measure speech
    rate automatically", 2009.
    """
    level = _level_db(frames)
    loud = level > level.max() - LOUD_DB
    spoken_seconds = _without_pauses(loud) * STEP_SECONDS
    nuclei = _nuclei(level, loud & (frames.pitch > 0))
    return float(np.clip(nuclei / max(spoken_seconds, STEP_SECONDS), SLOWEST, FASTEST))


def _level_db(frames: Frames) -> Floats:
    bins = frames.power.shape[1]
    # A likeness is measured at 16 kHz.
    low, high = (int(hertz / 8_000 * (bins - 1)) for hertz in VOWELS_HZ)
    energy = frames.power[:, low:high].sum(axis=1)
    width = round(SMOOTH_SECONDS / STEP_SECONDS)
    window = np.hanning(width + 2)[1:-1]
    level: Floats = 10 * np.log10(np.convolve(energy, window / window.sum(), "same") + 1e-16)
    return level


def _without_pauses(loud: Truths) -> int:
    """Frames of speech: all that are at most half a pause from a loud one."""
    reach = round(PAUSE_SECONDS / STEP_SECONDS)
    near = np.convolve(loud, np.ones(reach), "same") > 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], near, [False]]).astype(int)))
    stretches = len(edges) // 2
    return max(int(near.sum()) - stretches * (reach - 1), int(loud.sum()))


def _nuclei(level: Floats, may_be: Truths) -> int:
    """Peaks that rise above the dip before them, and fall to the one after."""
    count = 0
    rising, counts = True, False
    turn = -np.inf
    for here, is_nucleus in zip(level.tolist(), may_be.tolist(), strict=True):
        if (here > turn) is rising:
            turn, counts = here, is_nucleus
        elif abs(here - turn) >= DIP_DB:
            count += rising and counts
            rising, turn, counts = not rising, here, is_nucleus
    return count + (rising and counts)

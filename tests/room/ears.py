"""How a caller understands June, and how well June understood a caller."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.models.local.engine import HEARING_RATE, LocalSpeech

Sound = NDArray[np.int16]

LOUD = 200
"""Root mean square of 20 ms above which somebody speaks; silence in a room is all zeros."""

WINDOW = HEARING_RATE // 50


def loud_windows(sound: Sound) -> NDArray[np.bool_]:
    """For each 20 ms whether there is speech."""
    whole = sound[: len(sound) // WINDOW * WINDOW].reshape(-1, WINDOW).astype(np.float64)
    loud: NDArray[np.bool_] = np.sqrt((whole**2).mean(axis=1)) > LOUD
    return loud


async def understand(ears: LocalSpeech, sound: Sound) -> str:
    """Words in the sound, in pieces of a length that Moonshine is good at."""
    loud = loud_windows(sound)
    if not loud.any():
        return ""
    first, last = int(loud.argmax()), len(loud) - int(loud[::-1].argmax())
    start = max(0, first * WINDOW - HEARING_RATE // 5)
    end = min(len(sound), last * WINDOW + HEARING_RATE // 5)
    words = []
    while start < end:
        cut = end if end - start < 12 * HEARING_RATE else _quiet_place(sound, start)
        words.append(await ears.transcribe(sound[start:cut].tobytes(), final=True))
        start = cut
    return " ".join(words)


def _quiet_place(sound: Sound, start: int) -> int:
    """Between 6 and 12 s on."""
    begin = start + 6 * HEARING_RATE
    energy = (sound[begin : begin + 6 * HEARING_RATE].reshape(-1, WINDOW).astype(float) ** 2).sum(1)
    return begin + int(energy.argmin()) * WINDOW


def words(text: str) -> list[str]:
    """Lower-case; spelling that speech recognition decides by chance is made one."""
    plain = text.lower().replace("good-bye", "goodbye").replace("favourite", "favorite")
    return re.findall(r"[a-z0-9']+", plain)


def word_error_rate(said: str, heard: str) -> float:
    """Levenshtein distance over words, as a part of the words said."""
    reference, hypothesis = words(said), words(heard)
    return _distance(reference, hypothesis) / len(reference)


def _distance(one: Sequence[str], other: Sequence[str]) -> int:
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        above, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (left != right))
    return row[-1]

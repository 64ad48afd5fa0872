"""What a caller has said since they began to speak, as sound."""

from collections.abc import Iterable

import numpy as np
from livekit import rtc

from agent.models.local.engine import HEARING_RATE

BYTES_PER_SECOND = HEARING_RATE * 2

LONGEST_SECONDS = 14.0
"""Longer speech is finished in parts: Moonshine loses words, and time, with each second more."""

SEARCH_SECONDS = 6.0
"""How far back from its end a long utterance may be cut."""

WINDOW_SAMPLES = HEARING_RATE // 20
"""50 ms: the shortest gap between words that is a good place to cut."""


class Utterance:
    """Mono s16le at `HEARING_RATE`. Lives from the start of speech to its end."""

    def __init__(self, frames: Iterable[rtc.AudioFrame] = ()) -> None:
        self._sound = bytearray()
        self._shown_bytes = 0
        self.add(frames)

    def add(self, frames: Iterable[rtc.AudioFrame]) -> None:
        for frame in frames:
            self._sound += frame.data.cast("b")

    @property
    def pcm(self) -> bytes:
        return bytes(self._sound)

    @property
    def seconds(self) -> float:
        return len(self._sound) / BYTES_PER_SECOND

    @property
    def seconds_since_shown(self) -> float:
        """Speech that no interim has covered yet."""
        return (len(self._sound) - self._shown_bytes) / BYTES_PER_SECOND

    def mark_shown(self) -> None:
        self._shown_bytes = len(self._sound)

    def split_if_long(self) -> bytes | None:
        """Cut a long utterance at its quietest recent place: the first part, or None if short."""
        if self.seconds < LONGEST_SECONDS:
            return None
        samples = np.frombuffer(self._sound, dtype="<i2").astype(np.float64)
        first = len(samples) - int(SEARCH_SECONDS * HEARING_RATE)
        windows = samples[first:]
        windows = windows[: len(windows) // WINDOW_SAMPLES * WINDOW_SAMPLES]
        loudness = (windows.reshape(-1, WINDOW_SAMPLES) ** 2).sum(axis=1)
        middle = first + int(loudness.argmin()) * WINDOW_SAMPLES + WINDOW_SAMPLES // 2
        early = bytes(self._sound[: middle * 2])
        self._sound = self._sound[middle * 2 :]
        self._shown_bytes = 0
        return early

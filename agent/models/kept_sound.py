"""The newest sound of a caller, as long as nobody may have understood it."""

from collections import deque

from livekit import rtc

LONGEST_SECONDS = 15.0
"""Of speech that nobody has understood yet."""

BEFORE_SECONDS = 1.0
"""Kept in silence: a VAD notices speech after it has begun."""


class KeptSound:
    """Lives as long as one stream."""

    def __init__(self) -> None:
        self.frames: deque[rtc.AudioFrame] = deque()
        self._seconds = 0.0
        self._most_seconds = BEFORE_SECONDS
        self.all_seconds = 0.0
        """Of all sound that there was, kept or not: a place in it."""

    def add(self, frame: rtc.AudioFrame) -> None:
        self.frames.append(frame)
        self._seconds += frame.duration
        self.all_seconds += frame.duration
        while self._seconds > self._most_seconds and len(self.frames) > 1:
            self._drop()

    def keep_all(self) -> None:
        """From now on: somebody speaks."""
        self._most_seconds = LONGEST_SECONDS

    def keep_little(self) -> None:
        """Nobody speaks; what is too much goes with the next sound."""
        self._most_seconds = BEFORE_SECONDS

    def forget(self, until_seconds: float) -> None:
        """All that lies before this place."""
        while self.frames and self.all_seconds - self._seconds < until_seconds:
            self._drop()

    def _drop(self) -> None:
        self._seconds -= self.frames.popleft().duration

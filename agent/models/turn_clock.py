"""One clock per turn: from its end to something heard, whichever stages need how much of it."""

import math
import time
from collections.abc import Callable

TURN_SECONDS = 3.8
"""Of the 4 s that design section 5 allows; the rest is the way to the caller's ear."""

VOICE_SECONDS = 0.8
"""What a mind leaves of it to the voice."""


class TurnClock:
    """Lives as long as one call, and runs for its newest turn while a model is waited for.

    What a tool takes is its own affair: the clock stands meanwhile.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._turn = ""
        self._left = math.inf
        self._since: float | None = None

    def begin(self, turn: str) -> None:
        """A model is asked for this turn; a turn that is new has all its time."""
        if turn != self._turn:
            self._turn, self._left = turn, TURN_SECONDS
        elif self._since is not None:
            return
        self._since = self._now()

    def pause(self) -> None:
        """No model is waited for: a tool works, or the turn is over."""
        self._left, self._since = self._left_seconds(), None

    def heard(self) -> None:
        """June is speaking: nobody waits in silence any more in this turn."""
        self._left, self._since = math.inf, None

    @property
    def left_seconds(self) -> float:
        """Until the caller must hear something, at least 0; infinite where nobody waits."""
        return math.inf if self._since is None else self._left_seconds()

    def _left_seconds(self) -> float:
        passed_seconds = 0.0 if self._since is None else self._now() - self._since
        return max(0.0, self._left - passed_seconds)

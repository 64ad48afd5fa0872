"""The clock of Redis, by which all machines go, without asking for it again."""

import time
from collections.abc import Callable
from typing import Self

from session.store.redis.client import RedisClient

LEAST_SKEW_SECONDS = 0.25
"""Clocks that differ by less are as good as equal."""

MICROS = 1_000_000
"""In a second."""


def awake_or_asleep() -> float:
    """Seconds on a clock that nobody sets, and that goes on while this machine sleeps, if it has
    one.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class RedisClock:
    """Goes on by a clock of this machine that nobody sets. Lives as long as its store."""

    def __init__(
        self,
        server_seconds: float,
        *,
        read_at: float,
        wall_clock: Callable[[], float],
        steady_clock: Callable[[], float] = awake_or_asleep,
    ) -> None:
        """`server_seconds` was its time when the steady clock said `read_at`."""
        self._ahead_seconds = server_seconds - read_at
        self._wall_clock = wall_clock
        self._steady_clock = steady_clock

    @classmethod
    async def read(cls, db: RedisClient, wall_clock: Callable[[], float]) -> Self:
        """To half a round trip. Raises `StoreError`."""
        asked_at = awake_or_asleep()
        seconds, micros = await db.ask("TIME")
        answered_at = awake_or_asleep()
        return cls(
            int(seconds) + int(micros) / MICROS,
            read_at=(asked_at + answered_at) / 2,
            wall_clock=wall_clock,
        )

    def skew_seconds(self) -> float:
        """How far it is ahead of this machine's wall clock now; 0 where that is next to nothing."""
        skew = self._ahead_seconds + self._steady_clock() - self._wall_clock()
        return skew if abs(skew) >= LEAST_SKEW_SECONDS else 0.0

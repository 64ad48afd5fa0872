"""How long a turn waits for the store: briefly, and not again while it is away."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

from session.errors import StoreError

log = structlog.get_logger(__name__)

T = TypeVar("T")

WAIT_SECONDS = 1.0
"""A caller hears nothing meanwhile."""

AWAY_SECONDS = 2.0
"""How long a store that failed is not asked again."""


class Patience:
    """Lives as long as one call; all that a turn asks of the store goes through it."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._away_until = now()
        self._is_away = False
        self.faults = 0
        """How often the store failed or did not answer in time."""

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """What the store answers.

        Raises:
            StoreError: if it fails, does not answer in time, or has not a moment ago.
        """
        if self._now() < self._away_until:
            work.close()
            raise StoreError("the store is away", retryable=True)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                answer = await work
        except (StoreError, TimeoutError) as error:
            self.faults += 1
            self._away_until = self._now() + AWAY_SECONDS
            if not self._is_away:
                log.warning("store.unavailable", error=str(error) or "it does not answer")
            self._is_away = True
            if isinstance(error, StoreError):
                raise
            raise StoreError(
                f"the store did not answer within {WAIT_SECONDS:g} s", retryable=True
            ) from None
        if self._is_away:
            log.info("store.back", faults=self.faults)
        self._is_away = False
        return answer

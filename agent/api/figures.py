"""What the store knows of June's health, asked at most once a second however many want to know."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from session import SessionService, StoreError
from session.circuits import CircuitState
from session.records import Money

PATIENCE_SECONDS = 1.0
FRESH_SECONDS = 1.0


@dataclass(frozen=True)
class Figures:
    money: Money
    """Today's."""
    providers: Mapping[str, CircuitState]
    """By the name of their circuit."""


class Pulse:
    """Lives as long as the app. Strangers may ask for health: they must not keep the store busy."""

    def __init__(
        self, sessions: SessionService, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._sessions = sessions
        self._now = now
        self._one_asks = asyncio.Lock()
        self._figures: Figures | None = None
        self._taken_at = float("-inf")

    async def take(self) -> Figures | None:
        """None while the store is away."""
        async with self._one_asks:
            if self._now() - self._taken_at >= FRESH_SECONDS:
                self._figures = await self._ask()
                self._taken_at = self._now()
            return self._figures

    async def _ask(self) -> Figures | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                money = await self._sessions.money.today()
                return Figures(money, await self._sessions.breakers.state())
        except (StoreError, TimeoutError):
            return None

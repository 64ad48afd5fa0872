"""Which providers are asked for nothing now, as all processes found them together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeVar

import structlog

from session.circuits import NO_EFFECT, CircuitState, Effect, Permit, Verdict
from session.errors import StoreError, TextTooLong
from session.storable import storable
from session.store.memory.breakers import MemoryBreakers
from session.store.protocol import Breakers

log = structlog.get_logger(__name__)

T = TypeVar("T")

LONGEST_NAME_CHARACTERS = 300
"""Of a circuit."""

STORE_SECONDS = 0.3
"""A caller hears nothing while the store is waited for."""

AWAY_SECONDS = 5.0
"""So long a store that failed is not asked again."""


class ProviderBreakers:
    """Lives as long as its process or call. `acquire` and `report` raise no `StoreError`.

    Each method raises `TextTooLong` for a name that is no circuit's.

    While the store is away every provider may be asked, except one that this process has itself
    found dead: by the same rules, from its own requests since then.
    """

    def __init__(
        self,
        shared: Breakers,
        now: Callable[[], float],
        *,
        store_seconds: float = STORE_SECONDS,
    ) -> None:
        """`now` is in Unix seconds, by the store's clock."""
        self._shared = shared
        self._own = MemoryBreakers()
        self._now = now
        self._store_seconds = store_seconds
        self._away_since: float | None = None

    async def acquire(self, circuit: str, owner: str) -> Permit:
        """May it be asked now? Whoever may reports what came of it, also that nothing did."""
        circuit, owner, now = _name(circuit), storable(owner), self._now()
        permit = await self._ask(lambda: self._shared.acquire(circuit, owner, now=now), now)
        return permit or await self._stand_in(circuit, owner, now)

    async def report(self, permit: Permit, verdict: Verdict) -> Effect:
        """What it did to its circuit. Of a refusal there is nothing to report."""
        if not permit.allowed:
            return NO_EFFECT
        now = self._now()
        if not permit.stands_in:
            effect = await self._ask(lambda: self._shared.report(permit, verdict, now=now), now)
            if effect is not None:
                return effect
            # The store does not learn of it; this process goes by it.
            permit = await self._stand_in(permit.circuit, "", now)
        return await self._own.report(permit, verdict, now=now)

    async def state(self) -> Mapping[str, CircuitState]:
        """Of all circuits that any process knows, by name. Raises `StoreError`."""
        return await self._shared.states(now=self._now())

    async def open_by_hand(self, circuit: str, seconds: float) -> Effect:
        """For everybody, at most for a week; then one may probe it. Raises `StoreError`."""
        return await self._shared.open(_name(circuit), seconds=seconds, now=self._now())

    async def close(self, circuit: str) -> bool:
        """For everybody; False if it was closed. Raises `StoreError`."""
        return await self._shared.close(_name(circuit), now=self._now())

    async def _ask(self, work: Callable[[], Awaitable[T]], now: float) -> T | None:
        """What the store answers; None while it is away."""
        away_since = self._away_since
        if away_since is not None and 0 <= now - away_since < AWAY_SECONDS:
            return None
        try:
            async with asyncio.timeout(self._store_seconds):
                answer = await work()
        except (StoreError, TimeoutError) as error:
            self._away_since = now
            if away_since is None:
                log.warning("breakers.store_away", error=str(error) or "it did not answer in time")
            return None
        self._away_since = None
        return answer

    async def _stand_in(self, circuit: str, owner: str, now: float) -> Permit:
        return replace(await self._own.acquire(circuit, owner, now=now), stands_in=True)


def _name(circuit: str) -> str:
    if len(circuit) > LONGEST_NAME_CHARACTERS:
        raise TextTooLong("name of a circuit", LONGEST_NAME_CHARACTERS)
    return storable(circuit)

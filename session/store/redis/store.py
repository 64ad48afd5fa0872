"""The Redis store, for several machines: each operation is one script or one command."""

import time
from collections.abc import Callable
from typing import Self

from session.errors import StoreError, StoreUnusable
from session.store.redis import version as redis_version
from session.store.redis.address import address_of
from session.store.redis.breakers import RedisBreakers
from session.store.redis.claims import RedisClaims
from session.store.redis.client import RedisClient
from session.store.redis.clock import RedisClock
from session.store.redis.errors import unusable
from session.store.redis.leases import RedisLeases
from session.store.redis.ledger import RedisLedger
from session.store.redis.limits import RedisLimits
from session.store.redis.memories import RedisMemories
from session.store.redis.sessions import RedisSessions


class RedisStore:
    """Lives as long as the process that opened it. Never open it before a fork and use it after."""

    def __init__(self, db: RedisClient, clock: RedisClock) -> None:
        self.db = db
        self._clock = clock
        self.sessions = RedisSessions(db)
        self.limits = RedisLimits(db)
        self.ledger = RedisLedger(db)
        self.claims = RedisClaims(db)
        self.leases = RedisLeases(db)
        self.memories = RedisMemories(db)
        self.breakers = RedisBreakers(db)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        wall_clock: Callable[[], float] = time.time,
        on_fault: Callable[[], None] = lambda: None,
    ) -> Self:
        """Connect to `redis://…` or `rediss://…`. Raises `StoreUnusable`."""
        db = RedisClient(address_of(url), on_fault=on_fault)
        try:
            return cls(db, await _clock_once_usable(db, wall_clock))
        except BaseException:
            await db.aclose()
            raise

    @property
    def skew_seconds(self) -> float:
        """As of now: this machine's clock may have been set since."""
        return self._clock.skew_seconds()

    async def aclose(self) -> None:
        """Closing twice is fine."""
        await self.db.aclose()


async def _clock_once_usable(db: RedisClient, wall_clock: Callable[[], float]) -> RedisClock:
    """Raises `StoreUnusable` unless Redis can be written and holds nothing newer."""
    try:
        await redis_version.check(db)
        return await RedisClock.read(db, wall_clock)
    except StoreUnusable:
        raise
    except StoreError as error:
        raise unusable(error.__cause__, db.address) from error.__cause__

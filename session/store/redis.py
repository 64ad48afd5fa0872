"""The Redis store, for several machines: each operation is one script or one command."""

import time
from typing import Self

from session.errors import StoreError, StoreUnusable
from session.store import redis_version
from session.store.redis_address import address_of
from session.store.redis_claims import RedisClaims
from session.store.redis_client import RedisClient
from session.store.redis_errors import unusable
from session.store.redis_leases import RedisLeases
from session.store.redis_ledger import RedisLedger
from session.store.redis_limits import RedisLimits
from session.store.redis_sessions import RedisSessions

LEAST_SKEW_SECONDS = 0.25
"""Clocks that differ by less are as good as equal."""

MICROS = 1_000_000
"""In a second."""


class RedisStore:
    """Lives as long as the process that opened it. Never open it before a fork and use it after."""

    def __init__(self, db: RedisClient, *, skew_seconds: float) -> None:
        self.db = db
        self.skew_seconds = skew_seconds
        self.sessions = RedisSessions(db)
        self.limits = RedisLimits(db)
        self.ledger = RedisLedger(db)
        self.claims = RedisClaims(db)
        self.leases = RedisLeases(db)

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to `redis://…` or `rediss://…`. Raises `StoreUnusable`."""
        db = RedisClient(address_of(url))
        try:
            return cls(db, skew_seconds=await _skew_once_usable(db))
        except BaseException:
            await db.aclose()
            raise

    async def aclose(self) -> None:
        """Closing twice is fine."""
        await self.db.aclose()


async def _skew_once_usable(db: RedisClient) -> float:
    """Raises `StoreUnusable` unless Redis can be written and holds nothing newer."""
    try:
        await redis_version.check(db)
        skew_seconds = await _skew_seconds(db)
    except StoreUnusable:
        raise
    except StoreError as error:
        raise unusable(error.__cause__, db.address) from error.__cause__
    return skew_seconds if abs(skew_seconds) >= LEAST_SKEW_SECONDS else 0.0


async def _skew_seconds(db: RedisClient) -> float:
    """How far the clock of Redis is ahead of this machine's, to half a round trip."""
    asked_at = time.time()
    seconds, micros = await db.ask("TIME")
    answered_at = time.time()
    return int(seconds) + int(micros) / MICROS - (asked_at + answered_at) / 2

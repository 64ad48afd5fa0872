"""Claims in Redis."""

from session.claims import Claim
from session.store.redis.client import RedisClient
from session.store.redis.keys import key_of
from session.store.redis.records import time_text
from session.store.redis.scripts import script

_CLAIM = script("claim", "sessions")
_FULFIL = script("fulfil")


class RedisClaims:
    def __init__(self, db: RedisClient) -> None:
        self._db = db

    async def claim(
        self, key: str, *, ttl_seconds: float, now: float, session_id: str = ""
    ) -> Claim:
        is_first, *result = await self._db.run(
            _CLAIM,
            [key_of("claim", key)],
            [key, time_text(ttl_seconds), time_text(now), session_id],
        )
        return Claim(is_first=bool(is_first), result=result[0] if result else None)

    async def fulfil(self, key: str, result: str, *, ttl_seconds: float, now: float) -> None:
        arguments = [result, time_text(ttl_seconds), time_text(now)]
        await self._db.run(_FULFIL, [key_of("claim", key)], arguments)

    async def release(self, key: str) -> None:
        await self._db.ask("DEL", key_of("claim", key))

"""Leases in Redis."""

from session.leases import Held, Lease, LeaseState, Leave
from session.store.redis.client import RedisClient
from session.store.redis.keys import LEASES, key_of
from session.store.redis.records import time_text
from session.store.redis.scripts import script
from session.store.redis.version import notice_if_emptied

_ASK_TO_LEAVE = script("ask_to_leave", "leases")
_CLAIM = script("claim_lease", "leases")
_END = script("end_lease", "leases")
_FREE = script("free_leases", "leases")
_HELD = script("held_leases", "leases")
_RELEASE = script("release_lease", "leases")
_RENEW = script("renew_lease", "leases")


class RedisLeases:
    def __init__(self, db: RedisClient) -> None:
        self._db = db

    async def claim(
        self, room: str, owner: str, *, ttl_seconds: float, now: float, note: str = ""
    ) -> Lease | None:
        fence = await self._db.run(
            _CLAIM,
            [key_of("lease", room)],
            [room, owner, time_text(ttl_seconds), time_text(now), note],
        )
        return None if fence is None else Lease(room, owner, fence)

    async def renew(
        self, lease: Lease, *, ttl_seconds: float, now: float, note: str = ""
    ) -> LeaseState:
        is_held, asked, was_missing = await self._db.run(
            _RENEW,
            [key_of("lease", lease.room)],
            [lease.room, lease.owner, lease.fence, time_text(ttl_seconds), time_text(now), note],
        )
        if was_missing:
            await notice_if_emptied(self._db)
        return LeaseState(held=bool(is_held), asked_to_leave=Leave(asked))

    async def release(self, lease: Lease) -> None:
        await self._db.run(
            _RELEASE, [key_of("lease", lease.room)], [lease.room, lease.owner, lease.fence]
        )

    async def ask_to_leave(self, owner_prefix: str) -> int:
        return int(await self._db.run(_ASK_TO_LEAVE, [LEASES], [owner_prefix]))

    async def free(self, owner: str) -> int:
        return int(await self._db.run(_FREE, [LEASES], [owner]))

    async def end(self, room: str, *, now: float) -> bool:
        keys = [key_of("lease", room)]
        return bool(await self._db.run(_END, keys, [int(Leave.FOR_GOOD), time_text(now)]))

    async def held(self, *, now: float) -> tuple[Held, ...]:
        found = await self._db.run(_HELD, [LEASES], [time_text(now)])
        return tuple(Held(*one) for one in sorted(found))

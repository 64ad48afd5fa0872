"""All but conversations in SQLite: each operation is one transaction."""

import time
from collections.abc import Mapping, Sequence

from session.claims import Claim
from session.leases import Held, Lease, LeaseState
from session.limits import Ask, Decision
from session.money import Account, Breaker, Charge, Reservation
from session.store.sqlite import sql_claims, sql_leases, sql_ledger, sql_limits, sql_memories
from session.store.sqlite.thread import SqliteThread

LEAST_WAIT_SECONDS = 0.25
"""Who waits less for the file is as good as next."""


class SqliteLimits:
    def __init__(self, db: SqliteThread) -> None:
        self._db = db

    async def admit(self, ask: Ask, *, now: float) -> Decision:
        return await self._db.write(lambda db: sql_limits.admit(db, ask, now))


class SqliteLedger:
    def __init__(self, db: SqliteThread) -> None:
        self._db = db

    async def reserve(self, reservation: Reservation, *, now: float) -> Decision:
        return await self._db.write(lambda db: sql_ledger.reserve(db, reservation, now))

    async def settle(
        self, reservation_id: str, charge: Charge, *, now: float
    ) -> tuple[Account, ...]:
        return await self._db.write(lambda db: sql_ledger.settle(db, reservation_id, charge, now))

    async def accounts(self, keys: Sequence[str], *, now: float) -> tuple[Account, ...]:
        return await self._db.write(lambda db: sql_ledger.accounts(db, keys, now))

    async def open_breaker(self, breaker: Breaker, *, now: float) -> None:
        await self._db.write(lambda db: sql_ledger.open_breaker(db, breaker))

    async def close_breaker(self, *, now: float) -> bool:
        return await self._db.write(lambda db: sql_ledger.close_breaker(db, now))

    async def breaker(self, *, now: float) -> Breaker | None:
        return await self._db.read(lambda db: sql_ledger.open_now(db, now))


class SqliteClaims:
    def __init__(self, db: SqliteThread) -> None:
        self._db = db

    async def claim(
        self, key: str, *, ttl_seconds: float, now: float, session_id: str = ""
    ) -> Claim:
        return await self._db.write(
            lambda db: sql_claims.claim(
                db, key, ttl_seconds=ttl_seconds, now=now, session_id=session_id
            )
        )

    async def fulfil(self, key: str, result: str, *, ttl_seconds: float, now: float) -> None:
        await self._db.write(
            lambda db: sql_claims.fulfil(db, key, result, ttl_seconds=ttl_seconds, now=now)
        )

    async def release(self, key: str) -> None:
        await self._db.write(lambda db: sql_claims.release(db, key))


class SqliteLeases:
    """A lease begins when the file is its own, not when it was asked for: else it may be old."""

    def __init__(self, db: SqliteThread) -> None:
        self._db = db

    async def claim(
        self, room: str, owner: str, *, ttl_seconds: float, now: float, note: str = ""
    ) -> Lease | None:
        begun = time.monotonic()
        return await self._db.write(
            lambda db: sql_leases.claim(
                db, room, owner, ttl_seconds=ttl_seconds, now=now + _waited_since(begun), note=note
            )
        )

    async def renew(
        self, lease: Lease, *, ttl_seconds: float, now: float, note: str = ""
    ) -> LeaseState:
        begun = time.monotonic()
        return await self._db.write(
            lambda db: sql_leases.renew(
                db, lease, ttl_seconds=ttl_seconds, now=now + _waited_since(begun), note=note
            )
        )

    async def release(self, lease: Lease) -> None:
        await self._db.write(lambda db: sql_leases.release(db, lease))

    async def ask_to_leave(self, owner_prefix: str) -> int:
        return await self._db.write(lambda db: sql_leases.ask_to_leave(db, owner_prefix))

    async def free(self, owner: str) -> int:
        return await self._db.write(lambda db: sql_leases.free(db, owner))

    async def end(self, room: str, *, now: float) -> bool:
        return await self._db.write(lambda db: sql_leases.end(db, room, now=now))

    async def held(self, *, now: float) -> tuple[Held, ...]:
        return await self._db.write(lambda db: sql_leases.held(db, now=now))


class SqliteMemories:
    def __init__(self, db: SqliteThread) -> None:
        self._db = db

    async def put(self, user: str, skill: str, key: str, text: str, *, now: float) -> bool:
        return await self._db.write(
            lambda db: sql_memories.put(db, user, skill, key, text, now=now)
        )

    async def all(self, user: str, skill: str) -> Mapping[str, str]:
        return await self._db.read(lambda db: sql_memories.of_skill(db, user, skill))

    async def take(self, user: str, skill: str, key: str) -> str | None:
        return await self._db.write(lambda db: sql_memories.take(db, user, skill, key))


def _waited_since(begun: float) -> float:
    """Seconds, for the thread and for the lock of the file."""
    waited = time.monotonic() - begun
    return waited if waited >= LEAST_WAIT_SECONDS else 0.0

"""Leases in SQLite. Each function runs inside one transaction."""

import apsw

from session.leases import Lease, LeaseState
from session.store.rows import rows


def claim(
    db: apsw.Connection, room: str, owner: str, *, ttl_seconds: float, now: float
) -> Lease | None:
    held = rows(
        db,
        "SELECT 1 FROM leases WHERE room = ? AND owner != ? AND expires_at > ?",
        (room, owner, now),
    )
    if held:
        return None
    ((fence,),) = rows(
        db, "UPDATE counters SET value = value + 1 WHERE name = 'fence' RETURNING value"
    )
    # The worker claims a room, then its call does: who was asked to leave in between must hear it.
    db.execute(
        "INSERT INTO leases VALUES (?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET "
        "asked_to_leave = asked_to_leave AND owner = excluded.owner, owner = excluded.owner, "
        "fence = excluded.fence, expires_at = excluded.expires_at",
        (room, owner, fence, now + ttl_seconds),
    )
    return Lease(room, owner, fence)


def renew(db: apsw.Connection, lease: Lease, *, ttl_seconds: float, now: float) -> LeaseState:
    found = rows(
        db,
        "UPDATE leases SET expires_at = ? WHERE room = ? AND fence = ? RETURNING asked_to_leave",
        (now + ttl_seconds, lease.room, lease.fence),
    )
    return LeaseState(held=bool(found), asked_to_leave=any(asked for (asked,) in found))


def release(db: apsw.Connection, lease: Lease) -> None:
    db.execute("DELETE FROM leases WHERE room = ? AND fence = ?", (lease.room, lease.fence))


def ask_to_leave(db: apsw.Connection, owner_prefix: str) -> int:
    db.execute(
        "UPDATE leases SET asked_to_leave = 1 WHERE substr(owner, 1, length(?1)) = ?1",
        (owner_prefix,),
    )
    return db.changes()

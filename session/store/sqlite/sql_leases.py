"""Leases in SQLite. Each function runs inside one transaction.

Notes are kept apart: a June of an older version may be renewing her lease in the same file.
A room that was given back keeps its row, without an owner: who held it before cannot take it again
by renewing, as in a store that was emptied.
"""

import apsw

from session.leases import Held, Lease, LeaseState, Leave
from session.store.sqlite.rows import rows

FREE = "owner = '', asked_to_leave = 0"


def claim(
    db: apsw.Connection, room: str, owner: str, *, ttl_seconds: float, now: float, note: str
) -> Lease | None:
    # No lease lasts longer than its time: otherwise the clock was set back.
    db.execute(
        "UPDATE leases SET expires_at = min(expires_at, ? + ttl_seconds) WHERE room = ?",
        (now, room),
    )
    held = rows(
        db,
        "SELECT 1 FROM leases WHERE room = ? AND owner NOT IN (?, '') AND expires_at > ?",
        (room, owner, now),
    )
    if held:
        return None
    ((fence,),) = rows(
        db, "UPDATE counters SET value = value + 1 WHERE name = 'fence' RETURNING value"
    )
    # The worker claims a room, then its call does: who was asked to leave in between must hear it.
    db.execute(
        "INSERT INTO leases VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT DO UPDATE SET "
        "asked_to_leave = asked_to_leave * (owner = excluded.owner), owner = excluded.owner, "
        "fence = excluded.fence, expires_at = excluded.expires_at, "
        "ttl_seconds = excluded.ttl_seconds",
        (room, owner, fence, now + ttl_seconds, ttl_seconds),
    )
    lease = Lease(room, owner, fence)
    _keep_note(db, lease, note)
    return lease


def renew(
    db: apsw.Connection, lease: Lease, *, ttl_seconds: float, now: float, note: str
) -> LeaseState:
    found = rows(
        db,
        # Nobody holds it: the store was emptied, and the call goes on.
        "INSERT INTO leases VALUES (?1, ?2, ?3, ?4 + ?5, 0, ?5) ON CONFLICT DO UPDATE SET "
        "expires_at = excluded.expires_at, ttl_seconds = excluded.ttl_seconds "
        "WHERE owner = ?2 AND fence = ?3 RETURNING asked_to_leave",
        (lease.room, lease.owner, lease.fence, now, ttl_seconds),
    )
    # The next claim of the room must have a higher fence than the one that was taken again.
    db.execute("UPDATE counters SET value = ?1 WHERE name = 'fence' AND value < ?1", (lease.fence,))
    if not found:
        return LeaseState(held=False)
    _keep_note(db, lease, note)
    ((asked,),) = found
    return LeaseState(held=True, asked_to_leave=Leave(asked))


def _keep_note(db: apsw.Connection, lease: Lease, note: str) -> None:
    db.execute(
        "INSERT INTO notes VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
        "fence = excluded.fence, note = excluded.note "
        "WHERE (fence, note) != (excluded.fence, excluded.note)",
        (lease.room, lease.fence, note),
    )


def release(db: apsw.Connection, lease: Lease) -> None:
    # Of this owner: the fences of a store that was emptied begin anew, and some come twice.
    db.execute(
        f"UPDATE leases SET {FREE} WHERE room = ? AND owner = ? AND fence = ?",  # noqa: S608  ours
        (lease.room, lease.owner, lease.fence),
    )


def ask_to_leave(db: apsw.Connection, owner_prefix: str) -> int:
    db.execute(
        "UPDATE leases SET asked_to_leave = max(asked_to_leave, ?2) "
        "WHERE owner != '' AND substr(owner, 1, length(?1)) = ?1",
        (owner_prefix, Leave.DRAIN),
    )
    return db.changes()


def end(db: apsw.Connection, room: str, *, now: float) -> bool:
    _shorten(db, now)
    db.execute(
        "UPDATE leases SET asked_to_leave = ? WHERE room = ? AND owner != '' AND expires_at > ?",
        (Leave.FOR_GOOD, room, now),
    )
    return db.changes() > 0


def held(db: apsw.Connection, *, now: float) -> tuple[Held, ...]:
    _shorten(db, now)
    found = rows(
        db,
        "SELECT room, owner, ifnull(note, '') FROM leases LEFT JOIN notes USING (room, fence) "
        "WHERE owner != '' AND expires_at > ? ORDER BY room",
        (now,),
    )
    return tuple(Held(*one) for one in found)


def _shorten(db: apsw.Connection, now: float) -> None:
    """The clock was set back."""
    db.execute(
        "UPDATE leases SET expires_at = ?1 + ttl_seconds WHERE expires_at > ?1 + ttl_seconds",
        (now,),
    )


def free(db: apsw.Connection, owner: str) -> int:
    db.execute(f"UPDATE leases SET {FREE} WHERE owner = ?", (owner,))  # noqa: S608  ours
    return db.changes()

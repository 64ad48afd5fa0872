"""What is deleted from SQLite. Each function runs inside one transaction."""

from contextlib import suppress

import apsw

from session.money import session_account
from session.records import Removed
from session.store.retention import (
    CIRCUITS_KEPT_SECONDS,
    HITS_KEPT_SECONDS,
    KEPT_SECONDS,
    LEASES_KEPT_SECONDS,
    MEMORY_SECONDS,
)
from session.store.sqlite import sql_ledger
from session.store.sqlite.rows import rows


def delete(db: apsw.Connection, session_id: str) -> Removed:
    db.execute("DELETE FROM sessions WHERE session_id = ?", (session_id,))
    if db.changes() == 0:
        return Removed()
    db.execute("DELETE FROM turns WHERE session_id = ?", (session_id,))
    db.execute("DELETE FROM messages WHERE session_id = ?", (session_id,))
    messages = db.changes()
    db.execute("DELETE FROM measured WHERE session_id = ?", (session_id,))
    turns = db.changes()
    db.execute("DELETE FROM accounts WHERE key = ?", (session_account(session_id),))
    answers = rows(
        db, "DELETE FROM claims WHERE session_id = ? RETURNING result IS NOT NULL", (session_id,)
    )
    return Removed(
        sessions=1, messages=messages, turns=turns, answers=sum(had for (had,) in answers)
    )


def forget(db: apsw.Connection, user: str) -> Removed:
    theirs = rows(db, "SELECT session_id FROM sessions WHERE user = ?", (user,))
    db.execute("DELETE FROM memories WHERE user = ?", (user,))
    removed = Removed(memories=db.changes())
    return sum((delete(db, session_id) for (session_id,) in theirs), removed)


def purge_some(db: apsw.Connection, seen_before: float, limit: int) -> Removed:
    """So many sessions at most, so that nobody waits long for the lock."""
    old = rows(
        db, "SELECT session_id FROM sessions WHERE seen_at < ? LIMIT ?", (seen_before, limit)
    )
    return sum((delete(db, session_id) for (session_id,) in old), Removed())


def collect(db: apsw.Connection, now: float) -> None:
    """What has run out and nobody will ask for again."""
    sql_ledger.let_run_out(db, now)
    db.execute("DELETE FROM hits WHERE at < ?", (now - HITS_KEPT_SECONDS,))
    db.execute("DELETE FROM blocks WHERE until < ?", (now - KEPT_SECONDS,))
    db.execute("DELETE FROM claims WHERE expires_at <= ?", (now,))
    db.execute(
        "DELETE FROM reservations WHERE has_run_out AND expires_at < ?", (now - KEPT_SECONDS,)
    )
    # An account outlives what is reserved in it.
    db.execute(
        "DELETE FROM accounts WHERE used_at < ? AND key NOT IN "
        "(SELECT value FROM reservations, json_each(reservations.accounts))",
        (now - KEPT_SECONDS,),
    )
    db.execute("DELETE FROM leases WHERE expires_at < ?", (now - LEASES_KEPT_SECONDS,))
    db.execute("DELETE FROM notes WHERE room NOT IN (SELECT room FROM leases)")
    db.execute("DELETE FROM circuits WHERE over_at < ?", (now - CIRCUITS_KEPT_SECONDS,))
    db.execute("DELETE FROM memories WHERE written_at < ?", (now - MEMORY_SECONDS,))


def empty_the_journal(db: apsw.Connection) -> None:
    """What was deleted stands in the write-ahead log until that is written anew.

    Outside a transaction. While somebody reads, it waits for the next deletion.
    """
    with suppress(apsw.BusyError, apsw.LockedError):
        db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

"""Claims in SQLite. Each function runs inside one transaction."""

import apsw

from session.claims import Claim
from session.store.sqlite.rows import rows


def claim(
    db: apsw.Connection, key: str, *, ttl_seconds: float, now: float, session_id: str
) -> Claim:
    db.execute(
        "INSERT INTO claims VALUES (?, ?, ?, NULL) ON CONFLICT DO UPDATE SET "
        "session_id = excluded.session_id, expires_at = excluded.expires_at, result = NULL "
        "WHERE expires_at <= ?",
        (key, session_id, now + ttl_seconds, now),
    )
    if db.changes() == 1:
        return Claim(is_first=True)
    # It would last longer than any claim does: the clock was set back.
    db.execute(
        "UPDATE claims SET expires_at = ? WHERE key = ? AND expires_at > ?",
        (now + ttl_seconds, key, now + ttl_seconds),
    )
    ((result,),) = rows(db, "SELECT result FROM claims WHERE key = ?", (key,))
    return Claim(is_first=False, result=result)


def fulfil(db: apsw.Connection, key: str, result: str, *, ttl_seconds: float, now: float) -> None:
    db.execute(
        "UPDATE claims SET result = ?, expires_at = ? WHERE key = ?",
        (result, now + ttl_seconds, key),
    )


def release(db: apsw.Connection, key: str) -> None:
    db.execute("DELETE FROM claims WHERE key = ?", (key,))

"""What skills keep of users, in SQLite. Each function runs inside one transaction."""

import apsw

from session.store.retention import MOST_KEYS
from session.store.sqlite.rows import rows


def put(db: apsw.Connection, user: str, skill: str, key: str, text: str, *, now: float) -> bool:
    ((others,),) = rows(
        db,
        "SELECT count(*) FROM memories WHERE user = ? AND skill = ? AND key != ?",
        (user, skill, key),
    )
    if others >= MOST_KEYS:
        return False
    db.execute("REPLACE INTO memories VALUES (?, ?, ?, ?, ?)", (user, skill, key, text, now))
    return True


def of_skill(db: apsw.Connection, user: str, skill: str) -> dict[str, str]:
    found = rows(
        db,
        "SELECT key, text FROM memories WHERE user = ? AND skill = ? ORDER BY key",
        (user, skill),
    )
    return dict(found)


def take(db: apsw.Connection, user: str, skill: str, key: str) -> str | None:
    taken = rows(
        db,
        "DELETE FROM memories WHERE user = ? AND skill = ? AND key = ? RETURNING text",
        (user, skill, key),
    )
    return str(taken[0][0]) if taken else None

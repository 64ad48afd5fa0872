"""Messages and turns in SQLite. Each function runs inside one transaction."""

import apsw

from session.errors import UnknownSession
from session.records import Message
from session.store.sqlite import sql_sessions
from session.store.sqlite.rows import rows


def append(db: apsw.Connection, message: Message, now: float) -> bool:
    session = sql_sessions.get(db, message.session_id)
    if session is None:
        raise UnknownSession(message.session_id)
    db.execute(
        "INSERT INTO messages (session_id, id, user, record) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (session_id, id) DO NOTHING",
        (message.session_id, message.id, session.user, message.model_dump_json()),
    )
    if db.changes() == 0:
        return False
    seen = {"message_count": session.message_count + 1, "seen_at": now}
    sql_sessions.save(db, session.model_copy(update=seen))
    return True


def of_session(db: apsw.Connection, session_id: str) -> tuple[Message, ...]:
    found = rows(db, "SELECT record FROM messages WHERE session_id = ? ORDER BY seq", (session_id,))
    return tuple(Message.model_validate_json(record) for (record,) in found)


def recent(db: apsw.Connection, user: str, limit: int) -> tuple[Message, ...]:
    found = rows(
        db,
        "SELECT record FROM messages WHERE user = ? ORDER BY seq DESC LIMIT ?",
        # SQLite takes a negative limit for none.
        (user, max(0, limit)),
    )
    return tuple(Message.model_validate_json(record) for (record,) in reversed(found))


def commit_turn(db: apsw.Connection, session_id: str, turn: int) -> bool:
    db.execute(
        "INSERT INTO turns (session_id, turn) SELECT session_id, ? FROM sessions "
        "WHERE session_id = ? ON CONFLICT DO NOTHING",
        (turn, session_id),
    )
    return db.changes() == 1

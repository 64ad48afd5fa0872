"""Sessions in SQLite. Each function runs inside one transaction."""

import apsw

from session.records import (
    Channel,
    CloseReason,
    Session,
    SkillSession,
    Status,
    new_session,
)
from session.resume import plan
from session.store.sqlite.rows import rows


def open_session(
    db: apsw.Connection, room: str, user: str, *, channel: Channel, language: str, now: float
) -> Session:
    # The one to resume or to close is among the newest; somebody may have thousands.
    theirs = _select(
        db,
        "WHERE room = ? AND user = ? ORDER BY is_open DESC, created_at DESC LIMIT 20",
        room,
        user,
    )
    planned = plan(theirs, now)
    session = planned.resume
    if session is None:
        session = new_session(room, user, channel=channel, language=language, now=now)
        db.execute("UPDATE counters SET value = value + 1 WHERE name = 'sessions_created'")
    for changed in (*planned.close, session):
        save(db, changed)
    return session


def get(db: apsw.Connection, session_id: str) -> Session | None:
    return next(iter(_select(db, "WHERE session_id = ?", session_id)), None)


def by_room(db: apsw.Connection, room: str) -> Session | None:
    last = "WHERE room = ? ORDER BY seen_at DESC, is_open DESC, created_at DESC LIMIT 1"
    return next(iter(_select(db, last, room)), None)


def of_user(db: apsw.Connection, user: str) -> tuple[Session, ...]:
    return _select(db, "WHERE user = ? ORDER BY created_at DESC", user)


def touch(db: apsw.Connection, session_id: str, now: float) -> None:
    session = get(db, session_id)
    if session is not None and session.status is Status.OPEN:
        save(db, session.model_copy(update={"seen_at": now}))


def close(
    db: apsw.Connection, session_id: str, reason: CloseReason, now: float, resumes: int | None
) -> bool:
    session = get(db, session_id)
    if session is None or session.status is Status.CLOSED:
        return False
    if resumes not in (None, session.resumes):
        return False
    ended = {
        "status": Status.CLOSED,
        "closed_at": now,
        "close_reason": reason,
        "seen_at": max(now, session.seen_at),
    }
    save(db, session.model_copy(update=ended))
    return True


def page(db: apsw.Connection, limit: int, skip: int) -> tuple[Session, ...]:
    return _select(db, "ORDER BY seen_at DESC, session_id LIMIT ? OFFSET ?", limit, skip)


def summarise(db: apsw.Connection, session_id: str, summary: str, summarised: int) -> None:
    session = get(db, session_id)
    if session is not None and session.summarised < summarised:
        kept = {"context_summary": summary, "summarised": summarised}
        save(db, session.model_copy(update=kept))


def save_skill(db: apsw.Connection, session_id: str, skill: SkillSession | None) -> None:
    session = get(db, session_id)
    if session is not None:
        save(db, session.model_copy(update={"skill": skill}))


def every(db: apsw.Connection) -> tuple[Session, ...]:
    return _select(db, "")


def save(db: apsw.Connection, session: Session) -> None:
    db.execute(
        "REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            session.session_id,
            session.room_name,
            session.user,
            session.status is Status.OPEN,
            session.created_at,
            session.model_dump_json(),
            session.seen_at,
        ),
    )


def _select(db: apsw.Connection, condition: str, *values: str | int) -> tuple[Session, ...]:
    statement = f"SELECT record FROM sessions {condition}"  # noqa: S608  a condition of this module
    return tuple(Session.model_validate_json(record) for (record,) in rows(db, statement, values))

"""Figures of turns and of sessions in SQLite. Each function runs inside one transaction."""

import apsw

from session.percentiles import NEWEST, reply_times
from session.records import SessionStats, TurnMetrics
from session.store.figures import stats_of
from session.store.retention import MOST_LATELY
from session.store.sqlite import sql_sessions
from session.store.sqlite.rows import rows


def measure(db: apsw.Connection, session_id: str, metrics: TurnMetrics) -> None:
    db.execute(
        "INSERT INTO measured SELECT session_id, ?, ?, ?, ? FROM sessions WHERE session_id = ? "
        "ON CONFLICT DO NOTHING",
        (
            metrics.turn,
            metrics.at,
            metrics.reply_seconds,
            metrics.model_dump_json(),
            session_id,
        ),
    )


def measured(db: apsw.Connection, session_id: str) -> tuple[TurnMetrics, ...]:
    found = rows(
        db, "SELECT record FROM measured WHERE session_id = ? ORDER BY turn", (session_id,)
    )
    return tuple(TurnMetrics.model_validate_json(record) for (record,) in found)


def since(db: apsw.Connection, at: float, limit: int) -> tuple[TurnMetrics, ...]:
    found = rows(
        db,
        "SELECT record FROM measured WHERE at >= ? ORDER BY at DESC LIMIT ?",
        (at, max(0, min(limit, MOST_LATELY))),
    )
    return tuple(TurnMetrics.model_validate_json(record) for (record,) in found)


def _newest_reply_seconds(db: apsw.Connection) -> list[float]:
    return [
        seconds
        for (seconds,) in rows(
            db,
            "SELECT reply_seconds FROM measured WHERE reply_seconds IS NOT NULL "
            "ORDER BY at DESC LIMIT ?",
            (NEWEST,),
        )
    ]


def stats(db: apsw.Connection) -> SessionStats:
    ((created,),) = rows(db, "SELECT value FROM counters WHERE name = 'sessions_created'")
    return stats_of(
        sql_sessions.every(db), created=created, reply=reply_times(_newest_reply_seconds(db))
    )

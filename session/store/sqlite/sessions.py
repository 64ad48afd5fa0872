"""Conversations in SQLite: each operation is one transaction."""

from session.records import (
    Channel,
    CloseReason,
    Message,
    Removed,
    Session,
    SessionStats,
    SkillSession,
    TurnMetrics,
)
from session.store.sqlite import sql_forgetting, sql_measured, sql_messages, sql_sessions
from session.store.sqlite.thread import SqliteThread

AT_ONCE = 50
"""Sessions that one transaction purges: the next call must not wait for thousands."""


class SqliteSessions:
    def __init__(self, db: SqliteThread) -> None:
        self._db = db

    async def open(
        self, room: str, user: str, *, channel: Channel, language: str, now: float
    ) -> Session:
        return await self._db.write(
            lambda db: sql_sessions.open_session(
                db, room, user, channel=channel, language=language, now=now
            )
        )

    async def get(self, session_id: str) -> Session | None:
        return await self._db.read(lambda db: sql_sessions.get(db, session_id))

    async def by_room(self, room: str) -> Session | None:
        return await self._db.read(lambda db: sql_sessions.by_room(db, room))

    async def of_user(self, user: str) -> tuple[Session, ...]:
        return await self._db.read(lambda db: sql_sessions.of_user(db, user))

    async def page(self, limit: int, *, skip: int = 0) -> tuple[Session, ...]:
        return await self._db.read(lambda db: sql_sessions.page(db, limit, skip))

    async def touch(self, session_id: str, *, now: float) -> None:
        await self._db.write(lambda db: sql_sessions.touch(db, session_id, now))

    async def close(
        self, session_id: str, reason: CloseReason, *, now: float, resumes: int | None = None
    ) -> bool:
        return await self._db.write(
            lambda db: sql_sessions.close(db, session_id, reason, now, resumes)
        )

    async def append(self, message: Message, *, now: float) -> bool:
        return await self._db.write(lambda db: sql_messages.append(db, message, now))

    async def messages(self, session_id: str) -> tuple[Message, ...]:
        return await self._db.read(lambda db: sql_messages.of_session(db, session_id))

    async def recent(self, user: str, limit: int) -> tuple[Message, ...]:
        return await self._db.read(lambda db: sql_messages.recent(db, user, limit))

    async def summarise(self, session_id: str, summary: str, summarised: int) -> None:
        await self._db.write(lambda db: sql_sessions.summarise(db, session_id, summary, summarised))

    async def save_skill(self, session_id: str, skill: SkillSession | None) -> None:
        await self._db.write(lambda db: sql_sessions.save_skill(db, session_id, skill))

    async def commit_turn(self, session_id: str, turn: int) -> bool:
        return await self._db.write(lambda db: sql_messages.commit_turn(db, session_id, turn))

    async def measure(self, session_id: str, metrics: TurnMetrics) -> None:
        await self._db.write(lambda db: sql_measured.measure(db, session_id, metrics))

    async def measured(self, session_id: str) -> tuple[TurnMetrics, ...]:
        return await self._db.read(lambda db: sql_measured.measured(db, session_id))

    async def measured_since(self, at: float, limit: int) -> tuple[TurnMetrics, ...]:
        return await self._db.read(lambda db: sql_measured.since(db, at, limit))

    async def delete(self, session_id: str) -> Removed:
        removed = await self._db.write(lambda db: sql_forgetting.delete(db, session_id))
        await self._db.outside(sql_forgetting.empty_the_journal)
        return removed

    async def forget(self, user: str) -> Removed:
        removed = await self._db.write(lambda db: sql_forgetting.forget(db, user))
        await self._db.outside(sql_forgetting.empty_the_journal)
        return removed

    async def purge(self, *, seen_before: float, now: float) -> Removed:
        await self._db.write(lambda db: sql_forgetting.collect(db, now))
        removed = Removed()
        while True:
            some = await self._db.write(
                lambda db: sql_forgetting.purge_some(db, seen_before, AT_ONCE)
            )
            removed += some
            if some.sessions < AT_ONCE:
                break
        await self._db.outside(sql_forgetting.empty_the_journal)
        return removed

    async def stats(self) -> SessionStats:
        return await self._db.read(sql_measured.stats)

"""Conversations in this process's memory."""

from collections.abc import Callable, Iterable
from typing import Any

from session.errors import UnknownSession
from session.percentiles import NEWEST, reply_times
from session.records import (
    Channel,
    CloseReason,
    Message,
    Removed,
    Session,
    SessionStats,
    SkillSession,
    Status,
    TurnMetrics,
    new_session,
)
from session.resume import plan
from session.store.figures import stats_of
from session.store.memory.claims import MemoryClaims
from session.store.memory.ledger import MemoryLedger
from session.store.memory.memories import MemoryMemories
from session.store.retention import MOST_LATELY


class MemorySessions:
    """`collect` takes what has run out elsewhere, when old sessions are purged."""

    def __init__(
        self,
        claims: MemoryClaims,
        ledger: MemoryLedger,
        memories: MemoryMemories,
        *,
        collect: Iterable[Callable[[float], None]],
    ) -> None:
        self._claims = claims
        self._ledger = ledger
        self._memories = memories
        self._collect = tuple(collect)
        self._sessions: dict[str, Session] = {}
        self._messages: list[Message] = []
        self._ids: set[tuple[str, str]] = set()
        self._committed: set[tuple[str, int]] = set()
        self._measured: dict[tuple[str, int], TurnMetrics] = {}
        self._created = 0

    async def open(
        self, room: str, user: str, *, channel: Channel, language: str, now: float
    ) -> Session:
        theirs = (
            session
            for session in self._sessions.values()
            if (session.room_name, session.user) == (room, user)
        )
        planned = plan(theirs, now)
        session = planned.resume
        if session is None:
            self._created += 1
            session = new_session(room, user, channel=channel, language=language, now=now)
        for changed in (*planned.close, session):
            self._sessions[changed.session_id] = changed
        return session

    async def get(self, session_id: str) -> Session | None:
        return self._sessions.get(session_id)

    async def by_room(self, room: str) -> Session | None:
        return max(
            (session for session in self._sessions.values() if session.room_name == room),
            key=lambda one: (one.seen_at, one.status is Status.OPEN, one.created_at),
            default=None,
        )

    async def of_user(self, user: str) -> tuple[Session, ...]:
        theirs = (session for session in self._sessions.values() if session.user == user)
        return tuple(sorted(theirs, key=lambda session: session.created_at, reverse=True))

    async def page(self, limit: int, *, skip: int = 0) -> tuple[Session, ...]:
        newest = sorted(
            self._sessions.values(), key=lambda session: (-session.seen_at, session.session_id)
        )
        return tuple(newest[skip : skip + limit])

    def _change(self, session_id: str, **changes: Any) -> bool:
        session = self._sessions.get(session_id)
        if session is None:
            return False
        self._sessions[session_id] = session.model_copy(update=changes)
        return True

    async def touch(self, session_id: str, *, now: float) -> None:
        session = self._sessions.get(session_id)
        if session is not None and session.status is Status.OPEN:
            self._change(session_id, seen_at=now)

    async def close(
        self, session_id: str, reason: CloseReason, *, now: float, resumes: int | None = None
    ) -> bool:
        session = self._sessions.get(session_id)
        if session is None or session.status is Status.CLOSED:
            return False
        if resumes not in (None, session.resumes):
            return False
        return self._change(
            session_id,
            status=Status.CLOSED,
            closed_at=now,
            close_reason=reason,
            seen_at=max(now, session.seen_at),
        )

    async def append(self, message: Message, *, now: float) -> bool:
        session = self._sessions.get(message.session_id)
        if session is None:
            raise UnknownSession(message.session_id)
        if (message.session_id, message.id) in self._ids:
            return False
        self._ids.add((message.session_id, message.id))
        self._messages.append(message)
        return self._change(
            session.session_id, message_count=session.message_count + 1, seen_at=now
        )

    async def messages(self, session_id: str) -> tuple[Message, ...]:
        return tuple(one for one in self._messages if one.session_id == session_id)

    async def recent(self, user: str, limit: int) -> tuple[Message, ...]:
        theirs = {session.session_id for session in await self.of_user(user)}
        said = [one for one in self._messages if one.session_id in theirs]
        return tuple(said[-limit:]) if limit > 0 else ()

    async def summarise(self, session_id: str, summary: str, summarised: int) -> None:
        session = self._sessions.get(session_id)
        if session is not None and session.summarised < summarised:
            self._change(session_id, context_summary=summary, summarised=summarised)

    async def save_skill(self, session_id: str, skill: SkillSession | None) -> None:
        self._change(session_id, skill=skill)

    async def commit_turn(self, session_id: str, turn: int) -> bool:
        is_first = session_id in self._sessions and (session_id, turn) not in self._committed
        if is_first:
            self._committed.add((session_id, turn))
        return is_first

    async def measure(self, session_id: str, metrics: TurnMetrics) -> None:
        if session_id in self._sessions:
            self._measured.setdefault((session_id, metrics.turn), metrics)

    async def measured(self, session_id: str) -> tuple[TurnMetrics, ...]:
        theirs = (one for (owner, _), one in self._measured.items() if owner == session_id)
        return tuple(sorted(theirs, key=lambda one: one.turn))

    async def measured_since(self, at: float, limit: int) -> tuple[TurnMetrics, ...]:
        newest = sorted(self._measured.values(), key=lambda one: one.at, reverse=True)
        return tuple(one for one in newest[: max(0, min(limit, MOST_LATELY))] if one.at >= at)

    async def delete(self, session_id: str) -> Removed:
        if self._sessions.pop(session_id, None) is None:
            return Removed()
        self._ledger.forget(session_id)
        messages, turns = len(self._messages), len(self._measured)
        self._messages = [one for one in self._messages if one.session_id != session_id]
        self._ids = {key for key in self._ids if key[0] != session_id}
        self._committed = {key for key in self._committed if key[0] != session_id}
        self._measured = {key: one for key, one in self._measured.items() if key[0] != session_id}
        return Removed(
            sessions=1,
            messages=messages - len(self._messages),
            turns=turns - len(self._measured),
            answers=self._claims.forget(session_id),
        )

    async def forget(self, user: str) -> Removed:
        theirs = [session.session_id for session in await self.of_user(user)]
        removed = Removed(memories=self._memories.forget(user))
        return sum([await self.delete(one) for one in theirs], removed)

    async def purge(self, *, seen_before: float, now: float) -> Removed:
        old = [key for key, one in self._sessions.items() if one.seen_at < seen_before]
        for collect in self._collect:
            collect(now)
        return sum([await self.delete(one) for one in old], Removed())

    async def stats(self) -> SessionStats:
        timed = [one for one in self._measured.values() if one.reply_seconds is not None]
        timed.sort(key=lambda one: one.at)
        return stats_of(
            self._sessions.values(),
            created=self._created,
            reply=reply_times([one.reply_seconds or 0.0 for one in timed[-NEWEST:]]),
        )

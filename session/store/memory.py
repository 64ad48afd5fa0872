"""A store in this process's memory, for the console, for tests, and for a call without its store.

It keeps every promise of `Store` within one process, and forgets all at the end.
"""

import itertools
from dataclasses import dataclass

from session.errors import UnknownSession
from session.leases import Lease, LeaseState
from session.records import (
    Channel,
    CloseReason,
    Message,
    Session,
    SessionStats,
    Status,
    new_session,
)
from session.resume import plan


@dataclass
class _Held:
    lease: Lease
    expires_at: float
    asked_to_leave: bool = False


class MemoryStore:
    """No method awaits anything, so each is atomic on its event loop."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._messages: list[Message] = []
        self._turns: dict[tuple[str, int], bool] = {}
        """By session and turn: whether it is committed."""
        self._leases: dict[str, _Held] = {}
        self._fences = itertools.count(1)
        self._created = 0

    async def open_session(
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

    async def get_session(self, session_id: str) -> Session | None:
        return self._sessions.get(session_id)

    async def session_by_room(self, room: str) -> Session | None:
        return max(
            (session for session in self._sessions.values() if session.room_name == room),
            key=lambda session: (session.status is Status.OPEN, session.created_at),
            default=None,
        )

    async def user_sessions(self, user: str) -> tuple[Session, ...]:
        theirs = (session for session in self._sessions.values() if session.user == user)
        return tuple(sorted(theirs, key=lambda session: session.created_at, reverse=True))

    async def touch(self, session_id: str, *, now: float) -> None:
        session = self._sessions.get(session_id)
        if session is not None and session.status is Status.OPEN:
            self._sessions[session_id] = session.model_copy(update={"seen_at": now})

    async def close_session(self, session_id: str, reason: CloseReason, *, now: float) -> bool:
        session = self._sessions.get(session_id)
        if session is None or session.status is Status.CLOSED:
            return False
        self._sessions[session_id] = session.model_copy(
            update={
                "status": Status.CLOSED,
                "closed_at": now,
                "close_reason": reason,
                "seen_at": now,
            }
        )
        return True

    async def delete_session(self, session_id: str) -> bool:
        self._messages = [one for one in self._messages if one.session_id != session_id]
        self._turns = {key: done for key, done in self._turns.items() if key[0] != session_id}
        return self._sessions.pop(session_id, None) is not None

    async def append_message(self, message: Message, *, now: float) -> bool:
        session = self._sessions.get(message.session_id)
        if session is None:
            raise UnknownSession(message.session_id)
        if any(
            (one.session_id, one.id) == (message.session_id, message.id) for one in self._messages
        ):
            return False
        self._messages.append(message)
        self._sessions[session.session_id] = session.model_copy(
            update={"message_count": session.message_count + 1, "seen_at": now}
        )
        return True

    async def messages(self, session_id: str) -> tuple[Message, ...]:
        return tuple(one for one in self._messages if one.session_id == session_id)

    async def recent_messages(self, user: str, limit: int) -> tuple[Message, ...]:
        theirs = {session.session_id for session in await self.user_sessions(user)}
        said = [one for one in self._messages if one.session_id in theirs]
        return tuple(said[-limit:])

    async def reserve_turn(self, session_id: str, turn: int, *, now: float) -> bool:
        if session_id not in self._sessions:
            return False
        first = (session_id, turn) not in self._turns
        self._turns.setdefault((session_id, turn), False)
        return first

    async def cancel_turn(self, session_id: str, turn: int) -> None:
        if self._turns.get((session_id, turn)) is False:
            del self._turns[session_id, turn]

    async def commit_turn(self, session_id: str, turn: int, *, now: float) -> bool:
        if session_id not in self._sessions:
            return False
        first = not self._turns.get((session_id, turn), False)
        self._turns[session_id, turn] = True
        return first

    async def claim_lease(
        self, room: str, owner: str, *, ttl_seconds: float, now: float
    ) -> Lease | None:
        held = self._leases.get(room)
        if held is not None and held.expires_at > now and held.lease.owner != owner:
            return None
        lease = Lease(room, owner, next(self._fences))
        asked = held is not None and held.lease.owner == owner and held.asked_to_leave
        self._leases[room] = _Held(lease, now + ttl_seconds, asked)
        return lease

    async def renew_lease(self, lease: Lease, *, ttl_seconds: float, now: float) -> LeaseState:
        held = self._leases.get(lease.room)
        if held is None or held.lease != lease:
            return LeaseState(held=False, asked_to_leave=False)
        held.expires_at = now + ttl_seconds
        return LeaseState(held=True, asked_to_leave=held.asked_to_leave)

    async def release_lease(self, lease: Lease) -> None:
        if (held := self._leases.get(lease.room)) and held.lease == lease:
            del self._leases[lease.room]

    async def ask_to_leave(self, owner_prefix: str) -> int:
        asked = [
            held for held in self._leases.values() if held.lease.owner.startswith(owner_prefix)
        ]
        for held in asked:
            held.asked_to_leave = True
        return len(asked)

    async def stats(self) -> SessionStats:
        active = [one for one in self._sessions.values() if one.status is Status.OPEN]
        return SessionStats(
            active_sessions=len(active),
            active_rooms=len({session.room_name for session in active}),
            total_created=self._created,
            messages=len(self._messages),
            mean_messages_per_session=len(self._messages) / max(1, len(self._sessions)),
        )

    async def aclose(self) -> None:
        """Nothing is held."""

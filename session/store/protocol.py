"""What June asks of a store: intents, each one atomic, safe from several processes at once.

`now` is wall-clock time in Unix seconds, because other processes compare it. `user` is a keyed
hash. Every operation may raise `StoreError`.
"""

from typing import Protocol

from session.leases import Lease, LeaseState
from session.records import Channel, CloseReason, Message, Session, SessionStats


class Store(Protocol):
    """Lives as long as the process that opened it."""

    async def open_session(
        self, room: str, user: str, *, channel: Channel, language: str, now: float
    ) -> Session:
        """Resume this room and user's conversation or begin one, as `session.resume` decides."""
        ...

    async def get_session(self, session_id: str) -> Session | None: ...

    async def session_by_room(self, room: str) -> Session | None:
        """The newest open session of a room, else its newest."""
        ...

    async def user_sessions(self, user: str) -> tuple[Session, ...]:
        """Newest first."""
        ...

    async def touch(self, session_id: str, *, now: float) -> None:
        """A sign of life. A session that is closed or unknown is let be."""
        ...

    async def close_session(self, session_id: str, reason: CloseReason, *, now: float) -> bool:
        """Close an open session; of one that is closed the first reason stands (False)."""
        ...

    async def delete_session(self, session_id: str) -> bool:
        """With its messages and turns; False where there is none."""
        ...

    async def append_message(self, message: Message, *, now: float) -> bool:
        """Keep a message once by its id: True the first time. Raises `UnknownSession`."""
        ...

    async def messages(self, session_id: str) -> tuple[Message, ...]:
        """In the order in which they were appended."""
        ...

    async def recent_messages(self, user: str, limit: int) -> tuple[Message, ...]:
        """The user's last ones from whichever session, oldest first."""
        ...

    async def reserve_turn(self, session_id: str, turn: int, *, now: float) -> bool:
        """True for the first attempt at a turn, False for every other one.

        Of an unknown session no turn is kept: False.
        """
        ...

    async def cancel_turn(self, session_id: str, turn: int) -> None:
        """Take a reservation back; a turn that is committed stays."""
        ...

    async def commit_turn(self, session_id: str, turn: int, *, now: float) -> bool:
        """True the first time; a turn that was never reserved is committed all the same."""
        ...

    async def claim_lease(
        self, room: str, owner: str, *, ttl_seconds: float, now: float
    ) -> Lease | None:
        """The room's lease, or None while somebody else holds it. Its holder may claim it anew.

        Whom its worker asked to leave stays asked. A lease that ran out is still its holder's
        until somebody else claims the room.
        """
        ...

    async def renew_lease(self, lease: Lease, *, ttl_seconds: float, now: float) -> LeaseState: ...

    async def release_lease(self, lease: Lease) -> None:
        """Give it back. A lease that has passed on is let be."""
        ...

    async def ask_to_leave(self, owner_prefix: str) -> int:
        """Mark the leases of such owners, and say how many there are."""
        ...

    async def stats(self) -> SessionStats: ...

    async def aclose(self) -> None: ...

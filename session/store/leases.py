"""What June asks of a store about rooms: `session.store.protocol` says how."""

from typing import Protocol

from session.leases import Held, Lease, LeaseState


class Leases(Protocol):
    """One June per room. What its holder notes is for others to read, and short."""

    async def claim(
        self, room: str, owner: str, *, ttl_seconds: float, now: float, note: str = ""
    ) -> Lease | None:
        """The room's lease, or None while somebody else holds it. Its holder may claim it anew.

        Whom its worker asked to leave stays asked. A lease that ran out is still its holder's
        until somebody else claims the room.
        """
        ...

    async def renew(
        self, lease: Lease, *, ttl_seconds: float, now: float, note: str = ""
    ) -> LeaseState:
        """A room that the store does not know, because it was emptied, is its holder's again."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give it back: renewing takes it no more. A lease that has passed on is let be."""
        ...

    async def ask_to_leave(self, owner_prefix: str) -> int:
        """Mark the leases that such owners hold, and say how many there are."""
        ...

    async def end(self, room: str, *, now: float) -> bool:
        """Ask whoever holds the room to leave for good; False where no lease lasts."""
        ...

    async def free(self, owner: str) -> int:
        """Give back what an owner who died still holds; how many rooms that were."""
        ...

    async def held(self, *, now: float) -> tuple[Held, ...]:
        """The leases that last, by room: a June lives there, or is on her way."""
        ...

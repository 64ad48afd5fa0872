"""One June per room: the part of a `SessionService` that is about leases."""

from abc import ABC, abstractmethod

from session.duty import Duty
from session.leases import LEASE_SECONDS, Lease, LeaseState
from session.notes import short
from session.storable import storable
from session.store import Store
from session.watching import Watching


class Rooms(ABC):
    """Holds nothing itself; every method may raise `StoreError`."""

    @property
    @abstractmethod
    def _store(self) -> Store: ...

    @abstractmethod
    def _hash(self, user: str) -> str: ...

    @abstractmethod
    def now(self) -> float: ...

    async def claim_room(
        self, room_name: str, owner: str, *, ttl_seconds: float = LEASE_SECONDS, note: str = ""
    ) -> Lease | None:
        """Be June in a room; None while another owner is. The note is for the operator."""
        return await self._store.leases.claim(
            storable(room_name),
            storable(owner),
            ttl_seconds=ttl_seconds,
            now=self.now(),
            note=short(note),
        )

    async def renew_room(self, lease: Lease, *, note: str = "") -> LeaseState:
        return await self._store.leases.renew(
            lease, ttl_seconds=LEASE_SECONDS, now=self.now(), note=short(note)
        )

    async def release_room(self, lease: Lease) -> None:
        await self._store.leases.release(lease)

    async def free_rooms(self, owner: str) -> int:
        """Give back what an owner who died still holds; how many rooms that were."""
        return await self._store.leases.free(storable(owner))

    async def ask_to_leave(self, owner_prefix: str) -> int:
        """Tell all calls of a worker to say goodbye; how many there are."""
        return await self._store.leases.ask_to_leave(storable(owner_prefix))

    async def end_call(self, room_name: str) -> bool:
        """June says goodbye there, and no other one comes; False where none lives."""
        return await self._store.leases.end(storable(room_name), now=self.now())

    def watching(self, server: str) -> Watching:
        """Over the rooms of a LiveKit server, for all its workers."""
        return Watching(self._store.leases, self._store.limits, self._hash, self.now, server)

    @property
    def duty(self) -> Duty:
        """Which workers there are, and which calls."""
        return Duty(self._store.leases, self._hash, self.now)

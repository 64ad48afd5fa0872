"""Leases as plainly as they can be said: who has which room since when."""

from dataclasses import dataclass

from session.leases import Lease, LeaseState


@dataclass
class Holding:
    lease: Lease
    since: float
    seconds: float
    is_asked: bool = False


class PlainLeases:
    def __init__(self) -> None:
        self._by_room: dict[str, Holding] = {}

    def is_free_for(self, owner: str, room: str, now: float) -> bool:
        held = self._by_room.get(room)
        if held is None or held.lease.owner == owner:
            return True
        # Whoever finds it in the future lets it begin now: the clock was set back.
        held.since = min(held.since, now)
        return now - held.since >= held.seconds

    def take(self, lease: Lease, seconds: float, now: float) -> None:
        before = self._by_room.get(lease.room)
        is_asked = before is not None and before.lease.owner == lease.owner and before.is_asked
        self._by_room[lease.room] = Holding(lease, now, seconds, is_asked)

    def renew(self, lease: Lease, seconds: float, now: float) -> LeaseState:
        held = self._by_room.get(lease.room)
        if held is not None and held.lease != lease:
            return LeaseState(held=False, asked_to_leave=False)
        self.take(lease, seconds, now)
        return LeaseState(held=True, asked_to_leave=self._by_room[lease.room].is_asked)

    def has(self, lease: Lease) -> bool:
        return any(held.lease == lease for held in self._by_room.values())

    def release(self, lease: Lease) -> None:
        self._by_room = {
            room: held for room, held in self._by_room.items() if held.lease != lease
        }

    def ask_to_leave(self, owner_prefix: str) -> int:
        asked = [
            held for held in self._by_room.values() if held.lease.owner.startswith(owner_prefix)
        ]
        for held in asked:
            held.is_asked = True
        return len(asked)

    def free(self, owner: str) -> int:
        before = len(self._by_room)
        self._by_room = {
            room: held for room, held in self._by_room.items() if held.lease.owner != owner
        }
        return before - len(self._by_room)

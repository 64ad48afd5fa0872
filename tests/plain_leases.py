"""Leases as plainly as they can be said: who has which room since when."""

from dataclasses import dataclass

from session.leases import Held, Lease, LeaseState, Leave


@dataclass
class Holding:
    lease: Lease
    since: float
    seconds: float
    asked: Leave = Leave.NO
    note: str = ""


class PlainLeases:
    def __init__(self) -> None:
        self._holdings: list[Holding] = []
        self._ends: dict[str, float] = {}
        """By room that is known: when its last lease ends, or would have if it was given back."""

    def holding(self, room: str) -> Holding | None:
        return next((held for held in self._holdings if held.lease.room == room), None)

    def is_free_for(self, owner: str, room: str, now: float) -> bool:
        held = self.holding(room)
        if held is None or held.lease.owner == owner:
            return True
        # Whoever finds it in the future lets it begin now: the clock was set back.
        held.since = min(held.since, now)
        self._ends[room] = held.since + held.seconds
        return now - held.since >= held.seconds

    def seconds_left(self, room: str, now: float) -> float:
        held = self.holding(room)
        return 0.0 if held is None else max(0.0, held.since + held.seconds - now)

    def longest_over_seconds(self, now: float) -> float:
        """Of all rooms that are known."""
        return max((now - ends_at for ends_at in self._ends.values()), default=0.0)

    def take(self, lease: Lease, seconds: float, now: float, note: str) -> None:
        before = self.holding(lease.room)
        is_own = before is not None and before.lease.owner == lease.owner
        asked = before.asked if before is not None and is_own else Leave.NO
        self._holdings = [held for held in self._holdings if held.lease.room != lease.room]
        self._holdings.append(Holding(lease, now, seconds, asked, note))
        self._ends[lease.room] = now + seconds

    def renew(self, lease: Lease, seconds: float, now: float, note: str) -> LeaseState:
        if lease.room in self._ends and not self.is_held(lease):
            return LeaseState(held=False)
        self.take(lease, seconds, now, note)
        return LeaseState(held=True, asked_to_leave=self._holdings[-1].asked)

    def is_held(self, lease: Lease) -> bool:
        return any(held.lease == lease for held in self._holdings)

    def held(self, now: float) -> set[Held]:
        return {
            Held(held.lease.room, held.lease.owner, held.note)
            for held in self._holdings
            if not self.is_free_for("", held.lease.room, now)
        }

    def end(self, room: str, now: float) -> bool:
        held = self.holding(room)
        if held is None or self.is_free_for("", room, now):
            return False
        held.asked = Leave.FOR_GOOD
        return True

    def release(self, lease: Lease) -> None:
        self._holdings = [held for held in self._holdings if held.lease != lease]

    def ask_to_leave(self, owner_prefix: str) -> int:
        asked = [held for held in self._holdings if held.lease.owner.startswith(owner_prefix)]
        for held in asked:
            held.asked = max(held.asked, Leave.DRAIN)
        return len(asked)

    def free(self, owner: str) -> int:
        before = len(self._holdings)
        self._holdings = [held for held in self._holdings if held.lease.owner != owner]
        return before - len(self._holdings)

"""Claims and leases in this process's memory."""

from dataclasses import dataclass, replace

from session.claims import Claim
from session.leases import Held, Lease, LeaseState, Leave
from session.store.retention import LEASES_KEPT_SECONDS


@dataclass(frozen=True)
class _Claimed:
    expires_at: float
    session_id: str
    result: str | None = None


class MemoryClaims:
    def __init__(self) -> None:
        self._claimed: dict[str, _Claimed] = {}

    async def claim(
        self, key: str, *, ttl_seconds: float, now: float, session_id: str = ""
    ) -> Claim:
        found = self._claimed.get(key)
        if found is None or found.expires_at <= now:
            self._claimed[key] = _Claimed(now + ttl_seconds, session_id)
            return Claim(is_first=True)
        if found.expires_at > now + ttl_seconds:  # the clock was set back
            self._claimed[key] = replace(found, expires_at=now + ttl_seconds)
        return Claim(is_first=False, result=found.result)

    async def fulfil(self, key: str, result: str, *, ttl_seconds: float, now: float) -> None:
        if (found := self._claimed.get(key)) is not None:
            self._claimed[key] = replace(found, result=result, expires_at=now + ttl_seconds)

    async def release(self, key: str) -> None:
        self._claimed.pop(key, None)

    def forget(self, session_id: str) -> int:
        """Of a session that is deleted; how many results there were."""
        theirs = [key for key, one in self._claimed.items() if one.session_id == session_id]
        return sum(self._claimed.pop(key).result is not None for key in theirs)

    def purge(self, now: float) -> None:
        self._claimed = {key: one for key, one in self._claimed.items() if one.expires_at > now}


@dataclass
class _Held:
    lease: Lease
    expires_at: float
    asked_to_leave: Leave = Leave.NO
    note: str = ""


class MemoryLeases:
    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._ttls: dict[str, float] = {}
        self._fence = 0

    async def claim(
        self, room: str, owner: str, *, ttl_seconds: float, now: float, note: str = ""
    ) -> Lease | None:
        held = self._held.get(room)
        if held is not None and held.lease.owner not in (owner, ""):
            # No lease lasts longer than its time: otherwise the clock was set back.
            held.expires_at = min(held.expires_at, now + self._ttls[room])
            if held.expires_at > now:
                return None
        self._fence += 1
        lease = Lease(room, owner, self._fence)
        is_own = held is not None and held.lease.owner == owner
        asked = held.asked_to_leave if held and is_own else Leave.NO
        self._held[room] = _Held(lease, now + ttl_seconds, asked, note)
        self._ttls[room] = ttl_seconds
        return lease

    async def renew(
        self, lease: Lease, *, ttl_seconds: float, now: float, note: str = ""
    ) -> LeaseState:
        held = self._held.setdefault(lease.room, _Held(lease, now))
        if held.lease != lease:
            return LeaseState(held=False)
        self._fence = max(self._fence, lease.fence)
        held.expires_at, held.note = now + ttl_seconds, note
        self._ttls[lease.room] = ttl_seconds
        return LeaseState(held=True, asked_to_leave=held.asked_to_leave)

    async def release(self, lease: Lease) -> None:
        if (held := self._held.get(lease.room)) and held.lease == lease:
            self._give_back(held)

    async def ask_to_leave(self, owner_prefix: str) -> int:
        asked = [
            held
            for held in self._held.values()
            if held.lease.owner and held.lease.owner.startswith(owner_prefix)
        ]
        for held in asked:
            held.asked_to_leave = max(held.asked_to_leave, Leave.DRAIN)
        return len(asked)

    async def end(self, room: str, *, now: float) -> bool:
        is_there = any(one.room == room for one in await self.held(now=now))
        if is_there:
            self._held[room].asked_to_leave = Leave.FOR_GOOD
        return is_there

    async def free(self, owner: str) -> int:
        theirs = [held for held in self._held.values() if held.lease.owner == owner]
        for held in theirs:
            self._give_back(held)
        return len(theirs)

    async def held(self, *, now: float) -> tuple[Held, ...]:
        for room, one in self._held.items():
            one.expires_at = min(one.expires_at, now + self._ttls[room])
        living = [one for one in self._held.values() if one.lease.owner and one.expires_at > now]
        living.sort(key=lambda one: one.lease.room)
        return tuple(Held(one.lease.room, one.lease.owner, one.note) for one in living)

    def _give_back(self, held: _Held) -> None:
        """Who held it before cannot take it again by renewing."""
        nobodys = Lease(held.lease.room, "", held.lease.fence)
        self._held[nobodys.room] = _Held(nobodys, held.expires_at)

    def purge(self, now: float) -> None:
        over_since = now - LEASES_KEPT_SECONDS
        for room in [room for room, one in self._held.items() if one.expires_at < over_since]:
            del self._held[room], self._ttls[room]

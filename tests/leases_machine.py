"""Leases, step by step beside a plain model."""

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    invariant,
    multiple,
    precondition,
    rule,
)
from plain_leases import PlainLeases
from store_machine import StoreMachine

from session.leases import Lease

HOUR_SECONDS = 3600.0

rooms = st.sampled_from(["a", "a", "a", "b"])
owners = st.sampled_from(["w1/a", "w11/a", "w2/a"])
lengths = st.sampled_from([3.0, 10.0])
steps = st.sampled_from([0.25, 1.0, 2.0, 3.0, 7.75])
notes = st.sampled_from(["", "a note", "grüß"])
jumps = st.sampled_from([0.5, 2.0, 8.0, 1800.0, 3600.0])


class LeasesMachine(StoreMachine):
    """Owners who fight for two rooms, under a clock that is set back and forward.

    A lease that was given back, lost or is older than its store stays in some owner's hands.
    """

    given = Bundle("given")

    def __init__(self) -> None:
        super().__init__()
        self.model = PlainLeases()
        self.passed_seconds = 0.0
        """Really, whatever the clock says."""
        self.believed: dict[tuple[str, str], float] = {}
        """By room and owner: until when it was told that it holds the room."""
        self.highest: Counter[str] = Counter()
        """By room: the fence."""

    @rule(target=given, room=rooms, owner=owners, seconds=lengths)
    def claim(self, room: str, owner: str, seconds: float) -> Lease | MultipleResults[Lease]:
        lease = self.try_to_claim(room, owner, seconds)
        return multiple() if lease is None else lease

    @rule(target=given, room=rooms, owner=owners, seconds=lengths, early=st.booleans())
    def wait_and_claim(
        self, room: str, owner: str, seconds: float, early: bool
    ) -> Lease | MultipleResults[Lease]:
        """When the one who holds it has lost it, or a moment before."""
        lease = self.try_to_claim(room, owner, seconds)
        if lease is None:
            self.pass_time(self.model.seconds_left(room, self.now) - 0.25 * early)
            lease = self.try_to_claim(room, owner, seconds)
        if lease is None:
            return multiple()
        self.renew(lease, seconds)
        return lease

    def try_to_claim(self, room: str, owner: str, seconds: float) -> Lease | None:
        is_free = self.model.is_free_for(owner, room, self.now)
        lease = self.run(
            self.store.leases.claim(
                room, owner, ttl_seconds=seconds, now=self.now, note=f"claimed by {owner}"
            )
        )
        assert (lease is not None) == is_free
        if lease is None:
            return None
        assert (lease.room, lease.owner) == (room, owner)
        assert lease.fence > self.highest[room]
        self.model.take(lease, seconds, self.now, f"claimed by {owner}")
        self.believe(lease, seconds)
        return lease

    def believe(self, lease: Lease, seconds: float) -> None:
        self.highest[lease.room] = max(self.highest[lease.room], lease.fence)
        self.believed[lease.room, lease.owner] = self.passed_seconds + seconds

    @rule(lease=given, seconds=lengths, note=notes)
    def renew(self, lease: Lease, seconds: float, note: str = "") -> None:
        expected = self.model.renew(lease, seconds, self.now, note)
        state = self.run(
            self.store.leases.renew(lease, ttl_seconds=seconds, now=self.now, note=note)
        )
        assert state == expected
        if state.held:
            self.believe(lease, seconds)

    @rule(room=rooms, seconds=lengths)
    def renew_in_time(self, room: str, seconds: float) -> None:
        """Or too late, if nobody has claimed it meanwhile."""
        held = self.model.holding(room)
        if held is not None:
            self.renew(held.lease, seconds)

    @rule(lease=given)
    def release(self, lease: Lease) -> None:
        if self.model.is_held(lease):
            self.believed.pop((lease.room, lease.owner), None)
        self.model.release(lease)
        self.run(self.store.leases.release(lease))

    @rule(owner_prefix=st.sampled_from(["w1/", "w2/", "w11/", "w1/a", "w3/", ""]))
    def ask_to_leave(self, owner_prefix: str) -> None:
        expected = self.model.ask_to_leave(owner_prefix)
        assert self.run(self.store.leases.ask_to_leave(owner_prefix)) == expected

    @rule(room=rooms)
    def end(self, room: str) -> None:
        expected = self.model.end(room, self.now)
        assert self.run(self.store.leases.end(room, now=self.now)) == expected

    @rule(owner=owners)
    def free(self, owner: str) -> None:
        assert self.run(self.store.leases.free(owner)) == self.model.free(owner)
        self.believed = {key: until for key, until in self.believed.items() if key[1] != owner}

    @rule()
    def look(self) -> None:
        """At all rooms that somebody holds, as the watcher does."""
        held = self.run(self.store.leases.held(now=self.now))
        assert set(held) == self.model.held(self.now)
        assert [one.room for one in held] == sorted(one.room for one in held)

    @rule(seconds=steps)
    def pass_time(self, seconds: float) -> None:
        self.passed_seconds += seconds
        self.now += seconds

    @rule(seconds=jumps)
    def set_back(self, seconds: float) -> None:
        self.now -= seconds

    @rule(seconds=jumps)
    def set_forward(self, seconds: float) -> None:
        self.now += seconds
        self.believed.clear()

    @precondition(lambda self: self.model.longest_over_seconds(self.now) <= HOUR_SECONDS)
    @rule()
    def purge(self) -> None:
        """Nothing that ended within an hour is garbage."""
        self.run(self.store.sessions.purge(seen_before=0, now=self.now))

    @rule()
    def lose_everything(self) -> None:
        """The store is emptied under its users."""
        self.opened.empty()
        self.model = PlainLeases()
        self.believed.clear()
        self.highest.clear()

    @invariant()
    def a_room_has_one_holder(self) -> None:
        holders = Counter(
            room for (room, _), until in self.believed.items() if until > self.passed_seconds
        )
        assert all(count == 1 for count in holders.values())

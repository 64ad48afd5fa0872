"""Leases: against a plain model, and as a call keeps one."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from structlog.testing import capture_logs

from session.errors import StoreError
from session.leases import Lease, LeaseState, RoomLease
from session.store import MemoryStore, SqliteStore, Store

OWNERS = st.sampled_from(["w1/a", "w1/b", "w2/a"])


class Leases(RuleBasedStateMachine):
    """One room, three owners, a clock; the model is who holds it and until when."""

    def __init__(self) -> None:
        super().__init__()
        self.store = self.new_store()
        self.now = 0.0
        self.holder: Lease | None = None
        self.until = 0.0
        self.asked = False
        self.every: list[Lease] = []

    def new_store(self) -> Store:
        return MemoryStore()

    @rule(seconds=st.floats(0.1, 4))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule(owner=OWNERS)
    def claim(self, owner: str) -> None:
        claiming = self.store.leases.claim("room", owner, ttl_seconds=3, now=self.now)
        lease = asyncio.run(claiming)
        is_free = self.holder is None or self.until <= self.now or self.holder.owner == owner
        assert (lease is not None) == is_free
        if lease is not None:
            assert all(lease.fence > earlier.fence for earlier in self.every)
            self.every.append(lease)
            # Asked between the worker's claim and its call's, the call must still hear it.
            was_holder = self.holder is not None and self.holder.owner == owner
            self.asked = self.asked and was_holder
            self.holder, self.until = lease, self.now + 3

    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        if not self.every:
            return
        lease = data.draw(st.sampled_from(self.every))
        state = asyncio.run(self.store.leases.renew(lease, ttl_seconds=3, now=self.now))
        held = lease == self.holder
        assert state == LeaseState(held=held, asked_to_leave=held and self.asked)
        if held:
            self.until = self.now + 3

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if not self.every:
            return
        lease = data.draw(st.sampled_from(self.every))
        asyncio.run(self.store.leases.release(lease))
        if lease == self.holder:
            self.holder = None

    @rule(worker=st.sampled_from(["w1/", "w2/"]))
    def ask(self, worker: str) -> None:
        is_theirs = self.holder is not None and self.holder.owner.startswith(worker)
        assert asyncio.run(self.store.leases.ask_to_leave(worker)) == int(is_theirs)
        self.asked = self.asked or is_theirs

    @invariant()
    def fences_never_repeat(self) -> None:
        assert len({lease.fence for lease in self.every}) == len(self.every)


class SqliteLeases(Leases):
    """The same model over a file."""

    def new_store(self) -> Store:
        self.folder = TemporaryDirectory()
        return asyncio.run(SqliteStore.open(Path(self.folder.name) / "june.db"))

    def teardown(self) -> None:
        asyncio.run(self.store.aclose())
        self.folder.cleanup()


TestLeases = Leases.TestCase
TestLeases.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)

TestSqliteLeases = SqliteLeases.TestCase
TestSqliteLeases.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)


class Renewals:
    """A store's answers to renewals, by script; the last one is repeated."""

    def __init__(self, *answers: LeaseState | StoreError) -> None:
        self.answers = list(answers)
        self.renewed = 0
        self.released = 0

    async def renew_room(self, lease: Lease) -> LeaseState:
        answer = self.answers[min(self.renewed, len(self.answers) - 1)]
        self.renewed += 1
        if isinstance(answer, StoreError):
            raise answer
        return answer

    async def release_room(self, lease: Lease) -> None:
        self.released += 1


HELD = LeaseState(held=True, asked_to_leave=False)
LEAVE = LeaseState(held=True, asked_to_leave=True)
LOST = LeaseState(held=False, asked_to_leave=False)
AWAY = StoreError("away", retryable=True)


@pytest.fixture
def told() -> list[str]:
    return []


def keep(renewals: Renewals, told: list[str]) -> RoomLease:
    def tell(what: str) -> Callable[[], None]:
        return lambda: told.append(what)

    return RoomLease(
        renewals,
        Lease("room", "w/j", 1),
        on_lost=tell("lost"),
        on_asked_to_leave=tell("leave"),
        sleep=lambda _: asyncio.sleep(0),
    )


async def until_renewed(renewals: Renewals, times: int) -> None:
    for _ in range(1000):
        if renewals.renewed >= times:
            return
        await asyncio.sleep(0)
    pytest.fail(f"renewed {renewals.renewed} times instead of {times}")


async def test_a_lease_is_renewed_and_given_back(told: list[str]) -> None:
    """For as long as the call lives."""
    renewals = Renewals(HELD)
    async with keep(renewals, told):
        await until_renewed(renewals, 5)
    assert (told, renewals.released) == ([], 1)


async def test_a_lost_lease_is_told_once(told: list[str]) -> None:
    """Another June has the room."""
    renewals = Renewals(HELD, LOST)
    async with keep(renewals, told):
        await until_renewed(renewals, 2)
        await asyncio.sleep(0)
    assert told == ["lost"]


async def test_being_asked_to_leave_is_told_once_and_the_lease_is_kept(told: list[str]) -> None:
    """A goodbye takes seconds, and the room is June's until it is said."""
    renewals = Renewals(HELD, LEAVE)
    async with keep(renewals, told):
        await until_renewed(renewals, 6)
    assert told == ["leave"]


async def test_a_store_that_is_away_is_no_loss(told: list[str]) -> None:
    """It is said once in the log, and the call goes on."""
    renewals = Renewals(HELD, AWAY, AWAY, AWAY, HELD)
    with capture_logs() as logs:
        async with keep(renewals, told):
            await until_renewed(renewals, 7)
    assert told == []
    assert [entry["event"] for entry in logs] == ["lease.unrenewed"]

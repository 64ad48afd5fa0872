"""A lease as a call keeps it."""

import asyncio
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from session.errors import StoreError
from session.leases import Lease, LeaseState, Leave, RoomLease


class Renewals:
    """A store's answers to claims and renewals, by script; the last renewal is repeated."""

    def __init__(
        self,
        *answers: LeaseState | StoreError,
        claims: tuple[Lease | StoreError | None, ...] = (),
    ) -> None:
        self.answers = list(answers)
        self.claims = list(claims)
        self.renewed = 0
        self.released = 0

    async def claim_room(self, room_name: str, owner: str, *, note: str) -> Lease | None:
        assert (room_name, owner) == ("room", "w/j")
        answer = self.claims.pop(0)
        if isinstance(answer, StoreError):
            raise answer
        return answer

    async def renew_room(self, lease: Lease, *, note: str) -> LeaseState:
        answer = self.answers[min(self.renewed, len(self.answers) - 1)]
        self.renewed += 1
        if isinstance(answer, StoreError):
            raise answer
        return answer

    async def release_room(self, lease: Lease) -> None:
        self.released += 1


HELD = LeaseState(held=True)
LEAVE = LeaseState(held=True, asked_to_leave=Leave.DRAIN)
LOST = LeaseState(held=False)
AWAY = StoreError("away", retryable=True)


@pytest.fixture
def told() -> list[str]:
    return []


LEASE = Lease("room", "w/j", 1)


def keep(renewals: Renewals, told: list[str], lease: Lease | None = LEASE) -> RoomLease:
    def tell(what: str) -> Callable[[], None]:
        return lambda: told.append(what)

    return RoomLease(
        renewals,
        "room",
        "w/j",
        lease,
        on_lost=tell("lost"),
        on_asked_to_leave=lambda how: told.append(how.name),
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
    assert told == ["DRAIN"]


async def test_being_asked_for_more_is_told_as_well(told: list[str]) -> None:
    """The operator ends a call whose worker is stopping: nobody is to go on with it."""
    for_good = LeaseState(held=True, asked_to_leave=Leave.FOR_GOOD)
    renewals = Renewals(HELD, LEAVE, LEAVE, for_good, LEAVE, for_good, LOST)
    async with keep(renewals, told):
        await until_renewed(renewals, 7)
        await asyncio.sleep(0)
    assert told == ["DRAIN", "FOR_GOOD", "lost"]


async def test_a_store_that_is_away_is_no_loss(told: list[str]) -> None:
    """It is said once in the log, and the call goes on."""
    renewals = Renewals(HELD, AWAY, AWAY, AWAY, HELD)
    with capture_logs() as logs:
        async with keep(renewals, told):
            await until_renewed(renewals, 7)
    assert told == []
    assert [entry["event"] for entry in logs] == ["lease.unrenewed"]


async def test_a_room_that_could_not_be_claimed_is_claimed_when_the_store_is_back(
    told: list[str],
) -> None:
    """Without a lease the call would be taken for dead."""
    renewals = Renewals(HELD, claims=(AWAY, AWAY, LEASE))
    async with keep(renewals, told, None):
        await until_renewed(renewals, 2)
    assert (told, renewals.claims, renewals.released) == ([], [], 1)


async def test_a_room_that_another_one_has_claimed_meanwhile_is_lost(told: list[str]) -> None:
    """One June per room."""
    renewals = Renewals(HELD, claims=(AWAY, None))
    async with keep(renewals, told, None):
        while not told:
            await asyncio.sleep(0)
    assert (told, renewals.renewed, renewals.released) == (["lost"], 0, 0)

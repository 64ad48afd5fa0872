"""What has run out is deleted when a store is purged, and not before it is long over.

Of Redis, which does so by itself, its own tests look at how long each key lasts.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from session.limits import Ask, BlockRule, Budget, Window
from session.money import Charge, Reservation
from session.store import MemoryStore, SqliteStore
from session.store.sqlite.rows import rows

NOW = 1_000_000.0

HOUR, DAY = 3_600.0, 86_400.0

DAY_BUDGET = (Budget("day", ""),)

Collecting = MemoryStore | SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Collecting]:
    """The ones that must be told to collect."""
    opened: Collecting = MemoryStore()
    if request.param == "sqlite":
        opened = await SqliteStore.open(tmp_path / "june.db")
    yield opened
    await opened.aclose()


async def kept(store: Collecting, kind: str) -> int:
    """How many blocks, accounts, reservations, memories or leases there are."""
    if isinstance(store, SqliteStore):
        counting = f"SELECT count(*) FROM {kind}"
        ((count,),) = await store.db.read(lambda db: rows(db, counting))
        return int(count)
    match kind:
        case "blocks":
            return len(store.limits._blocks)
        case "accounts":
            return len(store.ledger._accounts)
        case "reservations":
            return len(store.ledger._reserved)
        case "memories":
            return sum(map(len, store.memories._kept.values()))
    return len(store.leases._held)


async def check_kept_for(store: Collecting, kind: str, *, until: float) -> None:
    """There is one, and a purge leaves it until then, and no longer."""
    for now, count in ((until - 1, 1), (until, 1), (until + 1, 0)):
        await store.sessions.purge(seen_before=0, now=now)
        assert await kept(store, kind) == count


async def test_an_account_is_kept_for_two_days_after_its_last_use(store: Collecting) -> None:
    """By a charge, too."""
    await store.ledger.reserve(Reservation("1", DAY_BUDGET, 1, 1), now=NOW)
    await store.ledger.settle("1", Charge(1, 1), now=NOW + 60)
    await check_kept_for(store, "accounts", until=NOW + 60 + 2 * DAY)


async def test_what_nobody_settled_is_kept_for_two_days(store: Collecting) -> None:
    """Whoever settles it late corrects the charge; then its account goes, too."""
    await store.ledger.reserve(Reservation("1", DAY_BUDGET, 1, 1), now=NOW)
    await store.ledger.accounts(["day"], now=NOW + 120)
    await check_kept_for(store, "reservations", until=NOW + 120 + 2 * DAY)
    assert await kept(store, "accounts") == 0


async def test_what_is_reserved_keeps_its_account(store: Collecting) -> None:
    """However long ago it was."""
    long_one = Reservation("1", DAY_BUDGET, 1, 1, expires_seconds=9 * DAY)
    await store.ledger.reserve(long_one, now=NOW)
    await store.sessions.purge(seen_before=0, now=NOW + 8 * DAY)
    assert await kept(store, "accounts") == 1
    (account,) = await store.ledger.settle("1", Charge(1, 1), now=NOW + 8 * DAY)
    assert (account.spent_micros, account.reserved_micros, account.requests) == (1, 0, 1)
    await check_kept_for(store, "accounts", until=NOW + 10 * DAY)


async def test_a_block_is_kept_for_two_days_after_its_end(store: Collecting) -> None:
    """Longer than it makes the next one longer."""
    rule = BlockRule("block of ann", refusals=1)
    never = Window("turns of ann", 0, 60.0, "minute")
    refused = await store.limits.admit(Ask("1", (never,), rule), now=NOW)
    assert refused.reason == "blocked"
    await check_kept_for(store, "blocks", until=NOW + refused.retry_after_seconds + 2 * DAY)


@pytest.mark.parametrize("is_released", [False, True])
async def test_a_lease_is_kept_for_an_hour_after_its_end(
    store: Collecting, is_released: bool
) -> None:
    """A room that was given back, too: until then its old holder cannot renew it."""
    lease = await store.leases.claim("Ann", "w/j", ttl_seconds=3, now=NOW)
    assert lease is not None
    if is_released:
        await store.leases.release(lease)
    await check_kept_for(store, "leases", until=NOW + 3 + HOUR)
    assert await store.leases.claim("Ann", "w2/j", ttl_seconds=3, now=NOW + 2 * HOUR) is not None


async def test_what_a_skill_keeps_is_kept_for_a_year(store: Collecting) -> None:
    """Since it was last written; reading it, and what is written beside it, does not count."""
    await store.memories.put("ann", "notes", "1", "milk", now=NOW)
    await store.memories.put("ann", "notes", "1", "oat milk", now=NOW + DAY)
    await store.memories.put("ann", "notes", "2", "eggs", now=NOW + 300 * DAY)
    await store.sessions.purge(seen_before=0, now=NOW + 366 * DAY)
    assert await store.memories.all("ann", "notes") == {"1": "oat milk", "2": "eggs"}
    await store.sessions.purge(seen_before=0, now=NOW + 366 * DAY + 1)
    assert await store.memories.all("ann", "notes") == {"2": "eggs"}
    await check_kept_for(store, "memories", until=NOW + 665 * DAY)

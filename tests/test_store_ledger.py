"""Money: what every store promises of it."""

import asyncio
from dataclasses import replace

from session.limits import Budget
from session.money import Account, Breaker, Charge, Reservation
from session.store import Store

NOW = 1_000_000.0

TWO_DAYS = 172_800.0

DAY = Budget("day", "out_of_budget", micros=1000, ends_at=NOW + 5000, trips_breaker=True)
ANN = Budget("ann", "user_budget", micros=300, ends_at=NOW + 5000)
COUNTED = Budget("counted", "out_of_budget", tokens=100, requests=2)


def hold(name: str, micros: int, *budgets: Budget, tokens: int = 0) -> Reservation:
    return Reservation(name, budgets or (DAY,), micros=micros, tokens=tokens)


async def account(store: Store, key: str = "day", now: float = NOW) -> Account:
    (found,) = await store.ledger.accounts([key], now=now)
    return found


async def test_what_is_reserved_is_settled_by_what_it_did_cost(store: Store) -> None:
    """In every budget of it."""
    decision = await store.ledger.reserve(hold("1", 100, DAY, ANN, tokens=10), now=NOW)
    assert (decision.allowed, decision.budget_used) == (True, 100 / 300)
    assert await account(store) == Account(
        "day", reserved_micros=100, reserved_tokens=10, requests=1
    )
    settled = await store.ledger.settle("1", Charge(60, 7), now=NOW)
    assert settled == (
        Account("day", spent_micros=60, spent_tokens=7, requests=1),
        Account("ann", spent_micros=60, spent_tokens=7, requests=1),
    )
    assert await account(store) == settled[0]


async def test_it_is_settled_once(store: Store) -> None:
    """The first settlement stands; an unknown one changes nothing."""
    await store.ledger.reserve(hold("1", 100), now=NOW)
    assert await store.ledger.settle("1", Charge(60, 0), now=NOW)
    assert await store.ledger.settle("1", Charge(90, 0), now=NOW) == ()
    assert await store.ledger.settle("nothing", Charge(90, 0), now=NOW) == ()
    assert (await account(store)).spent_micros == 60


async def test_it_is_reserved_once(store: Store) -> None:
    """A writer that is not sure may ask again."""
    for _ in range(3):
        assert (await store.ledger.reserve(hold("1", 400), now=NOW)).allowed
    assert (await account(store)).reserved_micros == 400


async def test_a_budget_is_not_overspent(store: Store) -> None:
    """What does not fit is held in none of its budgets."""
    assert (await store.ledger.reserve(hold("1", 250, DAY, ANN), now=NOW)).allowed
    refused = await store.ledger.reserve(hold("2", 51, DAY, ANN), now=NOW)
    assert (refused.allowed, refused.reason) == (False, "user_budget")
    assert refused.retry_after_seconds == 5000
    assert (await account(store)).reserved_micros == 250
    assert (await store.ledger.reserve(hold("3", 50, DAY, ANN), now=NOW)).allowed
    assert await store.ledger.breaker(now=NOW) is None


async def test_tokens_and_requests_have_limits_too(store: Store) -> None:
    """Each by itself."""
    assert (await store.ledger.reserve(hold("1", 0, COUNTED, tokens=60), now=NOW)).allowed
    assert not (await store.ledger.reserve(hold("2", 0, COUNTED, tokens=41), now=NOW)).allowed
    assert (await store.ledger.reserve(hold("3", 0, COUNTED, tokens=40), now=NOW)).allowed
    assert not (await store.ledger.reserve(hold("4", 0, COUNTED), now=NOW)).allowed


async def test_the_days_budget_stops_june_until_midnight(store: Store) -> None:
    """Also what would still fit; then she may again."""
    assert (await store.ledger.reserve(hold("1", 990), now=NOW)).allowed
    assert not (await store.ledger.reserve(hold("2", 11), now=NOW)).allowed
    assert await store.ledger.breaker(now=NOW) == Breaker(NOW + 5000, "out_of_budget")
    refused = await store.ledger.reserve(hold("3", 1), now=NOW + 1000)
    assert (refused.reason, refused.retry_after_seconds) == ("out_of_budget", 4000)
    assert await store.ledger.breaker(now=NOW + 5000) is None
    tomorrow = Budget("tomorrow", "out_of_budget", micros=1000)
    assert (await store.ledger.reserve(hold("4", 1, tomorrow), now=NOW + 5000)).allowed


async def test_last_words_are_never_refused(store: Store) -> None:
    """She says goodbye although the money is gone, and it is counted."""
    await store.ledger.open_breaker(Breaker(NOW + 100, "paused"), now=NOW)
    must = Reservation("1", (DAY,), micros=5000, tokens=0, must=True)
    assert (await store.ledger.reserve(must, now=NOW)).allowed
    assert (await account(store)).reserved_micros == 5000


async def test_what_nobody_settles_becomes_a_charge(store: Store) -> None:
    """A crash neither frees what was spent nor blocks for ever."""
    await store.ledger.reserve(hold("1", 100, DAY, ANN, tokens=10), now=NOW)
    assert (await account(store, now=NOW + 119.9)).reserved_micros == 100
    assert await account(store, now=NOW + 120) == Account(
        "day", spent_micros=100, spent_tokens=10, requests=1, estimated_micros=100
    )
    assert (await account(store, "ann", NOW + 120)).spent_micros == 100


async def test_a_late_settlement_corrects_the_charge(store: Store) -> None:
    """The process was slow and not dead."""
    await store.ledger.reserve(hold("1", 100, tokens=10), now=NOW)
    (after,) = await store.ledger.settle("1", Charge(60, 7, is_estimate=True), now=NOW + 500)
    assert after == Account("day", spent_micros=60, spent_tokens=7, requests=1, estimated_micros=60)
    assert await store.ledger.settle("1", Charge(60, 7), now=NOW + 500) == ()


async def test_what_is_known_of_a_charge_is_kept(store: Store) -> None:
    """Estimates and what has no price are told apart, and a request that was never made."""
    charges = [
        Charge(10, 1, is_estimate=True),
        Charge(0, 2, is_unpriced=True),
        Charge(0, 0, is_estimate=True, requests=0),
    ]
    for number, charge in enumerate(charges):
        await store.ledger.reserve(hold(str(number), 50), now=NOW)
        await store.ledger.settle(str(number), charge, now=NOW)
    assert await account(store) == Account(
        "day",
        spent_micros=10,
        spent_tokens=3,
        requests=2,
        estimated_micros=10,
        unpriced_requests=1,
    )


async def test_the_longer_breaker_stays(store: Store) -> None:
    """Pausing by hand does not shorten what a budget tripped."""
    await store.ledger.open_breaker(Breaker(NOW + 500, "out_of_budget"), now=NOW)
    await store.ledger.open_breaker(Breaker(NOW + 100, "paused"), now=NOW)
    assert await store.ledger.breaker(now=NOW) == Breaker(NOW + 500, "out_of_budget")


async def test_a_breaker_that_has_run_out_is_not_closed(store: Store) -> None:
    """Nobody is told that June was stopped until now."""
    assert not await store.ledger.close_breaker(now=NOW)
    await store.ledger.open_breaker(Breaker(NOW + 100, "paused"), now=NOW)
    assert not await store.ledger.close_breaker(now=NOW + 100)
    await store.ledger.open_breaker(Breaker(NOW + 300, "paused"), now=NOW + 200)
    assert await store.ledger.close_breaker(now=NOW + 200)
    assert await store.ledger.breaker(now=NOW + 200) is None


async def test_an_account_outlives_what_is_reserved_in_it(store: Store) -> None:
    """A long call's allowance, though nobody else uses the account."""
    long_one = replace(hold("1", 100, tokens=10), expires_seconds=TWO_DAYS + 200)
    await store.ledger.reserve(long_one, now=NOW)
    await store.ledger.reserve(hold("2", 50), now=NOW)
    await store.ledger.settle("2", Charge(20, 5), now=NOW)
    await store.sessions.purge(seen_before=0, now=NOW + TWO_DAYS + 100)
    assert await account(store) == Account(
        "day",
        spent_micros=20,
        reserved_micros=100,
        spent_tokens=5,
        reserved_tokens=10,
        requests=2,
    )
    (settled,) = await store.ledger.settle("1", Charge(60, 7), now=NOW + TWO_DAYS + 100)
    assert (settled.spent_micros, settled.reserved_micros) == (80, 0)


async def test_a_cancelled_wait_holds_in_all_budgets_or_in_none(store: Store) -> None:
    """Barge-in cancels at any moment."""
    unlimited = [Budget(name, "") for name in ("a", "b")]
    for number in range(40):
        waiting = asyncio.create_task(
            store.ledger.reserve(hold(str(number), 7, *unlimited), now=NOW)
        )
        for _ in range(number % 5):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
    first, second = await store.ledger.accounts(["a", "b"], now=NOW)
    assert first.reserved_micros == second.reserved_micros
    assert (await store.ledger.reserve(hold("last", 7, *unlimited), now=NOW)).allowed

"""Every store under eight processes at once: each operation is done whole, and once."""

from collections.abc import Iterator, Mapping
from multiprocessing.pool import Pool
from pathlib import Path

import pytest
from processes import PROCESSES, SHARED, Crowd, forking, url_of
from test_store import NOW, begin, said

from session.leases import Lease
from session.limits import Ask, BlockRule, Budget, Decision, Window
from session.money import Account, Breaker, Charge, Reservation
from session.records import CloseReason, Removed, Session, SessionStats, TurnMetrics
from session.store import Store
from session.store.retention import MOST_KEYS

EACH = 40
"""How often each of them does it."""


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with forking.Pool(PROCESSES) as processes:
        yield processes


@pytest.fixture(params=SHARED)
def crowd(request: pytest.FixtureRequest, pool: Pool, tmp_path: Path) -> Crowd:
    return Crowd(pool, url_of(request.param, request, tmp_path))


async def the_session(store: Store) -> Session:
    (session,) = await store.sessions.of_user("ann")
    return session


async def figures(store: Store) -> SessionStats:
    return await store.sessions.stats()


async def open_rooms(store: Store, number: int) -> list[Session]:
    return [await begin(store, f"room {turn % 5}") for turn in range(EACH)]


def test_a_room_has_one_conversation(crowd: Crowd) -> None:
    """Whoever comes first begins it, and all others pick it up."""
    opened = [session for each in crowd.at_once(open_rooms) for session in each]
    assert len({session.session_id for session in opened}) == 5
    assert sum(session.resumes == 0 for session in opened) == 5
    assert max(session.resumes for session in opened) == PROCESSES * EACH / 5 - 1
    stats = crowd.after(figures)
    assert (stats.total_created, stats.active_sessions, stats.active_rooms) == (5, 5, 5)


async def append_all(store: Store, number: int) -> list[bool]:
    session = await begin(store)
    mine = said(session, f"of {number}")
    shared = [said(session, f"{turn}") for turn in range(EACH)]
    return [await store.sessions.append(one, now=NOW) for one in (*shared, mine)]


async def appended(store: Store) -> list[str]:
    session = await the_session(store)
    messages = await store.sessions.messages(session.session_id)
    assert session.message_count == len(messages)
    return [message.id for message in messages]


def test_a_message_is_kept_once(crowd: Crowd) -> None:
    """One of them is told that it was the first, and the count is exact."""
    first = crowd.at_once(append_all)
    assert [sum(turn) for turn in zip(*first, strict=True)] == [1] * EACH + [PROCESSES]
    assert sorted(crowd.after(appended)) == sorted(
        [str(turn) for turn in range(EACH)] + [f"of {number}" for number in range(PROCESSES)]
    )


async def commit_all(store: Store, number: int) -> list[bool]:
    session = await begin(store)
    return [await store.sessions.commit_turn(session.session_id, turn) for turn in range(EACH)]


def test_a_turn_takes_effect_once(crowd: Crowd) -> None:
    """For one of them."""
    assert [sum(turn) for turn in zip(*crowd.at_once(commit_all), strict=True)] == [1] * EACH


async def summarise_all(store: Store, number: int) -> None:
    """Nobody ever sees a shorter one than before."""
    session = await begin(store)
    seen = 0
    for turn in range(EACH):
        count = 1 + (turn * PROCESSES + (number + turn) % PROCESSES)
        await store.sessions.summarise(session.session_id, f"of {count}", count)
        kept = await the_session(store)
        assert kept.summarised >= max(count, seen)
        seen = kept.summarised


def test_the_longest_summary_stays(crowd: Crowd) -> None:
    """And what else is known of the session is not lost to one that wrote at the same time."""
    crowd.at_once(summarise_all)
    session = crowd.after(the_session)
    assert session.summarised == EACH * PROCESSES
    assert session.context_summary == f"of {session.summarised}"
    assert session.resumes == PROCESSES - 1


async def measure_all(store: Store, number: int) -> None:
    """What was there once does not change any more."""
    session = await begin(store)
    seen: list[TurnMetrics] = []
    for turn in range(EACH):
        metrics = TurnMetrics(turn=turn, at=NOW + number, reply_seconds=float(number))
        await store.sessions.measure(session.session_id, metrics)
        seen.append((await store.sessions.measured(session.session_id))[turn])
    assert await store.sessions.measured(session.session_id) == tuple(seen)


async def measured(store: Store) -> tuple[TurnMetrics, ...]:
    return await store.sessions.measured((await the_session(store)).session_id)


def test_the_figures_of_a_turn_are_kept_once(crowd: Crowd) -> None:
    """Whole, from one of them."""
    crowd.at_once(measure_all)
    kept = crowd.after(measured)
    assert [metrics.turn for metrics in kept] == list(range(EACH))
    assert all(metrics.at == NOW + (metrics.reply_seconds or 0) for metrics in kept)
    assert crowd.after(figures).reply.turns == EACH


async def close_and_delete_all(store: Store, number: int) -> tuple[int, Removed]:
    sessions = await store.sessions.of_user("ann")
    closed = [
        await store.sessions.close(session.session_id, CloseReason.GOODBYE, now=NOW)
        for session in sessions
    ]
    removed = [await store.sessions.delete(session.session_id) for session in sessions]
    return sum(closed), sum(removed, Removed())


def test_a_session_is_deleted_once(crowd: Crowd) -> None:
    """What each of them says it removed is together what there was."""
    crowd.at_once(open_rooms)
    crowd.at_once(append_all)
    each = crowd.at_once(close_and_delete_all)
    assert sum(closed for closed, _ in each) <= 6
    assert sum((removed for _, removed in each), Removed()) == Removed(
        sessions=6, messages=EACH + PROCESSES
    )
    stats = crowd.after(figures)
    assert (stats.total_created, stats.active_sessions, stats.messages) == (6, 0, 0)


# Limits.

SMALL = Window("turns of ann", 25, 60.0, "minute")
LARGE = Window("turns of all", 30, 60.0, "hour")


async def ask_both(store: Store, number: int) -> list[Decision]:
    asks = [Ask(f"{number} {turn}", (SMALL, LARGE)) for turn in range(EACH)]
    return [await store.limits.admit(ask, now=NOW) for ask in asks]


async def ask_large(store: Store, number: int) -> list[Decision]:
    asks = [Ask(f"large {number} {turn}", (LARGE,)) for turn in range(EACH)]
    return [await store.limits.admit(ask, now=NOW) for ask in asks]


def test_exactly_the_limit_is_admitted(crowd: Crowd) -> None:
    """And whom one window refuses does not count in the other."""
    decisions = [decision for each in crowd.at_once(ask_both) for decision in each]
    assert sum(decision.allowed for decision in decisions) == SMALL.limit
    assert {decision.reason for decision in decisions} == {None, SMALL.reason}
    decisions = [decision for each in crowd.at_once(ask_large) for decision in each]
    assert sum(decision.allowed for decision in decisions) == LARGE.limit - SMALL.limit


async def ask_again(store: Store, number: int) -> list[bool]:
    asks = [Ask(f"{turn}", (SMALL,)) for turn in range(EACH)]
    return [(await store.limits.admit(ask, now=NOW)).allowed for ask in asks]


def test_attempts_at_one_turn_count_once(crowd: Crowd) -> None:
    """Also in several processes: the same ones are admitted everywhere."""
    allowed = [turn < SMALL.limit for turn in range(EACH)]
    assert crowd.at_once(ask_again) == [allowed] * PROCESSES


NONE = Window("turns of bob", 0, 60.0, "minute")
RULE = BlockRule("block of bob", refusals=20)


async def insist(store: Store, number: int) -> list[Decision]:
    asks = [Ask(f"{number} {turn}", (NONE,), RULE) for turn in range(EACH)]
    return [await store.limits.admit(ask, now=NOW) for ask in asks]


async def insist_later(store: Store) -> Decision:
    asks = [Ask(f"{turn}", (NONE,), RULE) for turn in range(RULE.refusals)]
    return [await store.limits.admit(ask, now=NOW + 900) for ask in asks][-1]


def test_somebody_is_blocked_once(crowd: Crowd) -> None:
    """After exactly so many refusals, for the first time; the second one is twice as long."""
    decisions = [decision for each in crowd.at_once(insist) for decision in each]
    refused = [one for one in decisions if one.reason == NONE.reason]
    blocked = [one for one in decisions if one.reason == "blocked"]
    assert (len(refused), len(blocked)) == (RULE.refusals - 1, len(decisions) - len(refused))
    assert {one.retry_after_seconds for one in blocked} == {900}
    assert crowd.after(insist_later).retry_after_seconds == 1800


# Money.

ALL = Budget("all", "out_of_budget", micros=1000)


def of_pair(number: int) -> Budget:
    """Two processes each share one; together they are more than there is for all."""
    return Budget(f"pair {number // 2}", "user_budget", micros=310)


async def spend(store: Store, number: int) -> int:
    """How much of it was granted. The budgets hold at any moment, and half of it is settled."""
    granted = 0
    budgets = (ALL, of_pair(number))
    for turn in range(EACH):
        name = f"{number} {turn}"
        hold = Reservation(name, budgets, micros=10, tokens=1)
        if (await store.ledger.reserve(hold, now=NOW)).allowed:
            granted += 10
            if turn % 2:
                await store.ledger.settle(name, Charge(10, 1), now=NOW)
        for budget, account in zip(budgets, await accounts(store, budgets), strict=True):
            assert budget.micros is not None
            assert account.spent_micros + account.reserved_micros <= budget.micros
    return granted


async def accounts(store: Store, budgets: tuple[Budget, ...]) -> tuple[Account, ...]:
    return await store.ledger.accounts([budget.key for budget in budgets], now=NOW)


async def all_accounts(store: Store) -> tuple[Account, ...]:
    pairs = (of_pair(number) for number in range(0, PROCESSES, 2))
    return await accounts(store, (ALL, *pairs))


def test_a_budget_is_never_overspent(crowd: Crowd) -> None:
    """All of it is granted, nothing beyond, and every account says the same."""
    granted = crowd.at_once(spend)
    assert sum(granted) == ALL.micros
    every, *pairs = crowd.after(all_accounts)
    assert every.spent_micros + every.reserved_micros == ALL.micros
    for number, pair in enumerate(pairs):
        used = pair.spent_micros + pair.reserved_micros
        assert used == granted[2 * number] + granted[2 * number + 1] <= 310
    for name in ("spent_micros", "reserved_micros", "spent_tokens", "reserved_tokens", "requests"):
        assert getattr(every, name) == sum(getattr(pair, name) for pair in pairs)


async def open_account(store: Store) -> Account:
    (account,) = await store.ledger.accounts(["open"], now=NOW)
    return account


async def reserve_same(store: Store, number: int) -> None:
    for turn in range(EACH):
        hold = Reservation(f"{turn}", (Budget("open", ""),), micros=100, tokens=5)
        assert (await store.ledger.reserve(hold, now=NOW)).allowed


async def settle_same(store: Store, number: int) -> list[int]:
    """What it charged, where it was the first to."""
    answers = [
        await store.ledger.settle(f"{turn}", Charge(number + 1, 0), now=NOW) for turn in range(EACH)
    ]
    return [number + 1 for answer in answers if answer]


def test_a_reservation_is_held_and_settled_once(crowd: Crowd) -> None:
    """By whichever is the first; its charge is the one that counts."""
    crowd.at_once(reserve_same)
    assert crowd.after(open_account) == Account(
        "open", reserved_micros=100 * EACH, reserved_tokens=5 * EACH, requests=EACH
    )
    charged = [charge for each in crowd.at_once(settle_same) for charge in each]
    assert len(charged) == EACH
    assert crowd.after(open_account) == Account("open", spent_micros=sum(charged), requests=EACH)


TRIP = Budget("day", "out_of_budget", micros=100, ends_at=NOW + 500, trips_breaker=True)


async def trip(store: Store, number: int) -> tuple[int, Breaker | None]:
    hold = [Reservation(f"{number} {turn}", (TRIP,), 30, 0) for turn in range(EACH)]
    granted = [(await store.ledger.reserve(one, now=NOW)).allowed for one in hold]
    would_fit = Reservation(f"{number} small", (TRIP,), 10, 0)
    assert not (await store.ledger.reserve(would_fit, now=NOW)).allowed
    return sum(granted), await store.ledger.breaker(now=NOW)


async def close_it(store: Store, number: int) -> bool:
    return await store.ledger.close_breaker(now=NOW)


def test_the_breaker_is_one(crowd: Crowd) -> None:
    """It stops all of them, and one of them closes it."""
    tripped = crowd.at_once(trip)
    assert sum(granted for granted, _ in tripped) == 3
    assert {breaker for _, breaker in tripped} == {Breaker(NOW + 500, "out_of_budget")}
    assert sum(crowd.at_once(close_it)) == 1


# Claims and leases.


async def claim_all(store: Store, number: int) -> list[bool]:
    return [
        (await store.claims.claim(f"{turn}", ttl_seconds=60, now=NOW)).is_first
        for turn in range(EACH)
    ]


def test_one_is_the_first(crowd: Crowd) -> None:
    """To claim something."""
    assert [sum(turn) for turn in zip(*crowd.at_once(claim_all), strict=True)] == [1] * EACH


ROOMS = 150


async def lease_all(store: Store, number: int) -> list[Lease | None]:
    return [
        await store.leases.claim(f"room {turn}", f"w{number}/j", ttl_seconds=60, now=NOW)
        for turn in range(ROOMS)
    ]


def test_a_room_has_one_holder(crowd: Crowd) -> None:
    """And no two leases have the same fence."""
    leases = [lease for each in crowd.at_once(lease_all) for lease in each if lease is not None]
    assert sorted(lease.room for lease in leases) == sorted(f"room {turn}" for turn in range(ROOMS))
    assert len({lease.fence for lease in leases}) == ROOMS


# What skills keep.


async def keep_all(store: Store, number: int) -> list[bool]:
    return [
        await store.memories.put("ann", "notes", f"{number} {turn}", "milk", now=NOW)
        for turn in range(EACH)
    ]


async def notes(store: Store) -> Mapping[str, str]:
    return await store.memories.all("ann", "notes")


def test_exactly_as_many_texts_are_kept_as_may_be(crowd: Crowd) -> None:
    """And those of which their writer was told that they are."""
    kept = {
        f"{number} {turn}"
        for number, each in enumerate(crowd.at_once(keep_all))
        for turn, is_kept in enumerate(each)
        if is_kept
    }
    assert crowd.after(notes).keys() == kept
    assert len(kept) == MOST_KEYS < PROCESSES * EACH


async def keep_shared(store: Store, number: int) -> list[bool]:
    return [
        await store.memories.put("ann", "notes", f"{turn}", f"of {number}", now=NOW)
        for turn in range(EACH)
    ]


async def take_all(store: Store, number: int) -> list[str | None]:
    return [await store.memories.take("ann", "notes", f"{turn}") for turn in range(EACH)]


def test_a_text_is_taken_once(crowd: Crowd) -> None:
    """Whole, by one of them."""
    assert all(all(each) for each in crowd.at_once(keep_shared))
    kept = crowd.after(notes)
    assert len(kept) == EACH
    taken = crowd.at_once(take_all)
    for turn, each in enumerate(zip(*taken, strict=True)):
        assert [text for text in each if text is not None] == [kept[f"{turn}"]]
    assert crowd.after(notes) == {}


async def forget_ann(store: Store, number: int) -> Removed:
    return await store.sessions.forget("ann")


def test_what_skills_keep_is_forgotten_once(crowd: Crowd) -> None:
    """What each of them says it removed is together what there was."""
    crowd.at_once(keep_shared)
    assert sum(crowd.at_once(forget_ann), Removed()) == Removed(memories=EACH)

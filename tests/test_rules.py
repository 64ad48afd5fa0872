"""The rules as arithmetic: days, money, what is nearly used up, and how long replies took."""

import math
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from session.alerts import crossed
from session.limits import Budget, is_near
from session.money import MICROS, Account, is_spent, session_account
from session.percentiles import nearest_rank, reply_times
from session.records import ReplyTimes, Session, new_session
from session.rules import (
    OUT_OF_BUDGET,
    SESSION_BUDGET,
    TOO_MANY_CALLS,
    TOO_MANY_TURNS,
    USER_BUDGET,
    LimitConfig,
    budgets,
    call_ask,
    day_budget,
    day_of,
    micros_of,
    turn_ask,
)

DAY_SECONDS = 86_400
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()

KINDS = ("micros", "tokens", "requests")

days = st.integers(-10_000, 60_000)
"""Since 1970."""


def date_of(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def session_of(user: str = "ann") -> Session:
    return new_session("room", user, channel="room", language="en", now=NOW)


def account(micros: int = 0, tokens: int = 0, requests: int = 0, reserved: int = 0) -> Account:
    return Account(
        "day",
        spent_micros=micros - reserved,
        reserved_micros=reserved,
        spent_tokens=tokens,
        requests=requests,
    )


@given(day=days)
@example(day=0)
def test_a_day_begins_and_ends_at_midnight_in_utc(day: int) -> None:
    """To the second, and so does the one before it."""
    midnight = float(day * DAY_SECONDS)
    assert day_of(midnight) == (date_of(day), midnight + DAY_SECONDS)
    assert day_of(midnight - 1) == (date_of(day - 1), midnight)


@given(day=days, seconds=st.floats(0, DAY_SECONDS, exclude_max=True))
def test_every_moment_has_one_day(day: int, seconds: float) -> None:
    """It has begun, to a microsecond, and is not over."""
    now = day * DAY_SECONDS + seconds
    name, ends_at = day_of(now)
    assert ends_at - DAY_SECONDS - 1e-6 <= now < ends_at
    assert name == date_of(int(ends_at // DAY_SECONDS) - 1)
    assert day_of(ends_at)[1] == ends_at + DAY_SECONDS


@pytest.fixture(params=["Pacific/Kiritimati", "America/Los_Angeles", "Europe/Berlin"])
def _elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_elsewhere")
def test_a_day_is_the_same_on_every_machine() -> None:
    """Wherever it stands, also where clocks change on that day."""
    begins = datetime(2026, 10, 25, tzinfo=UTC).timestamp()
    for hour in range(24):
        assert day_of(begins + hour * 3_600) == ("2026-10-25", begins + DAY_SECONDS)


@given(micros=st.integers(1, 10**12))
def test_dollars_become_exact_micros(micros: int) -> None:
    """Up to a million dollars, whatever a float makes of them."""
    assert micros_of(micros / MICROS) == micros


def test_no_dollars_are_no_limit() -> None:
    """As the settings say."""
    assert micros_of(0.0) is None


@pytest.mark.parametrize("dollars", [5e-324, 1e-9, 4e-7, 1e-6])
def test_very_few_dollars_are_a_limit(dollars: float) -> None:
    """Whoever wrote so meant that nothing is spent, not that everything may be."""
    assert micros_of(dollars) == 1


@given(limit=st.integers(0, 3), spent=st.integers(0, 3), kind=st.sampled_from(KINDS))
def test_a_budget_is_spent_if_not_even_one_more_fits(limit: int, spent: int, kind: str) -> None:
    """Of money, of tokens or of requests."""
    micros, tokens, requests = (limit if one == kind else None for one in KINDS)
    budget = Budget("day", "", micros, tokens, requests)
    assert is_spent(budget, account(**{kind: spent})) == (spent >= limit)


@given(
    limits=st.builds(
        LimitConfig,
        turns_per_minute=st.integers(0, 3),
        turns_per_hour=st.integers(0, 3),
        session_turns_per_hour=st.integers(0, 3),
        fleet_turns_per_minute=st.integers(0, 3),
    ),
    turn=st.integers(1, 1000),
)
def test_a_turn_is_asked_for_in_every_window_that_has_a_limit(
    limits: LimitConfig, turn: int
) -> None:
    """And each attempt at it asks the same."""
    session = session_of()
    ask = turn_ask(limits, session, turn, NOW)
    assert ask == turn_ask(limits, session, turn, NOW + 60)
    assert sorted((window.limit, window.seconds) for window in ask.windows) == sorted(
        (limit, length)
        for limit, length in (
            (limits.turns_per_minute, 60),
            (limits.fleet_turns_per_minute, 60),
            (limits.turns_per_hour, 3_600),
            (limits.session_turns_per_hour, 3_600),
        )
        if limit
    )
    assert len({window.key for window in ask.windows}) == len(ask.windows)
    assert {window.reason for window in ask.windows} <= {TOO_MANY_TURNS}
    assert all(window.leads_to_block == (window.key != "turns of all") for window in ask.windows)
    assert ask.tag != turn_ask(limits, session, turn + 1, NOW).tag
    assert ask.tag != turn_ask(limits, session_of(), turn, NOW).tag


def test_users_share_the_windows_and_the_money_of_all_and_no_other() -> None:
    """Nor a block."""
    limits = LimitConfig(session_turns_per_hour=9, fleet_turns_per_minute=9)
    ann, bob = (turn_ask(limits, session_of(user), 1, NOW) for user in ("ann", "bob"))
    assert ann.block is not None
    assert bob.block is not None
    assert ann.block.key != bob.block.key
    windows = [{window.key for window in ask.windows} for ask in (ann, bob)]
    assert windows[0] & windows[1] == {"turns of all"}
    accounts = [{budget.key for budget in ask.budgets} for ask in (ann, bob)]
    assert accounts[0] & accounts[1] == {day_budget(limits, NOW).key}


def test_a_call_has_its_own_window_and_the_block_of_its_user() -> None:
    """Who is blocked cannot call anew."""
    session = session_of()
    ask = call_ask(LimitConfig(), session, "call", NOW)
    assert [(one.limit, one.seconds, one.reason) for one in ask.windows] == [
        (30, 3_600, TOO_MANY_CALLS)
    ]
    assert ask.block == turn_ask(LimitConfig(), session, 1, NOW).block
    assert call_ask(LimitConfig(calls_per_hour=0), session, "call", NOW).windows == ()


def test_a_call_spends_the_money_of_all_first() -> None:
    """Then its user's of the day, then its own, which never begins anew."""
    limits = LimitConfig(dollars_per_user_and_day=2, dollars_per_session=0.5)
    session = session_of()
    day, user, own = budgets(limits, session, NOW)
    assert (day.reason, user.reason, own.reason) == (OUT_OF_BUDGET, USER_BUDGET, SESSION_BUDGET)
    assert (day.micros, user.micros, own.micros) == (50 * MICROS, 2 * MICROS, MICROS // 2)
    assert day.ends_at == user.ends_at == NOW + DAY_SECONDS / 2
    assert own.ends_at is None
    assert [one.trips_breaker for one in (day, user, own)] == [True, False, False]
    assert own.key == session_account(session.session_id)
    tomorrow = budgets(limits, session_of(), NOW + DAY_SECONDS)
    assert tomorrow[0].key != day.key
    assert tomorrow[1].key != user.key


def test_what_has_no_limit_still_has_an_account() -> None:
    """So that it can be told what was spent."""
    limits = LimitConfig(dollars_per_day=0, requests_per_day=0, tokens_per_day=0)
    day = day_budget(limits, NOW)
    assert (day.micros, day.tokens, day.requests) == (None, None, None)
    assert crossed(account(10**9, 10**9, 10**9), day, ()) == ()


@given(limit=st.integers(3, 10**6), count=st.integers(0, 10**6))
@example(limit=5, count=4)
@example(limit=5, count=3)
def test_near_is_four_fifths_of_a_limit(limit: int, count: int) -> None:
    """Exactly, as whole numbers say it."""
    assert is_near(count, limit) == (5 * count >= 4 * limit)


@given(count=st.integers(0, 3), limit=st.integers(0, 2))
def test_a_limit_of_one_or_two_never_warns(count: int, limit: int) -> None:
    """Whoever may do a thing twice is not told so after the first time."""
    assert not is_near(count, limit)


@given(limit=st.integers(1, 10**12), more=st.integers(-2, 2))
def test_four_fifths_of_a_daily_limit_are_told(limit: int, more: int) -> None:
    """Of money, of tokens and of requests, each exactly."""
    used = max(0, 4 * limit // 5 + more)
    day = Budget("day", "", micros=limit, tokens=limit, requests=limit)
    told = [crossed(account(**{kind: used}), day, ()) for kind in KINDS]
    is_told = 5 * used >= 4 * limit
    assert told == [
        (f"80% of {name}_per_day",) if is_told else () for name in ("dollars", "tokens", "requests")
    ]


@given(cents=st.integers(1, 10**8), reserved=st.integers(0, 9_000))
@example(cents=403, reserved=0)
def test_an_amount_is_told_when_it_is_reached(cents: int, reserved: int) -> None:
    """To a micro-dollar; what is reserved counts like what is spent."""
    micros = cents * MICROS // 100
    unlimited, dollars = Budget("day", ""), cents / 100
    assert crossed(account(micros - 1, reserved=reserved), unlimited, (dollars,)) == ()
    assert len(crossed(account(micros, reserved=reserved), unlimited, (dollars,))) == 1


@given(thresholds=st.lists(st.integers(1, 10**9), unique=True), micros=st.integers(0, 10**15))
@example(thresholds=[1_000_000, 1_000_001], micros=10**15)
def test_every_amount_that_is_reached_is_told_by_a_name_of_its_own(
    thresholds: list[int], micros: int
) -> None:
    """Each is told once a day, by its name."""
    told = crossed(account(micros), Budget("day", ""), tuple(map(float, thresholds)))
    assert told == tuple(f"${one}" for one in thresholds if micros >= one * MICROS)


@given(amounts=st.lists(st.integers(1, 10**12), unique=True))
@example(amounts=[4_030_000, 4_030_001, 4_300_000, 1, 10, 100_000])
def test_amounts_that_differ_have_names_that_differ(amounts: list[int]) -> None:
    """By however little; each says exactly how much it is."""
    thresholds = tuple(amount / MICROS for amount in amounts)
    told = crossed(account(10**12), Budget("day", ""), thresholds)
    assert [Decimal(name.removeprefix("$")) * MICROS for name in told] == amounts


@pytest.mark.parametrize(
    ("dollars", "name"),
    [(10.0, "$10"), (4.03, "$4.03"), (0.5, "$0.5"), (1_000_001.0, "$1000001"), (1e-6, "$0.000001")],
)
def test_an_amount_is_named_as_a_person_writes_it(dollars: float, name: str) -> None:
    """Without digits that say nothing, and once if it is there twice."""
    assert crossed(account(10**13), Budget("day", ""), (dollars, dollars)) == (name,)


@given(taken=st.lists(st.floats(0, 1e6), min_size=1))
def test_percentiles_are_replies_that_were_given(taken: list[float]) -> None:
    """So many took no longer, and fewer did with any shorter one."""
    times = reply_times(taken)
    assert times == reply_times(sorted(taken, reverse=True))
    assert times.turns == len(taken)
    assert times.mean_seconds == pytest.approx(math.fsum(taken) / len(taken))
    for percent, found in ((50, times.p50_seconds), (95, times.p95_seconds)):
        assert found in taken
        assert 100 * sum(one <= found for one in taken) >= percent * len(taken)
        assert 100 * sum(one < found for one in taken) < percent * len(taken)


@given(count=st.integers(1, 20_000))
def test_the_rank_is_exact_for_any_number_of_replies(count: int) -> None:
    """Also where a float of the product is a little too large."""
    assert nearest_rank(range(1, count + 1), 0.95) == -(-95 * count // 100)
    assert nearest_rank(range(1, count + 1), 0.50) == -(-count // 2)


def test_no_reply_has_no_figures() -> None:
    """Rather than ones that look good."""
    assert reply_times([]) == ReplyTimes()

"""Windows and blocks: what every store promises of them."""

from dataclasses import replace

from session.limits import STRIKES_KEPT_SECONDS, Ask, BlockRule, Budget, Decision, Window
from session.money import Breaker, Reservation
from session.store import Store

NOW = 1_000_000.0

RULE = BlockRule(key="block of ann")


def ask(
    tag: str,
    *windows: Window,
    block: BlockRule | None = None,
    budgets: tuple[Budget, ...] = (),
) -> Ask:
    given = windows or (Window("turns of ann", 3, 60, "minute"),)
    return Ask(tag=tag, windows=given, block=block, budgets=budgets)


async def test_the_limit_is_admitted_and_no_more(store: Store) -> None:
    """And the wait is exact to the end of the first hit's minute."""
    for number in range(3):
        decision = await store.limits.admit(ask(str(number)), now=NOW + number)
        assert decision.allowed
        assert decision.near == ("minute" if number == 2 else None)
    assert await store.limits.admit(ask("3"), now=NOW + 10) == Decision(
        allowed=False, reason="minute", retry_after_seconds=50
    )
    assert not (await store.limits.admit(ask("3"), now=NOW + 59.999)).allowed
    assert (await store.limits.admit(ask("3"), now=NOW + 60)).allowed


async def test_a_refusal_spends_nothing(store: Store) -> None:
    """In no window, also not in the ones that would have allowed it."""
    small, large = Window("a", 1, 60, "small"), Window("b", 2, 60, "large")
    assert (await store.limits.admit(ask("1", small, large), now=NOW)).allowed
    for tag in ("2", "3", "4"):
        refused = await store.limits.admit(ask(tag, small, large), now=NOW)
        assert (refused.allowed, refused.reason) == (False, "small")
    assert (await store.limits.admit(ask("5", large), now=NOW)).allowed


async def test_attempts_at_one_turn_count_once(store: Store) -> None:
    """However often the model is asked, also when the window is full meanwhile."""
    for _ in range(5):
        assert (await store.limits.admit(ask("1"), now=NOW)).allowed
    for tag in ("2", "3"):
        assert (await store.limits.admit(ask(tag), now=NOW)).allowed
    assert not (await store.limits.admit(ask("4"), now=NOW)).allowed
    assert (await store.limits.admit(ask("2"), now=NOW)).allowed


async def test_the_longest_wait_is_the_one_that_is_told(store: Store) -> None:
    """Two windows refuse; after the wait both allow."""
    minute, hour = Window("m", 1, 60, "minute"), Window("h", 1, 3600, "hour")
    assert (await store.limits.admit(ask("1", minute, hour), now=NOW)).allowed
    refused = await store.limits.admit(ask("2", minute, hour), now=NOW + 30)
    assert (refused.reason, refused.retry_after_seconds) == ("hour", 3570)
    assert (await store.limits.admit(ask("2", minute, hour), now=NOW + 3600)).allowed


async def test_who_does_not_stop_is_blocked_for_longer_each_time(store: Store) -> None:
    """Three refusals within a minute; 15 minutes, doubling up to four hours."""
    window = Window("turns of ann", 1, 60, "minute")
    now, waits = NOW, []
    for time in range(7):
        assert (await store.limits.admit(ask(f"{time}", window, block=RULE), now=now)).allowed
        refused = [
            await store.limits.admit(ask(f"{time} {n}", window, block=RULE), now=now + n)
            for n in range(3)
        ]
        assert [one.reason for one in refused] == ["minute", "minute", "blocked"]
        waits.append(refused[-1].retry_after_seconds)
        still = await store.limits.admit(ask("x", window, block=RULE), now=now + 100)
        assert (still.reason, still.allowed) == ("blocked", False)
        assert still.retry_after_seconds == waits[-1] - 98
        now += 2 + waits[-1]
    assert waits == [900, 1800, 3600, 7200, 14400, 14400, 14400]


async def test_a_block_is_forgotten_after_a_good_day(store: Store) -> None:
    """The next one is short again."""
    window = Window("turns of ann", 1, 60, "minute")
    for now in (NOW, NOW + 900 + STRIKES_KEPT_SECONDS + 10):
        assert (await store.limits.admit(ask(f"{now}", window, block=RULE), now=now)).allowed
        refused = [
            await store.limits.admit(ask(f"{now} {n}", window, block=RULE), now=now + 1)
            for n in range(3)
        ]
        assert refused[-1].retry_after_seconds == 900


async def test_refusals_count_once_a_turn_and_within_a_minute(store: Store) -> None:
    """Attempts at one refused turn are one refusal, and old ones are forgotten."""
    window = Window("turns of ann", 1, 3600, "hour")
    assert (await store.limits.admit(ask("1", window, block=RULE), now=NOW)).allowed
    for _ in range(5):
        again = await store.limits.admit(ask("2", window, block=RULE), now=NOW)
        assert again.reason == "hour"
    for number in range(5):
        late = await store.limits.admit(
            ask(f"3 {number}", window, block=RULE), now=NOW + 40 * (number + 1)
        )
        assert late.reason == "hour"


FLEET = Window("turns of all", 1, 60, "fleet", leads_to_block=False)


async def test_what_others_have_filled_blocks_nobody(store: Store) -> None:
    """However often it refuses."""
    assert (await store.limits.admit(ask("other", FLEET), now=NOW)).allowed
    own = Window("turns of ann", 9, 60, "minute")
    for number in range(9):
        refused = await store.limits.admit(ask(f"{number}", own, FLEET, block=RULE), now=NOW)
        assert (refused.allowed, refused.reason) == (False, "fleet")
    assert (await store.limits.admit(ask("9", own, FLEET, block=RULE), now=NOW + 60)).allowed


async def test_who_fills_a_window_alone_is_blocked_also_where_that_of_all_is_full(
    store: Store,
) -> None:
    """One window of the user's own is enough; in whichever order they are."""
    own = Window("turns of ann", 0, 30, "minute")
    assert (await store.limits.admit(ask("other", FLEET), now=NOW)).allowed
    for tag, windows in (("1", (own, FLEET)), ("2", (FLEET, own))):
        refused = await store.limits.admit(ask(tag, *windows, block=RULE), now=NOW)
        assert refused.reason == "fleet"
    refused = await store.limits.admit(ask("3", own, FLEET, block=RULE), now=NOW)
    assert refused.reason == "blocked"


async def test_a_turn_that_was_admitted_stays_so_when_its_user_is_blocked(store: Store) -> None:
    """Its reply may be under way."""
    window = Window("turns of ann", 1, 60, "minute")
    for tag in ("1", "2", "3", "4"):
        await store.limits.admit(ask(tag, window, block=RULE), now=NOW)
    assert (await store.limits.admit(ask("5", window, block=RULE), now=NOW)).reason == "blocked"
    assert (await store.limits.admit(ask("1", window, block=RULE), now=NOW)).allowed


async def test_users_are_counted_apart(store: Store) -> None:
    """Their windows have keys of their own."""
    for user in ("ann", "bob"):
        window = Window(f"turns of {user}", 1, 60, "minute")
        rule = BlockRule(key=f"block of {user}")
        assert (await store.limits.admit(ask("1", window, block=rule), now=NOW)).allowed


async def test_a_clock_that_steps_an_hour_makes_nobody_wait_longer(store: Store) -> None:
    """Back: at most the rule's own time. Forward: the limits begin anew."""
    for tag in "123":
        assert (await store.limits.admit(ask(tag), now=NOW)).allowed
    back = await store.limits.admit(ask("4"), now=NOW - 3600)
    assert (back.allowed, back.retry_after_seconds) == (False, 60)
    assert (await store.limits.admit(ask("4"), now=NOW - 3600 + 60)).allowed
    assert (await store.limits.admit(ask("5"), now=NOW + 3600)).allowed


async def test_a_block_is_no_longer_for_a_clock_that_was_set_back(store: Store) -> None:
    """At most the longest block."""
    window = Window("turns of ann", 0, 60, "minute")
    for tag in "123":
        await store.limits.admit(ask(tag, window, block=RULE), now=NOW)
    back = await store.limits.admit(ask("4", window, block=RULE), now=NOW - 90_000)
    assert (back.reason, back.retry_after_seconds) == ("blocked", RULE.longest_seconds)


async def test_money_refuses_first_and_counts_nothing(store: Store) -> None:
    """A turn that cannot be paid is no turn, and no refusal that leads to a block."""
    day = Budget("day", "out_of_budget", micros=100, ends_at=NOW + 500, trips_breaker=True)
    half = Reservation("1", (day,), micros=50, tokens=0)
    assert (await store.ledger.reserve(half, now=NOW)).allowed
    admitted = await store.limits.admit(ask("1", block=RULE, budgets=(day,)), now=NOW)
    assert (admitted.allowed, admitted.budget_used) == (True, 0.5)
    assert (await store.ledger.reserve(Reservation("2", (day,), 50, 0), now=NOW)).allowed
    for tag in "2345":
        refused = await store.limits.admit(ask(tag, block=RULE, budgets=(day,)), now=NOW + 100)
        assert (refused.reason, refused.retry_after_seconds) == ("out_of_budget", 400)
    assert await store.ledger.breaker(now=NOW + 100) == Breaker(NOW + 500, "out_of_budget")
    assert (await store.limits.admit(ask("6", block=RULE), now=NOW + 500)).allowed


async def test_no_turn_begins_without_a_token_left(store: Store) -> None:
    """Nor without money or a request."""
    kinds = ("micros", "tokens", "requests")
    for kind in kinds:
        micros, tokens, requests = (1 if one == kind else None for one in kinds)
        spent = Budget(kind, kind, micros, tokens, requests)
        one = Reservation(kind, (spent,), micros=1, tokens=1)
        assert (await store.limits.admit(ask("1", budgets=(spent,)), now=NOW)).allowed
        assert (await store.ledger.reserve(one, now=NOW)).allowed
        assert (await store.limits.admit(ask("1", budgets=(spent,)), now=NOW)).reason == kind


async def test_nothing_is_allowed_while_the_breaker_is_open(store: Store) -> None:
    """Not even what was admitted before."""
    assert (await store.limits.admit(ask("1"), now=NOW)).allowed
    await store.ledger.open_breaker(Breaker(NOW + 1800, "paused"), now=NOW)
    refused = await store.limits.admit(ask("1"), now=NOW + 800)
    assert (refused.reason, refused.retry_after_seconds) == ("paused", 1000)
    assert await store.ledger.close_breaker(now=NOW + 800)
    assert not await store.ledger.close_breaker(now=NOW + 800)
    assert (await store.limits.admit(ask("1"), now=NOW + 800)).allowed


async def test_what_has_no_window_is_decided_by_the_rest(store: Store) -> None:
    """An operator may switch every limit off."""
    nothing = Ask(tag="1", windows=(), block=RULE)
    assert await store.limits.admit(nothing, now=NOW) == Decision(allowed=True)


async def test_who_only_asks_counts_nothing(store: Store) -> None:
    """Neither what is allowed nor a refusal, so that asking blocks nobody."""
    question = replace(ask("", block=RULE), counts=False)
    for _ in range(5):
        assert (await store.limits.admit(question, now=NOW)).allowed
    for tag in ("1", "2", "3"):
        assert (await store.limits.admit(ask(tag, block=RULE), now=NOW)).allowed
    for _ in range(5):
        refused = await store.limits.admit(question, now=NOW + 1)
        assert (refused.reason, refused.retry_after_seconds) == ("minute", 59)
    assert (await store.limits.admit(ask("4", block=RULE), now=NOW + 60)).allowed


async def test_who_only_asks_hears_of_a_block(store: Store) -> None:
    """As if they called."""
    for tag in ("1", "2", "3", "4", "5", "6"):
        await store.limits.admit(ask(tag, block=RULE), now=NOW)
    question = replace(ask("", block=RULE), counts=False)
    assert (await store.limits.admit(question, now=NOW)).reason == "blocked"

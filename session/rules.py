"""What is allowed: from the operator's numbers to the windows and budgets of one turn or call."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from session.limits import Ask, BlockRule, Budget, Window
from session.money import MICROS, session_account
from session.records import Session

MINUTE, HOUR = 60.0, 3_600.0

TOO_LONG = "too_long"
TOO_MANY_TURNS = "too_many_turns"
TOO_MANY_CALLS = "too_many_calls"
TOO_MANY_USES = "too_many_uses"
"""Of a key."""
BLOCKED = "blocked"
OUT_OF_BUDGET = "out_of_budget"
USER_BUDGET = "user_budget"
SESSION_BUDGET = "session_budget"
STORE_IS_DOWN = "store_is_down"
"""And the call's allowance is spent."""
UNPRICED = "unpriced"
"""Nobody knows what the model costs, and the operator allows none of those."""


@dataclass(frozen=True)
class LimitConfig:
    """The operator's numbers; 0 for no limit."""

    max_input_characters: int = 2_000
    turns_per_minute: int = 20
    """Of one user, like the two after it."""
    turns_per_hour: int = 200
    calls_per_hour: int = 30
    session_turns_per_hour: int = 0
    fleet_turns_per_minute: int = 0
    dollars_per_day: float = 50.0
    """Of all calls together, like the two after it."""
    requests_per_day: int = 20_000
    tokens_per_day: int = 10_000_000
    dollars_per_user_and_day: float = 0.0
    dollars_per_session: float = 0.0


def turn_ask(limits: LimitConfig, session: Session, turn: int, now: float) -> Ask:
    """Every attempt at a turn of a session asks the same."""
    user, session_id = session.user, session.session_id
    windows = (
        (f"turns of {user}", limits.turns_per_minute, MINUTE, True),
        (f"turns of {user} in an hour", limits.turns_per_hour, HOUR, True),
        (f"turns in {session_id}", limits.session_turns_per_hour, HOUR, True),
        # Others have filled it: nobody is blocked for that.
        ("turns of all", limits.fleet_turns_per_minute, MINUTE, False),
    )
    return Ask(
        tag=f"{session_id} {turn}",
        windows=tuple(
            Window(key, limit, seconds, TOO_MANY_TURNS, leads_to_block)
            for key, limit, seconds, leads_to_block in windows
            if limit
        ),
        block=BlockRule(key=f"block of {user}"),
        budgets=budgets(limits, session, now),
    )


def call_ask(limits: LimitConfig, session: Session, call_id: str, now: float) -> Ask:
    """Once at the beginning of a call."""
    return Ask(
        tag=call_id,
        windows=_calls_of(limits, session.user),
        block=BlockRule(key=f"block of {session.user}"),
        budgets=budgets(limits, session, now),
    )


def question_ask(limits: LimitConfig, user: str | None, now: float) -> Ask:
    """Whether somebody, if they are known, might call now; counts nothing."""
    fleet = day_budget(limits, now)
    if user is None:
        return Ask(tag="", windows=(), budgets=(fleet,), counts=False)
    return Ask(
        tag="",
        windows=_calls_of(limits, user),
        block=BlockRule(key=f"block of {user}"),
        budgets=(fleet, _user_budget(limits, user, now)),
        counts=False,
    )


def key_ask(name: str, tag: str, per_minute: int) -> Ask:
    """Of somebody who may use a key of June's so often, on all machines together."""
    return Ask(tag=tag, windows=(Window(f"uses of {name}", per_minute, MINUTE, TOO_MANY_USES),))


def _calls_of(limits: LimitConfig, user: str) -> tuple[Window, ...]:
    window = Window(f"calls of {user}", limits.calls_per_hour, HOUR, TOO_MANY_CALLS)
    return (window,) if limits.calls_per_hour else ()


def budgets(limits: LimitConfig, session: Session, now: float) -> tuple[Budget, ...]:
    """Whose money a call spends: the fleet's first."""
    return (
        day_budget(limits, now),
        _user_budget(limits, session.user, now),
        Budget(
            key=session_account(session.session_id),
            reason=SESSION_BUDGET,
            micros=micros_of(limits.dollars_per_session),
        ),
    )


def _user_budget(limits: LimitConfig, user: str, now: float) -> Budget:
    day, ends_at = day_of(now)
    return Budget(
        key=f"user {user} {day}",
        reason=USER_BUDGET,
        micros=micros_of(limits.dollars_per_user_and_day),
        ends_at=ends_at,
    )


def day_budget(limits: LimitConfig, now: float) -> Budget:
    """The fleet's of today."""
    day, ends_at = day_of(now)
    return Budget(
        key=f"day {day}",
        reason=OUT_OF_BUDGET,
        micros=micros_of(limits.dollars_per_day),
        tokens=limits.tokens_per_day or None,
        requests=limits.requests_per_day or None,
        ends_at=ends_at,
        trips_breaker=True,
    )


def allowance_budget(limits: LimitConfig, now: float) -> Budget:
    """What calls may hold, all together, for when the store is away: a tenth of a day's money.

    Apart from the day's account: what is only held back must not make June short or alarm anybody.
    """
    day, ends_at = day_of(now)
    micros = micros_of(limits.dollars_per_day / 10)
    return Budget(key=f"allowances {day}", reason=OUT_OF_BUDGET, micros=micros, ends_at=ends_at)


def day_of(now: float) -> tuple[str, float]:
    """The day in UTC as `2026-11-25`, and when it ends."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today.date().isoformat(), (today + timedelta(days=1)).timestamp()


def micros_of(dollars: float) -> int | None:
    """None for no limit; whatever limit there is, it is at least one."""
    return max(1, round(dollars * MICROS)) if dollars else None

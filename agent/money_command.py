"""`./june money`: what is spent today, and the switch that stops June, without LiveKit.

Each function's answer is what the command prints. Besides `StoreError` and `StoreUnusable` all
raise `CannotStart` where the store keeps nothing between processes.
"""

from agent.command import kept_sessions
from agent.config import Config
from agent.sessions_text import utc
from agent.settings_limits import LimitSettings
from session.money import MICROS, PAUSED
from session.records import Money
from session.rules import OUT_OF_BUDGET


async def shown(config: Config, *, as_json: bool) -> str:
    """Today's money of all calls together."""
    async with kept_sessions(config) as sessions:
        money = await sessions.money.today()
    return money.model_dump_json(indent=2) if as_json else account(money, config.limits)


async def paused(config: Config, *, minutes: int) -> str:
    """Stop June for so long; who has stopped her for longer has the last word."""
    async with kept_sessions(config) as sessions:
        before = await sessions.money.today()
        await sessions.money.pause(minutes * 60.0)
        after = await sessions.money.today()
    if after.breaker_until == before.breaker_until:
        return (
            f"Nothing has changed: June {_state(after, config.limits)}\n"
            "For a shorter time, run `./june money resume` before."
        )
    return (
        f"June {_state(after, config.limits)}\n"
        "Who calls hears that she is unavailable; calls that are going on end at their next turn.\n"
        "`./june money resume` ends it sooner."
    )


async def resumed(config: Config) -> str:
    """Let June go on, as far as there is money."""
    async with kept_sessions(config) as sessions:
        before = await sessions.money.today()
        was_stopped = await sessions.money.resume()
    text = "June answers again." if was_stopped else "June was not stopped."
    fullest = fullest_limit(before, config.limits)
    if fullest is None:
        return text
    name, part = fullest
    if before.breaker_reason != OUT_OF_BUDGET and part < 1.0:
        return text
    return (
        f"{text} But {int(part * 100)} % of `[limits] {name}` is used,\n"
        "and the next request that does not fit in stops her again.\n"
        f"hint: raise `{name}`, start the worker anew, and run `./june money resume` again"
    )


def account(money: Money, limits: LimitSettings) -> str:
    """A line for each figure."""
    lines = {
        "day": f"{money.day}, until midnight UTC",
        "spent": _of(_dollars(money.spent_micros), limits.dollars_per_day, "$"),
        "estimated": f"{_dollars(money.estimated_micros)} of it",
        "under way": f"{_dollars(money.reserved_micros)} more at most",
        "tokens": _of(f"{money.tokens:,}", limits.tokens_per_day),
        "requests": _of(f"{money.requests:,}", limits.requests_per_day),
        "unpriced": f"{money.unpriced_requests:,} of them",
        "June": _state(money, limits),
    }
    return "\n".join(f"{name:<11}{value}" for name, value in lines.items())


def fullest_limit(money: Money, limits: LimitSettings) -> tuple[str, float] | None:
    """The daily limit of which the largest part is gone, and that part; None without limits."""
    used = (
        (
            "dollars_per_day",
            (money.spent_micros + money.reserved_micros) / MICROS,
            limits.dollars_per_day,
        ),
        ("tokens_per_day", money.tokens, limits.tokens_per_day),
        ("requests_per_day", money.requests, limits.requests_per_day),
    )
    parts = [(name, have / limit) for name, have, limit in used if limit]
    return max(parts, key=lambda named: named[1], default=None)


def _state(money: Money, limits: LimitSettings) -> str:
    """Goes on from the word June."""
    if money.breaker_until is None:
        return "answers"
    fullest = fullest_limit(money, limits)
    if money.breaker_reason == PAUSED:
        why = "she was paused by hand"
    elif fullest is None:
        why = "a daily limit was used up"
    else:
        why = f"`[limits] {fullest[0]}` is used up"
    return f"answers nobody until {utc(money.breaker_until)}: {why}."


def _dollars(micros: int) -> str:
    return f"${micros / MICROS:,.4f}"


def _of(used: str, limit: float, unit: str = "") -> str:
    return f"{used} of {unit}{limit:,.15g}" if limit else f"{used}, without a limit"

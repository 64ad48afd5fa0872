"""Why June is not as well as she should be, or should be sent no work: in words."""

from collections.abc import Iterator

from agent.api.figures import Figures
from agent.api.parts import WorkerView
from agent.sessions_text import utc
from agent.settings_limits import LimitSettings
from session.circuits import Phase
from session.money import MICROS, PAUSED

NEARLY_ALL = 0.9
"""Of a daily limit."""

FEW_REQUESTS = 50
"""Of a daily count."""

STORE_AWAY = "June's store does not answer"
LIVEKIT_AWAY = "no LiveKit server sends calls to June"


def troubles(
    figures: Figures | None, limits: LimitSettings, worker: WorkerView, *, max_calls: int
) -> list[str]:
    """What an operator should look at; empty while all is well."""
    found = [] if worker.is_registered else [LIVEKIT_AWAY]
    if worker.calls >= max_calls:
        found.append(f"this worker has all {max_calls} calls of `[worker] max_calls`")
    if figures is None:
        return [*found, STORE_AWAY]
    return [*found, *_of_providers(figures), *_of_money(figures, limits)]


def unready(figures: Figures | None, worker: WorkerView) -> str | None:
    """Why nothing should be sent here now."""
    if worker.is_draining:
        return "June is stopping and takes no more calls"
    if not worker.is_registered:
        return f"{LIVEKIT_AWAY}: she is starting, or it is away"
    return STORE_AWAY if figures is None else None


def _of_providers(figures: Figures) -> Iterator[str]:
    for name, state in figures.providers.items():
        # One that is half open is asked again by the next call, however long that takes to come.
        if state.phase is Phase.OPEN:
            yield f"`{name}` is asked for nothing for {state.seconds_left:.0f} s: {state.reason}"


def _of_money(figures: Figures, limits: LimitSettings) -> Iterator[str]:
    money = figures.money
    if money.breaker_until is not None:
        why = "paused by hand" if money.breaker_reason == PAUSED else "a daily limit is used up"
        yield f"June spends nothing until {utc(money.breaker_until)}: {why}"
    dollars = (money.spent_micros + money.reserved_micros) / MICROS
    if limits.dollars_per_day and dollars > NEARLY_ALL * limits.dollars_per_day:
        yield f"${dollars:,.2f} of `[limits] dollars_per_day` is used"
    if limits.tokens_per_day and money.tokens > NEARLY_ALL * limits.tokens_per_day:
        yield f"{money.tokens:,} of `[limits] tokens_per_day` are used"
    left = limits.requests_per_day - money.requests
    if limits.requests_per_day and left < FEW_REQUESTS:
        yield f"{max(0, left)} model requests are left of `[limits] requests_per_day`"

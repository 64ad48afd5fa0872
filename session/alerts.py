"""When the operator is told that money is going: once a day for each threshold."""

from dataclasses import dataclass

from session.limits import NEAR, Budget
from session.money import MICROS, Account


@dataclass(frozen=True)
class Alert:
    """A threshold of today was crossed."""

    day: str
    threshold: str
    """`$10`, `$4.03`, or `80% of dollars_per_day`."""
    spent_dollars: float
    """Of all calls today, with what is reserved."""


def crossed(account: Account, budget: Budget, alert_dollars: tuple[float, ...]) -> tuple[str, ...]:
    """The thresholds that this day's account is beyond; each day begins with none."""
    micros = account.spent_micros + account.reserved_micros
    tokens = account.spent_tokens + account.reserved_tokens
    # As whole micros, which a float of dollars may miss; amounts that are equal then are one.
    amounts = dict.fromkeys(round(dollars * MICROS) for dollars in alert_dollars)
    limits = (
        ("dollars_per_day", micros, budget.micros),
        ("tokens_per_day", tokens, budget.tokens),
        ("requests_per_day", account.requests, budget.requests),
    )
    parts = [
        f"{NEAR:.0%} of {name}"
        for name, used, limit in limits
        if limit is not None and used >= NEAR * limit
    ]
    return (*(_name(amount) for amount in amounts if micros >= amount), *parts)


def _name(micros: int) -> str:
    """In dollars, with as many digits as it takes: no two amounts have the same."""
    dollars, rest = divmod(micros, MICROS)
    return f"${dollars}.{rest:06}".rstrip("0") if rest else f"${dollars}"

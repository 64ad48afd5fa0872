"""Budgets as a script takes them, and what it answers about money as values."""

from collections.abc import Iterator, Sequence
from dataclasses import fields

from session.limits import Budget, Decision
from session.money import Account, refusal
from session.store.redis.client import Value
from session.store.redis.keys import key_of
from session.store.redis.records import time_text

AMOUNTS = len(fields(Account)) - 1
"""Of each account; its key is not one."""


def account_keys(budgets: Sequence[Budget]) -> list[str]:
    return [key_of("account", budget.key) for budget in budgets]


def budget_arguments(budgets: Sequence[Budget]) -> Iterator[Value]:
    """As `take_budgets` of `lua/parts/money.lua` takes them."""
    yield len(budgets)
    for budget in budgets:
        for limit in (budget.micros, budget.tokens, budget.requests):
            yield "" if limit is None else limit
        trips = budget.trips_breaker and budget.ends_at is not None
        yield time_text(budget.ends_at or 0.0) if trips else ""
        yield budget.reason


def accounts_in(keys: Sequence[str], amounts: Sequence[str]) -> tuple[Account, ...]:
    """One for each key, whose amounts follow one another."""
    return tuple(
        Account(one, *(int(amount) for amount in amounts[index * AMOUNTS : (index + 1) * AMOUNTS]))
        for index, one in enumerate(keys)
    )


def refused_by_money(
    kind: str, answer: Sequence[str | int], budgets: Sequence[Budget], now: float
) -> Decision | None:
    """None for an answer of another kind."""
    match kind, *answer:
        case "breaker", until, reason:
            wait = float(until) - now
            return Decision(
                allowed=False, reason=str(reason), retry_after_seconds=wait, budget_used=1.0
            )
        case "budget", index:
            return refusal(budgets[int(index) - 1], now)
    return None


def budget_used(budgets: Sequence[Budget], amounts: Sequence[str]) -> float:
    """The largest part of a budget that is spent or reserved."""
    accounts = accounts_in([budget.key for budget in budgets], amounts)
    used = [account.used_of(budget) for account, budget in zip(accounts, budgets, strict=True)]
    return max(used, default=0.0)

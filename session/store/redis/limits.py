"""Windows and blocks in Redis."""

from collections.abc import Iterator, Sequence

from session.limits import STRIKES_KEPT_SECONDS, Ask, BlockRule, Decision, Window, is_near
from session.store.redis.accounts import (
    account_keys,
    budget_arguments,
    budget_used,
    refused_by_money,
)
from session.store.redis.client import RedisClient, Value
from session.store.redis.keys import key_of
from session.store.redis.records import time_text
from session.store.redis.scripts import script

_ADMIT = script("admit", "money")


class RedisLimits:
    def __init__(self, db: RedisClient) -> None:
        self._db = db

    async def admit(self, ask: Ask, *, now: float) -> Decision:
        kind, *answer = await self._db.run(
            _ADMIT,
            [*account_keys(ask.budgets), *_window_keys(ask), *_block_keys(ask.block)],
            [
                time_text(now),
                ask.tag,
                int(ask.counts),
                *budget_arguments(ask.budgets),
                *_window_arguments(ask.windows),
                *_block_arguments(ask.block),
            ],
        )
        match kind:
            case "allowed":
                return _allowed(ask, answer)
            case "window":
                return _refused(ask.windows, answer)
            case "blocked":
                (wait,) = answer
                return Decision(allowed=False, reason="blocked", retry_after_seconds=float(wait))
        refused = refused_by_money(kind, answer, ask.budgets, now)
        assert refused is not None, "it answers nothing else"
        return refused


def _allowed(ask: Ask, answer: Sequence[str]) -> Decision:
    counts, amounts = answer[: len(ask.windows)], answer[len(ask.windows) :]
    near = [
        window.reason
        for window, count in zip(ask.windows, counts, strict=True)
        if is_near(int(count), window.limit)
    ]
    return Decision(
        allowed=True,
        near=near[-1] if near else None,
        budget_used=budget_used(ask.budgets, amounts),
    )


def _refused(windows: Sequence[Window], answer: Sequence[str]) -> Decision:
    waits = [
        (float(answer[i + 1]), windows[int(answer[i]) - 1].reason) for i in range(0, len(answer), 2)
    ]
    wait, reason = max(waits)
    return Decision(allowed=False, reason=reason, retry_after_seconds=wait)


def _window_keys(ask: Ask) -> list[str]:
    return [key_of("hits", f"{time_text(one.seconds)}:{one.key}") for one in ask.windows]


def _window_arguments(windows: Sequence[Window]) -> Iterator[Value]:
    yield len(windows)
    for window in windows:
        yield from (window.limit, time_text(window.seconds), int(window.leads_to_block))


def _block_keys(rule: BlockRule | None) -> list[str]:
    return [] if rule is None else [key_of("block", rule.key), key_of("refusals", rule.key)]


def _block_arguments(rule: BlockRule | None) -> Iterator[Value]:
    if rule is not None:
        yield rule.refusals
        yield time_text(rule.within_seconds)
        yield time_text(rule.shortest_seconds)
        yield time_text(rule.longest_seconds)
        yield time_text(STRIKES_KEPT_SECONDS)

"""Money in Redis."""

from collections.abc import Sequence

from session.limits import Decision
from session.money import Account, Breaker, Charge, Reservation
from session.store.redis.accounts import (
    AMOUNTS,
    account_keys,
    accounts_in,
    budget_arguments,
    budget_used,
    refused_by_money,
)
from session.store.redis.client import RedisClient
from session.store.redis.keys import BREAKER, key_of
from session.store.redis.records import time_text
from session.store.redis.scripts import script

_ACCOUNTS = script("accounts", "money")
_CLOSE_BREAKER = script("close_breaker")
_OPEN_BREAKER = script("open_breaker", "money")
_RESERVE = script("reserve", "money")
_SETTLE = script("settle", "money")


class RedisLedger:
    def __init__(self, db: RedisClient) -> None:
        self._db = db

    async def reserve(self, reservation: Reservation, *, now: float) -> Decision:
        budgets = reservation.budgets
        kind, *answer = await self._db.run(
            _RESERVE,
            [key_of("reservation", reservation.id), *account_keys(budgets)],
            [
                time_text(now),
                reservation.id,
                reservation.micros,
                reservation.tokens,
                int(reservation.is_request),
                int(reservation.must),
                time_text(now + reservation.expires_seconds),
                time_text(reservation.expires_seconds),
                *budget_arguments(budgets),
            ],
        )
        refused = refused_by_money(kind, answer, budgets, now)
        return refused or Decision(allowed=True, budget_used=budget_used(budgets, answer))

    async def settle(
        self, reservation_id: str, charge: Charge, *, now: float
    ) -> tuple[Account, ...]:
        answer = await self._db.run(
            _SETTLE,
            [key_of("reservation", reservation_id)],
            [
                time_text(now),
                reservation_id,
                charge.micros,
                charge.tokens,
                charge.requests,
                int(charge.is_estimate),
                int(charge.is_unpriced),
            ],
        )
        row = AMOUNTS + 1
        rows = [answer[start : start + row] for start in range(0, len(answer), row)]
        names = [account.removeprefix(key_of("account", "")) for account, *_ in rows]
        return accounts_in(names, [amount for _, *amounts in rows for amount in amounts])

    async def accounts(self, keys: Sequence[str], *, now: float) -> tuple[Account, ...]:
        names = [key_of("account", one) for one in keys]
        return accounts_in(keys, await self._db.run(_ACCOUNTS, names, [time_text(now)]))

    async def open_breaker(self, breaker: Breaker, *, now: float) -> None:
        arguments = [time_text(breaker.until), breaker.reason, time_text(now)]
        await self._db.run(_OPEN_BREAKER, [BREAKER], arguments)

    async def close_breaker(self, *, now: float) -> bool:
        return bool(await self._db.run(_CLOSE_BREAKER, [BREAKER], [time_text(now)]))

    async def breaker(self, *, now: float) -> Breaker | None:
        until, reason = await self._db.ask("HMGET", BREAKER, "until", "reason")
        is_open = until is not None and float(until) > now
        return Breaker(float(until), reason) if is_open else None

"""Money in this process's memory."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from session.limits import Budget, Decision
from session.money import (
    Account,
    Breaker,
    Charge,
    Reservation,
    is_spent,
    refusal,
    session_account,
)
from session.store.retention import KEPT_SECONDS


@dataclass(frozen=True)
class _Reserved:
    reservation: Reservation
    expires_at: float
    has_run_out: bool = False


class MemoryLedger:
    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._used_at: dict[str, float] = {}
        """By key of an account."""
        self._reserved: dict[str, _Reserved] = {}
        self._breaker: Breaker | None = None

    def look(self, budgets: Sequence[Budget], now: float) -> Decision:
        """Whether there is any money left, and how much of it is gone."""
        self._let_run_out(now)
        if (refused := self._broken(now)) is not None:
            return refused
        for budget in budgets:
            if is_spent(budget, self._account(budget.key)):
                return self._refuse(budget, now)
        return self._allow(budgets)

    async def reserve(self, reservation: Reservation, *, now: float) -> Decision:
        self._let_run_out(now)
        if reservation.id in self._reserved:
            return self._allow(reservation.budgets)
        refused = None if reservation.must else self._broken(now)
        if refused is not None:
            return refused
        for budget in () if reservation.must else reservation.budgets:
            account = self._account(budget.key)
            if not account.has_room_for(
                budget,
                micros=reservation.micros,
                tokens=reservation.tokens,
                requests=int(reservation.is_request),
            ):
                return self._refuse(budget, now)
        for budget in reservation.budgets:
            self._keep(self._account(budget.key).reserving(reservation), now)
        self._reserved[reservation.id] = _Reserved(reservation, now + reservation.expires_seconds)
        return self._allow(reservation.budgets)

    def _allow(self, budgets: Sequence[Budget]) -> Decision:
        used = [self._account(budget.key).used_of(budget) for budget in budgets]
        return Decision(allowed=True, budget_used=max(used, default=0.0))

    def _broken(self, now: float) -> Decision | None:
        if self._breaker is None or self._breaker.until <= now:
            return None
        return Decision(
            allowed=False,
            reason=self._breaker.reason,
            retry_after_seconds=self._breaker.until - now,
            budget_used=1.0,
        )

    def _refuse(self, budget: Budget, now: float) -> Decision:
        if budget.trips_breaker and budget.ends_at is not None:
            self._open(Breaker(budget.ends_at, budget.reason))
        return refusal(budget, now)

    def _account(self, key: str) -> Account:
        return self._accounts.get(key, Account(key))

    def _keep(self, account: Account, now: float) -> None:
        self._accounts[account.key] = account
        self._used_at[account.key] = now

    def _let_run_out(self, now: float) -> None:
        for held in list(self._reserved.values()):
            if not held.has_run_out and held.expires_at <= now:
                one = held.reservation
                guess = Charge(one.micros, one.tokens, is_estimate=True)
                self._charge(one, guess, now, was_reserved=True)
                self._reserved[one.id] = replace(held, has_run_out=True)

    def _charge(
        self, reservation: Reservation, charge: Charge, now: float, *, was_reserved: bool
    ) -> None:
        micros, tokens = (reservation.micros, reservation.tokens) if was_reserved else (0, 0)
        for budget in reservation.budgets:
            # One that is missing was deleted with its session.
            if (account := self._accounts.get(budget.key)) is not None:
                self._keep(account.charging(micros, tokens, charge), now)

    async def settle(
        self, reservation_id: str, charge: Charge, *, now: float
    ) -> tuple[Account, ...]:
        self._let_run_out(now)
        held = self._reserved.pop(reservation_id, None)
        if held is None:
            return ()
        one = held.reservation
        if held.has_run_out:
            guess = Charge(-one.micros, -one.tokens, is_estimate=True)
            self._charge(one, guess, now, was_reserved=False)
        self._charge(one, charge, now, was_reserved=not held.has_run_out)
        return tuple(self._account(budget.key) for budget in one.budgets)

    async def accounts(self, keys: Sequence[str], *, now: float) -> tuple[Account, ...]:
        self._let_run_out(now)
        return tuple(self._account(key) for key in keys)

    def _open(self, breaker: Breaker) -> None:
        if self._breaker is None or self._breaker.until < breaker.until:
            self._breaker = breaker

    async def open_breaker(self, breaker: Breaker, *, now: float) -> None:
        self._open(breaker)

    async def close_breaker(self, *, now: float) -> bool:
        was_open = await self.breaker(now=now) is not None
        self._breaker = None
        return was_open

    async def breaker(self, *, now: float) -> Breaker | None:
        is_open = self._breaker is not None and self._breaker.until > now
        return self._breaker if is_open else None

    def forget(self, session_id: str) -> None:
        """Delete the account of a session; what is reserved in it is charged to the others."""
        self._accounts.pop(session_account(session_id), None)
        self._used_at.pop(session_account(session_id), None)

    def purge(self, now: float) -> None:
        """What ran out long ago will not be corrected any more."""
        self._let_run_out(now)
        over_since = now - KEPT_SECONDS
        self._reserved = {
            key: held
            for key, held in self._reserved.items()
            if not held.has_run_out or held.expires_at >= over_since
        }
        needed = {
            budget.key for held in self._reserved.values() for budget in held.reservation.budgets
        }
        for key in self._accounts.keys() - needed:
            if self._used_at[key] < over_since:
                del self._accounts[key], self._used_at[key]

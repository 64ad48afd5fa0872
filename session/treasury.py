"""Money as the operator sees it: what may be spent, what was, and the switch that stops it."""

from collections.abc import Callable

from session.alerts import Alert, crossed
from session.config import SessionConfig
from session.limits import Budget, Decision
from session.money import MICROS, PAUSED, Account, Breaker, Charge, Reservation
from session.records import Money, Session
from session.rules import allowance_budget, budgets, day_budget, day_of
from session.store.protocol import Claims, Ledger

PAUSE_SECONDS = 1_800.0

ALERT_SECONDS = 172_800.0
"""A day's thresholds are of interest on that day only."""


class Treasury:
    """Holds nothing itself; every method may raise `StoreError`."""

    def __init__(
        self, ledger: Ledger, claims: Claims, config: SessionConfig, now: Callable[[], float]
    ) -> None:
        self._ledger = ledger
        self._claims = claims
        self._config = config
        self._now = now

    def budgets_of(self, session: Session | None) -> tuple[Budget, ...]:
        """Whose money is spent now; without a session it is the operator's alone."""
        limits, now = self._config.limits, self._now()
        return (day_budget(limits, now),) if session is None else budgets(limits, session, now)

    def allowance_budget(self) -> Budget:
        """What all calls together may hold for when the store is away."""
        return allowance_budget(self._config.limits, self._now())

    async def reserve(self, reservation: Reservation) -> Decision:
        """Hold what a model request may cost."""
        return await self._ledger.reserve(reservation, now=self._now())

    async def settle(self, reservation_id: str, charge: Charge) -> tuple[Account, ...]:
        """The accounts after it, the day's first; empty where it was settled before."""
        return await self._ledger.settle(reservation_id, charge, now=self._now())

    async def tell_alerts(
        self, day_account: Account, known: set[str], tell: Callable[[Alert], None]
    ) -> None:
        """Thresholds that were crossed, and that no process has told the operator of today.

        `known` are those that this process need not ask for again; they are added to it.
        """
        now = self._now()
        day, _ = day_of(now)
        budget = day_budget(self._config.limits, now)
        if day_account.key != budget.key:  # it was reserved before midnight
            return
        for threshold in crossed(day_account, budget, self._config.money.alert_dollars):
            name = f"alert {day} {threshold}"
            if name in known:
                continue
            claim = await self._claims.claim(name, ttl_seconds=ALERT_SECONDS, now=now)
            known.add(name)
            if claim.is_first:
                spent = day_account.spent_micros + day_account.reserved_micros
                tell(Alert(day, threshold, spent / MICROS))

    async def pause(self, seconds: float = PAUSE_SECONDS) -> None:
        """Spend nothing for so long; calls are refused in words."""
        now = self._now()
        await self._ledger.open_breaker(Breaker(now + seconds, PAUSED), now=now)

    async def resume(self) -> bool:
        """Close the breaker; a budget that is used up trips it again. False if it was closed."""
        return await self._ledger.close_breaker(now=self._now())

    async def today(self) -> Money:
        now = self._now()
        budget = day_budget(self._config.limits, now)
        allowances = self.allowance_budget().key
        account, dead = await self._ledger.accounts([budget.key, allowances], now=now)
        breaker = await self._ledger.breaker(now=now)
        return Money(
            day=day_of(now)[0],
            # Of a call that died its whole allowance counts as spent.
            spent_micros=account.spent_micros + dead.spent_micros,
            reserved_micros=account.reserved_micros,
            estimated_micros=account.estimated_micros + dead.estimated_micros,
            limit_micros=budget.micros,
            tokens=account.spent_tokens,
            requests=account.requests,
            unpriced_requests=account.unpriced_requests,
            breaker_reason=None if breaker is None else breaker.reason,
            breaker_until=None if breaker is None else breaker.until,
        )

    async def spent_by(self, session: Session) -> int:
        """Micro-dollars, of one session."""
        key = budgets(self._config.limits, session, self._now())[-1].key
        (account,) = await self._ledger.accounts([key], now=self._now())
        return account.spent_micros + account.reserved_micros

"""Money as plainly as it can be said: every reservation ever made, and sums over all of them.

Of `session.money` only the values are used, none of its arithmetic.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from session.limits import Budget, Decision
from session.money import Account, Breaker, Charge, Reservation


@dataclass
class Entry:
    reservation: Reservation
    expires_at: float
    charge: Charge | None = None
    """None until it is settled."""


class PlainLedger:
    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self.latest_breaker: Breaker | None = None
        """It may have run out."""

    def reserve(self, wanted: Reservation, now: float) -> Decision:
        if self.reserved(wanted.id) is not None:
            return self._allow(wanted.budgets, now)
        if not wanted.must:
            more = (wanted.micros, wanted.tokens, int(wanted.is_request))
            if (refused := self._refuse(wanted.budgets, more, now)) is not None:
                return refused
        self._entries.append(Entry(wanted, now + wanted.expires_seconds))
        return self._allow(wanted.budgets, now)

    def look(self, budgets: Sequence[Budget], now: float) -> Decision:
        """What is admitted needs room for a micro-dollar, a token and a request."""
        refused = self._refuse(budgets, (1, 1, 1), now)
        return self._allow(budgets, now) if refused is None else refused

    def settle(self, reservation_id: str, charge: Charge, now: float) -> tuple[Account, ...]:
        for entry in self._entries:
            if entry.reservation.id == reservation_id and entry.charge is None:
                entry.charge = charge
                return tuple(self.account(one.key, now) for one in entry.reservation.budgets)
        return ()

    def reserved(self, reservation_id: str) -> Reservation | None:
        """What is not settled; it may have run out."""
        for entry in self._entries:
            if entry.reservation.id == reservation_id and entry.charge is None:
                return entry.reservation
        return None

    def next_end(self, now: float) -> float | None:
        """When the next of what is held runs out."""
        ends = (entry.expires_at for entry in self._entries if entry.charge is None)
        return min((end for end in ends if end > now), default=None)

    def account(self, key: str, now: float) -> Account:
        theirs = [
            entry
            for entry in self._entries
            if key in {budget.key for budget in entry.reservation.budgets}
        ]
        held = [
            entry.reservation for entry in theirs if entry.charge is None and entry.expires_at > now
        ]
        charges = list(_charges(theirs, now))
        return Account(
            key,
            spent_micros=sum(charge.micros for charge in charges),
            reserved_micros=sum(reservation.micros for reservation in held),
            spent_tokens=sum(charge.tokens for charge in charges),
            reserved_tokens=sum(reservation.tokens for reservation in held),
            requests=sum(entry.reservation.is_request for entry in theirs)
            + sum(charge.requests - 1 for charge in charges),
            estimated_micros=sum(charge.micros for charge in charges if charge.is_estimate),
            unpriced_requests=sum(charge.is_unpriced for charge in charges),
        )

    def open_breaker(self, breaker: Breaker) -> None:
        latest = self.latest_breaker
        if latest is None or breaker.until > latest.until:
            self.latest_breaker = breaker

    def breaker(self, now: float) -> Breaker | None:
        latest = self.latest_breaker
        return latest if latest is not None and now < latest.until else None

    def _refuse(
        self, budgets: Sequence[Budget], more: tuple[int, int, int], now: float
    ) -> Decision | None:
        if (breaker := self.breaker(now)) is not None:
            return Decision(False, breaker.reason, breaker.until - now, budget_used=1.0)
        for budget in budgets:
            used = _used(self.account(budget.key, now))
            limits = (budget.micros, budget.tokens, budget.requests)
            for have, extra, limit in zip(used, more, limits, strict=True):
                if limit is not None and have + extra > limit:
                    return self._trip(budget, now)
        return None

    def _trip(self, budget: Budget, now: float) -> Decision:
        wait = 0.0
        if budget.ends_at is not None:
            wait = max(wait, budget.ends_at - now)
            if budget.trips_breaker:
                self.open_breaker(Breaker(budget.ends_at, budget.reason))
        return Decision(False, budget.reason, wait, budget_used=1.0)

    def _allow(self, budgets: Sequence[Budget], now: float) -> Decision:
        parts = [0.0]
        for budget in budgets:
            used = _used(self.account(budget.key, now))
            limits = (budget.micros, budget.tokens, budget.requests)
            parts += [have / limit for have, limit in zip(used, limits, strict=True) if limit]
        return Decision(allowed=True, budget_used=max(parts))


def _used(account: Account) -> tuple[int, int, int]:
    return (
        account.spent_micros + account.reserved_micros,
        account.spent_tokens + account.reserved_tokens,
        account.requests,
    )


def _charges(entries: Sequence[Entry], now: float) -> Iterator[Charge]:
    for entry in entries:
        if entry.charge is not None:
            yield entry.charge
        elif entry.expires_at <= now:
            one = entry.reservation
            yield Charge(one.micros, one.tokens, is_estimate=True)

"""Money as values: what is reserved before a model is asked, and charged after it answered.

All amounts are integer micro-dollars: a millionth of a dollar.
"""

from dataclasses import dataclass, replace

from session.limits import Budget, Decision

MICROS = 1_000_000
"""In a dollar."""


@dataclass(frozen=True)
class Reservation:
    """What one model request may cost at most, held until it is settled.

    If nobody settles it in time, because the process died, it becomes a charge of its own amount:
    what may have been spent is never given back by a crash.
    """

    id: str
    budgets: tuple[Budget, ...]
    micros: int
    tokens: int
    expires_seconds: float = 120.0
    is_request: bool = True
    """Whether it counts as a model request."""
    must: bool = False
    """Never refused, only counted: June's last words."""


@dataclass(frozen=True)
class Charge:
    """What it did cost."""

    micros: int
    tokens: int
    is_estimate: bool = False
    """Of a request that was cancelled or failed the provider tells no usage."""
    is_unpriced: bool = False
    """Nobody knows what it cost; `micros` is what the operator's policy says, or 0."""
    requests: int = 1
    """1 for one that was made, 0 for one that was reserved and never made."""


@dataclass(frozen=True)
class Account:
    """What was spent and is reserved in one budget."""

    key: str
    spent_micros: int = 0
    reserved_micros: int = 0
    spent_tokens: int = 0
    reserved_tokens: int = 0
    requests: int = 0
    """Counted when they are reserved."""
    estimated_micros: int = 0
    """The part of `spent_micros` that is an estimate."""
    unpriced_requests: int = 0

    def used_of(self, budget: Budget) -> float:
        """The largest part of a limit that is gone; more than 1.0 where one was overspent."""
        used = [
            (self.spent_micros + self.reserved_micros, budget.micros),
            (self.spent_tokens + self.reserved_tokens, budget.tokens),
            (self.requests, budget.requests),
        ]
        parts = [have / limit if limit else 1.0 for have, limit in used if limit is not None]
        return max(parts, default=0.0)

    def has_room_for(self, budget: Budget, *, micros: int, tokens: int, requests: int) -> bool:
        """Whether so much more fits in."""
        wanted = [
            (self.spent_micros + self.reserved_micros + micros, budget.micros),
            (self.spent_tokens + self.reserved_tokens + tokens, budget.tokens),
            (self.requests + requests, budget.requests),
        ]
        return all(limit is None or have <= limit for have, limit in wanted)

    def reserving(self, reservation: Reservation) -> "Account":
        return replace(
            self,
            reserved_micros=self.reserved_micros + reservation.micros,
            reserved_tokens=self.reserved_tokens + reservation.tokens,
            requests=self.requests + reservation.is_request,
        )

    def charging(self, reserved_micros: int, reserved_tokens: int, charge: Charge) -> "Account":
        """With a reservation of so much turned into a charge."""
        return replace(
            self,
            spent_micros=self.spent_micros + charge.micros,
            reserved_micros=self.reserved_micros - reserved_micros,
            spent_tokens=self.spent_tokens + charge.tokens,
            reserved_tokens=self.reserved_tokens - reserved_tokens,
            requests=self.requests + charge.requests - 1,
            estimated_micros=self.estimated_micros + charge.micros * charge.is_estimate,
            unpriced_requests=self.unpriced_requests + charge.is_unpriced,
        )


@dataclass(frozen=True)
class Breaker:
    """While it is open June spends nothing."""

    until: float
    reason: str
    """The reason of the budget that tripped it, or `paused` for by hand."""


PAUSED = "paused"


def session_account(session_id: str) -> str:
    """The key of what one session spends; it is deleted with the session."""
    return f"session {session_id}"


def is_spent(budget: Budget, account: Account) -> bool:
    """Whether not even the smallest use fits in."""
    return not account.has_room_for(budget, micros=1, tokens=1, requests=1)


def refusal(budget: Budget, now: float) -> Decision:
    ends_at = budget.ends_at
    wait = 0.0 if ends_at is None else max(0.0, ends_at - now)
    return Decision(allowed=False, reason=budget.reason, retry_after_seconds=wait, budget_used=1.0)

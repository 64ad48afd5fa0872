"""Money in SQLite. Each function runs inside one transaction."""

import json
from collections.abc import Iterable, Sequence

import apsw

from session.limits import Budget, Decision
from session.money import Account, Breaker, Charge, Reservation, is_spent, refusal
from session.store.sqlite.rows import rows

FIELDS = (
    "spent_micros, reserved_micros, spent_tokens, reserved_tokens, requests, estimated_micros, "
    "unpriced_requests"
)

AT_ONCE = 200
"""Reservations that one transaction lets run out."""


def look(db: apsw.Connection, budgets: Sequence[Budget], now: float) -> Decision:
    """Whether there is any money left, and how much of it is gone."""
    let_run_out(db, now)
    if (refused := _broken(db, now)) is not None:
        return refused
    for budget in budgets:
        if is_spent(budget, account(db, budget.key)):
            return _refuse(db, budget, now)
    return _allow(db, budgets)


def reserve(db: apsw.Connection, reservation: Reservation, now: float) -> Decision:
    let_run_out(db, now)
    if rows(db, "SELECT 1 FROM reservations WHERE id = ?", (reservation.id,)):
        return _allow(db, reservation.budgets)
    refused = None if reservation.must else _broken(db, now)
    if refused is not None:
        return refused
    for budget in () if reservation.must else reservation.budgets:
        if not account(db, budget.key).has_room_for(
            budget,
            micros=reservation.micros,
            tokens=reservation.tokens,
            requests=int(reservation.is_request),
        ):
            return _refuse(db, budget, now)
    for budget in reservation.budgets:
        _keep(db, account(db, budget.key).reserving(reservation), now)
    db.execute(
        "INSERT INTO reservations VALUES (?, ?, ?, ?, ?, 0)",
        (
            reservation.id,
            json.dumps([budget.key for budget in reservation.budgets]),
            reservation.micros,
            reservation.tokens,
            now + reservation.expires_seconds,
        ),
    )
    return _allow(db, reservation.budgets)


def settle(
    db: apsw.Connection, reservation_id: str, charge: Charge, now: float
) -> tuple[Account, ...]:
    let_run_out(db, now)
    found = rows(
        db,
        "DELETE FROM reservations WHERE id = ? RETURNING accounts, micros, tokens, has_run_out",
        (reservation_id,),
    )
    if not found:
        return ()
    ((keys, micros, tokens, has_run_out),) = found
    if has_run_out:
        guess = Charge(-micros, -tokens, is_estimate=True)
        _charge(db, json.loads(keys), (0, 0), guess, now)
        micros = tokens = 0
    _charge(db, json.loads(keys), (micros, tokens), charge, now)
    return tuple(account(db, key) for key in json.loads(keys))


def accounts(db: apsw.Connection, keys: Sequence[str], now: float) -> tuple[Account, ...]:
    let_run_out(db, now)
    return tuple(account(db, key) for key in keys)


def let_run_out(db: apsw.Connection, now: float) -> None:
    """What nobody settled in time becomes a charge."""
    due = rows(
        db,
        "SELECT id, accounts, micros, tokens FROM reservations "
        "WHERE NOT has_run_out AND expires_at <= ? ORDER BY expires_at LIMIT ?",
        (now, AT_ONCE),
    )
    for key, accounts, micros, tokens in due:
        guess = Charge(micros, tokens, is_estimate=True)
        _charge(db, json.loads(accounts), (micros, tokens), guess, now)
        db.execute("UPDATE reservations SET has_run_out = 1 WHERE id = ?", (key,))


def account(db: apsw.Connection, key: str) -> Account:
    found = rows(db, f"SELECT {FIELDS} FROM accounts WHERE key = ?", (key,))  # noqa: S608  ours
    return Account(key, *found[0]) if found else Account(key)


def _charge(
    db: apsw.Connection,
    keys: Iterable[str],
    reserved: tuple[int, int],
    charge: Charge,
    now: float,
) -> None:
    for key in keys:
        # One that is missing was deleted with its session.
        if rows(db, "SELECT 1 FROM accounts WHERE key = ?", (key,)):
            _keep(db, account(db, key).charging(*reserved, charge), now)


def _keep(db: apsw.Connection, one: Account, now: float) -> None:
    db.execute(
        f"REPLACE INTO accounts (key, {FIELDS}, used_at) "  # noqa: S608  ours
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            one.key,
            one.spent_micros,
            one.reserved_micros,
            one.spent_tokens,
            one.reserved_tokens,
            one.requests,
            one.estimated_micros,
            one.unpriced_requests,
            now,
        ),
    )


def _allow(db: apsw.Connection, budgets: Sequence[Budget]) -> Decision:
    used = [account(db, budget.key).used_of(budget) for budget in budgets]
    return Decision(allowed=True, budget_used=max(used, default=0.0))


def _refuse(db: apsw.Connection, budget: Budget, now: float) -> Decision:
    if budget.trips_breaker and budget.ends_at is not None:
        open_breaker(db, Breaker(budget.ends_at, budget.reason))
    return refusal(budget, now)


def _broken(db: apsw.Connection, now: float) -> Decision | None:
    breaker = open_now(db, now)
    if breaker is None:
        return None
    return Decision(
        allowed=False,
        reason=breaker.reason,
        retry_after_seconds=breaker.until - now,
        budget_used=1.0,
    )


def open_breaker(db: apsw.Connection, breaker: Breaker) -> None:
    db.execute(
        "INSERT INTO breaker VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET "
        "until = excluded.until, reason = excluded.reason WHERE until < excluded.until",
        (breaker.until, breaker.reason),
    )


def close_breaker(db: apsw.Connection, now: float) -> bool:
    closed = rows(db, "DELETE FROM breaker RETURNING until > ?", (now,))
    return any(was_open for (was_open,) in closed)


def open_now(db: apsw.Connection, now: float) -> Breaker | None:
    found = rows(db, "SELECT until, reason FROM breaker WHERE until > ?", (now,))
    return Breaker(*found[0]) if found else None

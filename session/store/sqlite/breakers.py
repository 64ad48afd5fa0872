"""Circuits in SQLite: what changes nothing takes no lock."""

from collections.abc import Mapping
from typing import TypeVar

from session.circuit_rules import Rule, acquired, closed_by_hand, opened_by_hand, reported, state_of
from session.circuits import CircuitState, Effect, Permit, Verdict
from session.store.sqlite import sql_breakers
from session.store.sqlite.thread import SqliteThread

T = TypeVar("T")


class SqliteBreakers:
    def __init__(self, db: SqliteThread) -> None:
        self._db = db

    async def acquire(self, circuit: str, owner: str, *, now: float) -> Permit:
        return await self._change(circuit, lambda one: acquired(one, owner, now))

    async def report(self, permit: Permit, verdict: Verdict, *, now: float) -> Effect:
        return await self._change(permit.circuit, lambda one: reported(one, permit, verdict, now))

    async def open(self, circuit: str, *, seconds: float, now: float) -> Effect:
        return await self._change(circuit, lambda one: opened_by_hand(one, seconds, now))

    async def close(self, circuit: str, *, now: float) -> bool:
        return await self._change(circuit, lambda one: closed_by_hand(one, now))

    async def states(self, *, now: float) -> Mapping[str, CircuitState]:
        found = await self._db.read(sql_breakers.all_of_them)
        return {one.name: state_of(one, now) for one in found}

    async def _change(self, name: str, rule: Rule[T]) -> T:
        # Nearly every request finds its circuit closed, and leaves it so.
        found = await self._db.read(lambda db: sql_breakers.find(db, name))
        changed, answer = rule(found)
        if changed == found:
            return answer
        return await self._db.write(lambda db: sql_breakers.change(db, name, rule))

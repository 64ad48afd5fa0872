"""Circuits in this process's memory."""

from collections.abc import Mapping
from typing import TypeVar

from session.circuit_rules import (
    Circuit,
    Rule,
    acquired,
    closed_by_hand,
    opened_by_hand,
    reported,
    state_of,
)
from session.circuits import CircuitState, Effect, Permit, Verdict
from session.store.retention import CIRCUITS_KEPT_SECONDS

T = TypeVar("T")


class MemoryBreakers:
    def __init__(self) -> None:
        self._circuits: dict[str, Circuit] = {}

    async def acquire(self, circuit: str, owner: str, *, now: float) -> Permit:
        return self._change(circuit, lambda one: acquired(one, owner, now))

    async def report(self, permit: Permit, verdict: Verdict, *, now: float) -> Effect:
        return self._change(permit.circuit, lambda one: reported(one, permit, verdict, now))

    async def open(self, circuit: str, *, seconds: float, now: float) -> Effect:
        return self._change(circuit, lambda one: opened_by_hand(one, seconds, now))

    async def close(self, circuit: str, *, now: float) -> bool:
        return self._change(circuit, lambda one: closed_by_hand(one, now))

    async def states(self, *, now: float) -> Mapping[str, CircuitState]:
        return {name: state_of(self._circuits[name], now) for name in sorted(self._circuits)}

    def _change(self, name: str, rule: Rule[T]) -> T:
        found = self._circuits.get(name, Circuit(name=name))
        changed, answer = rule(found)
        if changed != found:
            self._circuits[name] = changed
        return answer

    def purge(self, now: float) -> None:
        self._circuits = {
            name: one
            for name, one in self._circuits.items()
            if one.over_at >= now - CIRCUITS_KEPT_SECONDS
        }

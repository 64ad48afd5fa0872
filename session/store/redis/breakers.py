"""Circuits in Redis: the rules are applied here, and kept there if nothing came between."""

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
from session.errors import StoreError
from session.store.redis.client import RedisClient
from session.store.redis.keys import CIRCUITS, key_of
from session.store.redis.records import read, time_text
from session.store.redis.scripts import script
from session.store.retention import CIRCUITS_KEPT_SECONDS

TRIES = 50
"""Each failed one is somebody else's success; a circuit that has opened is not written by many."""

_ALL = script("circuits")
_SWAP = script("swap_circuit")

T = TypeVar("T")


class RedisBreakers:
    """What has not changed for long Redis itself removes, by its own clock."""

    def __init__(self, db: RedisClient) -> None:
        self._db = db

    async def acquire(self, circuit: str, owner: str, *, now: float) -> Permit:
        return await self._change(circuit, lambda one: acquired(one, owner, now), now)

    async def report(self, permit: Permit, verdict: Verdict, *, now: float) -> Effect:
        return await self._change(
            permit.circuit, lambda one: reported(one, permit, verdict, now), now
        )

    async def open(self, circuit: str, *, seconds: float, now: float) -> Effect:
        return await self._change(circuit, lambda one: opened_by_hand(one, seconds, now), now)

    async def close(self, circuit: str, *, now: float) -> bool:
        return await self._change(circuit, lambda one: closed_by_hand(one, now), now)

    async def states(self, *, now: float) -> Mapping[str, CircuitState]:
        found = read(Circuit, await self._db.run(_ALL, [CIRCUITS]))
        return {one.name: state_of(one, now) for one in sorted(found, key=lambda one: one.name)}

    async def _change(self, name: str, rule: Rule[T], now: float) -> T:
        key = key_of("circuit", name)
        text = await self._db.ask("GET", key)
        for _ in range(TRIES):
            (found,) = read(Circuit, [text]) if text else (Circuit(name=name),)
            changed, answer = rule(found)
            if changed == found:
                return answer
            keep_seconds = max(0.0, changed.over_at - now) + CIRCUITS_KEPT_SECONDS
            arguments = [name, text or "", changed.model_dump_json(), time_text(keep_seconds)]
            text = await self._db.run(_SWAP, [key, CIRCUITS], arguments)
            if text is None:
                return answer
        raise StoreError(
            f"the store `{self._db.address}` is too busy with one circuit", retryable=True
        )

"""Breakers as a call uses them: by the store, and without it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import TypeVar

import pytest
from structlog.testing import capture_logs

from session import SessionConfig, SessionService, TextTooLong
from session.breaker import ProviderBreakers
from session.circuits import (
    FAILURE,
    NO_EFFECT,
    NOTHING,
    USEFUL,
    CircuitState,
    Effect,
    Permit,
    Phase,
    Verdict,
    busy,
)
from session.errors import StoreError
from session.store.memory.breakers import MemoryBreakers
from session.store.sqlite.store import SqliteStore

NOW = 1_000_000.0

LLM = "llm https://api.openai.com/v1 gpt-6-luna"

OPENED = Effect(Phase.OPEN, 30.0)

T = TypeVar("T")


class Flaky(MemoryBreakers):
    """A store that is away, or that never answers, when it is told to be."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = self.is_frozen = False
        self.asked = 0

    async def acquire(self, circuit: str, owner: str, *, now: float) -> Permit:
        return await self._after_all(super().acquire(circuit, owner, now=now))

    async def report(self, permit: Permit, verdict: Verdict, *, now: float) -> Effect:
        return await self._after_all(super().report(permit, verdict, now=now))

    async def _after_all(self, work: Awaitable[T]) -> T:
        answer = await work
        self.asked += 1
        if self.is_frozen:
            await asyncio.Event().wait()
        if self.is_away:
            raise StoreError("the store is away", retryable=True)
        return answer


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def shared() -> Flaky:
    return Flaky()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breakers(shared: Flaky, clock: Clock) -> ProviderBreakers:
    return ProviderBreakers(shared, clock)


async def say(breakers: ProviderBreakers, *verdicts: Verdict) -> Effect:
    effect = NO_EFFECT
    for verdict in verdicts:
        permit = await breakers.acquire(LLM, "w/j")
        assert permit.allowed
        effect = await breakers.report(permit, verdict)
    return effect


async def test_two_calls_share_a_circuit(shared: Flaky, clock: Clock) -> None:
    """What one finds out the other need not."""
    one, other = ProviderBreakers(shared, clock), ProviderBreakers(shared, clock)
    assert await say(one, FAILURE, FAILURE) == NO_EFFECT
    assert await say(other, FAILURE) == OPENED
    assert not (await one.acquire(LLM, "w/j")).allowed
    clock.now += 30
    probe = await other.acquire(LLM, "w/j")
    assert not (await one.acquire(LLM, "w/j")).allowed
    assert await other.report(probe, USEFUL) == Effect(Phase.CLOSED)
    assert (await one.acquire(LLM, "w/j")).allowed


async def test_by_hand(breakers: ProviderBreakers, clock: Clock) -> None:
    """Opened, seen, and closed again."""
    assert await breakers.open_by_hand(LLM, 60) == Effect(Phase.OPEN, 60.0)
    clock.now += 20
    assert await breakers.state() == {LLM: CircuitState(Phase.OPEN, "by_hand", 40.0)}
    assert await breakers.close(LLM)
    assert not await breakers.close(LLM)


async def test_a_name_is_not_longer_than_it_may_be(breakers: ProviderBreakers) -> None:
    """Else two providers would be one."""
    assert (await breakers.acquire("x" * 300, "w/j")).allowed
    with pytest.raises(TextTooLong, match="the name of a circuit has more than 300 characters"):
        await breakers.acquire("x" * 301, "w/j")
    with pytest.raises(TextTooLong):
        await breakers.open_by_hand("x" * 301, 60)


async def test_what_no_store_can_hold_is_replaced(tmp_path: Path) -> None:
    """Alike for each who asks."""
    store = await SqliteStore.open(tmp_path / "june.db")
    breakers = ProviderBreakers(store.breakers, lambda: NOW)
    name = "llm \ud800\0"
    await breakers.open_by_hand(name, 60)
    refused = await breakers.acquire(name, "\ud800\0")
    assert not refused.allowed
    assert await breakers.close(name)
    await store.aclose()


async def test_without_the_store_a_provider_may_be_asked(
    breakers: ProviderBreakers, shared: Flaky
) -> None:
    """Also one whose circuit is open; it is said once."""
    await breakers.open_by_hand(LLM, 60)
    shared.is_away = True
    with capture_logs() as logs:
        assert await say(breakers, USEFUL, FAILURE, USEFUL, NOTHING, FAILURE) == NO_EFFECT
    assert [(entry["event"], entry["error"]) for entry in logs] == [
        ("breakers.store_away", "the store is away")
    ]


async def test_without_the_store_a_dead_provider_is_left_alone(
    breakers: ProviderBreakers, shared: Flaky, clock: Clock
) -> None:
    """By what this process has found out itself."""
    shared.is_away = True
    assert await say(breakers, FAILURE, FAILURE, FAILURE) == OPENED
    assert (await breakers.acquire(LLM, "w/j")).retry_after_seconds == 30.0
    assert (await breakers.acquire("tts", "w/j")).allowed
    clock.now += 30
    probe = await breakers.acquire(LLM, "w/j")
    assert probe.is_probe
    assert not (await breakers.acquire(LLM, "w/j")).allowed
    assert await breakers.report(probe, USEFUL) == Effect(Phase.CLOSED)


async def test_a_verdict_that_the_store_does_not_hear_is_the_processs_own(
    breakers: ProviderBreakers, shared: Flaky, clock: Clock
) -> None:
    """The store went away while the provider was asked."""
    await breakers.open_by_hand(LLM, 0)
    probe = await breakers.acquire(LLM, "w/j")
    assert probe.is_probe
    shared.is_away = True
    assert await breakers.report(probe, busy(20)) == Effect(Phase.OPEN, 20.0)
    assert not (await breakers.acquire(LLM, "w/j")).allowed


async def test_a_refusal_that_the_store_gave_stays_one(
    breakers: ProviderBreakers, shared: Flaky
) -> None:
    """Nothing was asked, so nothing is reported."""
    await breakers.open_by_hand(LLM, 60)
    refused = await breakers.acquire(LLM, "w/j")
    shared.is_away = True
    for _ in range(3):
        assert await breakers.report(refused, FAILURE) == NO_EFFECT
    assert (await breakers.acquire(LLM, "w/j")).allowed


async def test_the_store_is_asked_again_after_a_while(
    breakers: ProviderBreakers, shared: Flaky, clock: Clock
) -> None:
    """Not at each request: each would wait for it."""
    shared.is_away = True
    await say(breakers, FAILURE, FAILURE, FAILURE)
    assert shared.asked == 1
    clock.now += 4.75
    await breakers.acquire(LLM, "w/j")
    assert shared.asked == 1
    clock.now += 0.25
    with capture_logs() as logs:
        await breakers.acquire(LLM, "w/j")
    assert (shared.asked, logs) == (2, [])
    shared.is_away = False
    clock.now += 5
    assert await say(breakers, USEFUL, USEFUL) == NO_EFFECT
    assert shared.asked == 6
    shared.is_away = True
    with capture_logs() as logs:
        await breakers.acquire("tts", "w/j")
    assert len(logs) == 1


async def test_a_clock_that_was_set_back_keeps_no_store_away(
    breakers: ProviderBreakers, shared: Flaky, clock: Clock
) -> None:
    """It is asked at once."""
    shared.is_away = True
    await breakers.acquire(LLM, "w/j")
    shared.is_away = False
    clock.now -= 3600
    assert not (await breakers.acquire(LLM, "w/j")).stands_in


async def test_what_stood_in_is_never_told_the_store(
    breakers: ProviderBreakers, shared: Flaky, clock: Clock
) -> None:
    """Its fences are others."""
    shared.is_away = True
    permits = [await breakers.acquire(LLM, "w/j") for _ in range(3)]
    shared.is_away = False
    clock.now += 5
    effects = [await breakers.report(one, FAILURE) for one in permits]
    assert effects == [NO_EFFECT, NO_EFFECT, OPENED]
    assert await breakers.state() == {}


async def test_a_store_that_never_answers_is_not_waited_for(shared: Flaky, clock: Clock) -> None:
    """The caller hears nothing meanwhile."""
    breakers = ProviderBreakers(shared, clock, store_seconds=0)
    shared.is_frozen = True
    with capture_logs() as logs:
        assert (await breakers.acquire(LLM, "w/j")).stands_in
    assert [entry["error"] for entry in logs] == ["it did not answer in time"]


@pytest.fixture
async def sessions(tmp_path: Path) -> AsyncIterator[SessionService]:
    async with SessionService(SessionConfig(data_dir=tmp_path)) as opened:
        yield opened


async def test_sessions_have_them(sessions: SessionService) -> None:
    """The same ones as long as they are open, so that what stands in is not forgotten."""
    assert sessions.breakers is sessions.breakers
    assert await say(sessions.breakers, FAILURE, FAILURE, FAILURE) == OPENED
    assert not (await sessions.breakers.acquire(LLM, "w/j")).allowed

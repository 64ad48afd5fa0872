"""The room of a call whose process died is free again, and no other is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.dead_jobs import DeadJobs
from session import SessionConfig, SessionService, StoreError, open_sessions


@pytest.fixture
async def sessions() -> AsyncIterator[SessionService]:
    config = SessionConfig(Path("unused"), "memory:")
    async with open_sessions(config, now=lambda: 1000.0) as opened:
        yield opened


class Worker:
    """Its jobs, and a clock that ticks when a test says so."""

    def __init__(self) -> None:
        self.jobs: set[str] = set()
        self._tick = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self._tick.clear()
        await self._tick.wait()

    async def tick(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        self._tick.set()
        for _ in range(5):
            await asyncio.sleep(0)

    def watching(self, sessions: SessionService) -> DeadJobs:
        return DeadJobs(sessions, lambda: set(self.jobs), worker_key="w1", sleep=self.sleep)


async def test_a_dead_calls_room_is_free(sessions: SessionService) -> None:
    """Without waiting for its lease to run out."""
    worker = Worker()
    for room, owner in (("a", "w1/j1"), ("b", "w1/j2"), ("c", "w2/j1")):
        assert await sessions.claim_room(room, owner) is not None
    worker.jobs = {"j1", "j2"}
    async with worker.watching(sessions) as watching:
        watching.begin()
        await worker.tick()
        assert await sessions.claim_room("a", "w3/j3") is None
        worker.jobs = {"j2"}
        await worker.tick()
        assert await sessions.claim_room("a", "w3/j3") is not None
        assert await sessions.claim_room("b", "w3/j3") is None
        assert await sessions.claim_room("c", "w3/j3") is None


async def test_a_store_that_is_away_is_asked_again(
    sessions: SessionService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the room is free."""
    worker = Worker()
    assert await sessions.claim_room("a", "w1/j1") is not None
    worker.jobs = {"j1"}
    free, away = sessions.free_rooms, True

    async def free_rooms(owner: str) -> int:
        if away:
            raise StoreError("away", retryable=True)
        return await free(owner)

    monkeypatch.setattr(sessions, "free_rooms", free_rooms)
    async with worker.watching(sessions) as watching:
        watching.begin()
        await worker.tick()
        worker.jobs = set()
        await worker.tick()
        assert await sessions.claim_room("a", "w3/j3") is None
        away = False
        await worker.tick()
        assert await sessions.claim_room("a", "w3/j3") is not None

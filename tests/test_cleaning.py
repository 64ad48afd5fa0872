"""Clean-up: what expired is deleted, at start and every hour, by one process of all."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from test_store import said

from session import Removed, SessionConfig, SessionService, StoreError, open_sessions
from session.cleaning import EVERY_SECONDS, Cleaning
from session.service import SESSION_SECONDS


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self._until: list[tuple[float, asyncio.Event]] = []

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._until.append((self.now + seconds, woken))
        await woken.wait()

    async def go(self, seconds: float) -> None:
        """And let whoever is woken do their work."""
        self.now += seconds
        for until, woken in self._until:
            if until <= self.now:
                woken.set()
        await asyncio.sleep(0.05)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sessions(tmp_path: Path, clock: Clock) -> AsyncIterator[SessionService]:
    async with open_sessions(SessionConfig(tmp_path), now=lambda: clock.now) as opened:
        yield opened


async def test_what_showed_no_life_for_a_day_is_gone(
    sessions: SessionService, clock: Clock
) -> None:
    """With what was said, and the report says how much it really was."""
    old = await sessions.get_or_create_for_room("old", "ann")
    await sessions.add_message(said(old, "1"))
    clock.now += 1
    young = await sessions.get_or_create_for_room("young", "ann")
    clock.now += SESSION_SECONDS
    assert await sessions.cleanup_expired_sessions() == Removed(sessions=1, messages=1)
    assert await sessions.list_sessions() == (young,)
    clock.now += 1
    assert await sessions.cleanup_expired_sessions() == Removed(sessions=1)


async def test_a_worker_cleans_at_start_and_every_hour(
    sessions: SessionService, clock: Clock
) -> None:
    """For as long as it lives."""
    await sessions.get_or_create_for_room("room", "ann")
    clock.now += SESSION_SECONDS + 1
    async with Cleaning(sessions, sleep=clock.sleep):
        await clock.go(0)
        assert await sessions.list_sessions() == ()
        await sessions.get_or_create_for_room("room", "ann")
        await clock.go(SESSION_SECONDS - 10)
        assert len(await sessions.list_sessions()) == 1
        await clock.go(EVERY_SECONDS)
        assert await sessions.list_sessions() == ()


async def test_one_worker_cleans_for_all(sessions: SessionService, clock: Clock) -> None:
    """The others find that it was just done; the next hour it may be another."""
    for _ in range(3):
        done = [await sessions.clean_up_once("every hour") for _ in range(4)]
        assert done == [Removed(), None, None, None]
        clock.now += EVERY_SECONDS


async def test_a_clean_up_that_failed_is_done_by_the_next(
    sessions: SessionService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not count as done."""

    async def fail(**when: float) -> Removed:
        raise StoreError("away", retryable=True)

    with monkeypatch.context() as patch:
        patch.setattr(sessions._store.sessions, "purge", fail)
        with pytest.raises(StoreError):
            await sessions.clean_up_once("every hour")
    assert await sessions.clean_up_once("every hour") == Removed()

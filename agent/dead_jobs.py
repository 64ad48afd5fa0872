"""Frees the rooms of calls whose process died, so that another June may come at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

import structlog

from agent import background
from agent.metrics import CALLS_DIED
from session import SessionService, StoreError

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.25


class DeadJobs:
    """Lives as long as the worker. A call that ended well has given its room back before."""

    def __init__(
        self,
        sessions: SessionService,
        running: Callable[[], set[str]],
        *,
        worker_key: str,
        on_death: Callable[[], None] = lambda: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sessions = sessions
        self._running = running
        self._worker_key = worker_key
        self._on_death = on_death
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    def begin(self) -> None:
        """From now on; before it runs, LiveKit's server knows of no jobs and says so rudely."""
        if self._task is None:
            self._task = background.begin(self._look_for_ever(), "june.dead_jobs")

    async def _look_for_ever(self) -> None:
        seen: set[str] = set()
        while True:
            running = self._running()
            seen = {job for job in seen - running if not await self._freed(job)} | running
            await self._sleep(LOOK_SECONDS)

    async def _freed(self, job: str) -> bool:
        try:
            rooms = await self._sessions.free_rooms(f"{self._worker_key}/{job}")
        except StoreError as error:
            log.warning("room.not_freed", error=str(error))
            return False
        if rooms:
            log.warning("call.died", job=job, rooms_freed=rooms)
            CALLS_DIED.inc()
            self._on_death()
        return True

    async def __aexit__(self, *exc_info: object) -> None:
        await background.end(self._task)

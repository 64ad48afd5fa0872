"""Says, for as long as a worker runs, that it does: for whoever looks at all workers together."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Self

import structlog

from agent import background
from agent.worker_state import WorkerState
from session import Lease, SessionService, StoreError
from session.notes import LONGEST_NAME_CHARACTERS, WorkerNote

log = structlog.get_logger(__name__)

SAY_SECONDS = 2.0


class OnDuty:
    """Lives as long as the worker, and a little less than its memory."""

    def __init__(
        self,
        sessions: SessionService,
        state: WorkerState,
        *,
        worker_key: str,
        max_calls: int,
        host: str | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sessions = sessions
        self._state = state
        self._worker_key = worker_key
        self._max_calls = max_calls
        self._host = (socket.gethostname() if host is None else host)[:LONGEST_NAME_CHARACTERS]
        self._sleep = sleep
        self._seat: Lease | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    def begin(self) -> None:
        """From now on; before it runs, LiveKit's server knows of no jobs and says so rudely."""
        if self._task is None:
            self._task = background.begin(self._say_for_ever(), "june.on_duty")

    async def _say_for_ever(self) -> None:
        since, is_away = self._sessions.now(), False
        while True:
            try:
                await self._say(since)
                is_away = False
            except StoreError as error:
                if not is_away:
                    log.warning("worker.unseen", error=str(error))
                is_away = True
            await self._sleep(SAY_SECONDS)

    async def _say(self, since: float) -> None:
        note = WorkerNote(
            host=self._host,
            calls=self._state.calls,
            max_calls=self._max_calls,
            is_draining=self._state.is_draining,
            since=since,
        )
        self._seat = await self._sessions.duty.sign_on(self._worker_key, note)

    async def __aexit__(self, *exc_info: object) -> None:
        await background.end(self._task)
        if self._seat is not None:
            with suppress(StoreError):
                await self._sessions.duty.sign_off(self._seat)

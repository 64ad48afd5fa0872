"""Deletes what has expired: at start and every 60 minutes, by one process of all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

import structlog

from session.errors import StoreError
from session.service import SessionService

log = structlog.get_logger(__name__)

EVERY_SECONDS = 3_600.0


class Cleaning:
    """Lives as long as its worker; a worker that dies is followed by another an hour later."""

    def __init__(
        self,
        sessions: SessionService,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sessions = sessions
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._clean_for_ever(), name="june.cleaning")
        return self

    async def _clean_for_ever(self) -> None:
        await self._clean("at start")
        while True:
            await self._sleep(EVERY_SECONDS)
            await self._clean("every hour")

    async def _clean(self, when: str) -> None:
        try:
            removed = await self._sessions.clean_up_once(when)
        except StoreError as error:
            log.warning("sessions.not_cleaned", error=str(error))
            return
        except Exception:
            log.exception("sessions.not_cleaned")  # and is tried again an hour later
            return
        if removed is not None:
            log.info("sessions.cleaned", when=when, **removed.model_dump())

    async def __aexit__(self, *exc_info: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

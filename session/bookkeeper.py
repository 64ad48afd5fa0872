"""Writes charges down off the path of a turn, and again until the store has taken them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import structlog

from session.alerts import Alert
from session.errors import StoreError
from session.money import Charge, Reservation
from session.treasury import Treasury

log = structlog.get_logger(__name__)

LONGEST_QUEUE = 1_000
RETRY_SECONDS = 0.5
PATIENCE_SECONDS = 5.0
"""How long the end of a call waits until its money is written down."""


@dataclass(frozen=True)
class Due:
    """A charge that is to be written down."""

    reservation: Reservation
    charge: Charge
    is_late: bool = False
    """The store was away when it was spent, and knows of no reservation."""


class Bookkeeper:
    """Lives as long as one call's purse. A store knows a charge by its id: twice is once."""

    def __init__(self, treasury: Treasury, *, on_alert: Callable[[Alert], None]) -> None:
        self._treasury = treasury
        self._on_alert = on_alert
        self._due: asyncio.Queue[Due] = asyncio.Queue(LONGEST_QUEUE)
        self._known_alerts: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self.lost = 0
        """Charges that could not be written down; a reservation then runs out into one."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write_all(), name="june.bookkeeper")
        return self

    def note(self, due: Due) -> None:
        try:
            self._due.put_nowait(due)
        except asyncio.QueueFull:
            self.lost += 1

    async def _write_all(self) -> None:
        while True:
            due = await self._due.get()
            is_away = False
            while True:
                try:
                    await self._write(due)
                except StoreError as error:
                    if not error.retryable:
                        self.lost += 1
                        log.error("charge.not_written", error=str(error))
                        break
                    if not is_away:
                        log.warning("store.unavailable", error=str(error), charges="wait")
                    is_away = True
                    await asyncio.sleep(RETRY_SECONDS)
                else:
                    break
            self._due.task_done()

    async def _write(self, due: Due) -> None:
        if due.is_late:
            await self._treasury.reserve(due.reservation)
        accounts = await self._treasury.settle(due.reservation.id, due.charge)
        if accounts:
            for alert in await self._treasury.alerts(accounts[0], self._known_alerts):
                self._on_alert(alert)

    async def __aexit__(self, *exc_info: object) -> None:
        if self._task is None:
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._due.join()
        except TimeoutError:
            self.lost += self._due.qsize() + 1
        finally:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self.lost:
            log.error("charges.not_written", count=self.lost)

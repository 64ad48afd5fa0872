"""Writes charges down off the path of a turn, and again until the store has taken them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import structlog

from session.alerts import Alert
from session.errors import StoreError
from session.money import MICROS, Account, Charge, Reservation
from session.treasury import Treasury

log = structlog.get_logger(__name__)

LONGEST_QUEUE = 1_000
RETRY_SECONDS = 0.5
PATIENCE_SECONDS = 5.0
"""How long the end of a call waits until its money is written down."""


@dataclass
class Due:
    """A charge that is to be written down."""

    reservation: Reservation
    charge: Charge
    is_late: bool = False
    """The store was away when it was spent, and knows of no reservation."""
    may_be_settled: bool = False
    """Its settlement was asked for, and the answer did not come."""


class Bookkeeper:
    """Lives as long as one call's purse. A charge is written once, however often it is tried."""

    def __init__(self, treasury: Treasury, *, on_alert: Callable[[Alert], None]) -> None:
        self._treasury = treasury
        self._on_alert = on_alert
        self._due: asyncio.Queue[Due] = asyncio.Queue(LONGEST_QUEUE)
        self._known_alerts: set[str] = set()
        self._writing: Due | None = None
        self._task: asyncio.Task[None] | None = None
        self.lost = 0
        """Charges that could not be written down; a reservation then runs out into one."""
        self.lost_micros = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write_all(), name="june.bookkeeper")
        return self

    def note(self, due: Due) -> None:
        try:
            self._due.put_nowait(due)
        except asyncio.QueueFull:
            self._lose(due)

    def _lose(self, due: Due) -> None:
        self.lost += 1
        self.lost_micros += due.charge.micros

    async def _write_all(self) -> None:
        while True:
            self._writing = await self._due.get()
            await self._write(self._writing)
            self._writing = None
            self._due.task_done()

    async def _write(self, due: Due) -> None:
        is_away = False
        while True:
            try:
                accounts = await self._settled(due)
            except StoreError as error:
                if not error.retryable:
                    self._lose(due)
                    log.error("charge.not_written", error=str(error))
                    return
                if not is_away:
                    log.warning("store.unavailable", error=str(error), charges="wait")
                is_away = True
                await asyncio.sleep(RETRY_SECONDS)
            else:
                await self._tell(accounts)
                return

    async def _settled(self, due: Due) -> tuple[Account, ...]:
        if due.is_late:
            await self._treasury.reserve(due.reservation)
            due.is_late = False
        was_asked, due.may_be_settled = due.may_be_settled, True
        accounts = await self._treasury.settle(due.reservation.id, due.charge)
        if not accounts and not was_asked:
            # The store was emptied since it was reserved; what was spent is spent.
            await self._treasury.reserve(replace(due.reservation, must=True))
            accounts = await self._treasury.settle(due.reservation.id, due.charge)
        return accounts

    async def _tell(self, accounts: tuple[Account, ...]) -> None:
        """What was not told now is told with the next charge."""
        if accounts:
            try:
                await self._treasury.tell_alerts(accounts[0], self._known_alerts, self._on_alert)
            except StoreError as error:
                log.warning("alert.untold", error=str(error))

    async def __aexit__(self, *exc_info: object) -> None:
        if self._task is None:
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._due.join()
        except TimeoutError:
            if self._writing is not None:
                self._lose(self._writing)
            while not self._due.empty():
                self._lose(self._due.get_nowait())
        finally:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self.lost:
            dollars = self.lost_micros / MICROS
            log.error("charges.not_written", count=self.lost, dollars=dollars)

"""One SQLite connection in one thread, which runs one whole transaction at a time.

A transaction never spans an `await`: whoever is cancelled while waiting for one leaves no lock and
no half of it behind. `apsw` brings its own SQLite, without the WAL-reset bug of older ones.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

import apsw

from session.errors import StoreError
from session.store.sqlite.connection import SqliteConnection
from session.store.sqlite.file import BUSY_SECONDS

T = TypeVar("T")


class SqliteThread:
    """Lives as long as its store."""

    def __init__(
        self, connection: SqliteConnection, *, on_fault: Callable[[], None] = lambda: None
    ) -> None:
        self._connection = connection
        self._on_fault = on_fault
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="june.store")
        self._is_closed = False

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        busy_seconds: float = BUSY_SECONDS,
        on_fault: Callable[[], None] = lambda: None,
    ) -> Self:
        """A transaction waits `busy_seconds` for those of other processes.

        Raises:
            StoreUnusable: if the file is not June's, or cannot be read and written.
        """
        opened = cls(SqliteConnection(path, busy_seconds=busy_seconds), on_fault=on_fault)
        try:
            await asyncio.get_running_loop().run_in_executor(
                opened._thread, opened._connection.open
            )
        except BaseException:
            opened._thread.submit(opened._connection.close)
            opened._thread.shutdown(wait=False)
            raise
        return opened

    async def write(self, work: Callable[[apsw.Connection], T]) -> T:
        # IMMEDIATE: a transaction that began by reading may not be able to write later.
        return await self._hop("BEGIN IMMEDIATE", work)

    async def read(self, work: Callable[[apsw.Connection], T]) -> T:
        return await self._hop("BEGIN", work)

    async def outside(self, work: Callable[[apsw.Connection], T]) -> T:
        """Without a transaction, for what SQLite does not do inside one."""
        return await self._hop(None, work)

    async def _hop(self, begin: str | None, work: Callable[[apsw.Connection], T]) -> T:
        """One transaction in the store's thread; it ends even if nobody waits for it any more."""
        if self._is_closed:
            raise StoreError(f"the store `{self._connection.path}` is closed", retryable=False)
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, lambda: self._connection.run(begin, work)
            )
        except StoreError:
            self._on_fault()
            raise

    async def aclose(self) -> None:
        """After what was begun before, also if nobody waits for it. Closing twice is fine."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            closing = asyncio.get_running_loop().run_in_executor(
                self._thread, self._connection.close
            )
        except RuntimeError:
            # The interpreter is ending and has ended the thread: nothing else runs in it now.
            self._connection.close()
            return
        self._thread.shutdown(wait=False)
        await asyncio.shield(closing)

"""The SQLite store: one connection, in one thread, one whole transaction at a time."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from session.store.sqlite.breakers import SqliteBreakers
from session.store.sqlite.parts import (
    SqliteClaims,
    SqliteLeases,
    SqliteLedger,
    SqliteLimits,
    SqliteMemories,
)
from session.store.sqlite.sessions import SqliteSessions
from session.store.sqlite.thread import SqliteThread


class SqliteStore:
    """Lives as long as the process that opened it. Never open it before a fork and use it after."""

    skew_seconds = 0.0

    def __init__(self, db: SqliteThread) -> None:
        self.db = db
        self.sessions = SqliteSessions(db)
        self.limits = SqliteLimits(db)
        self.ledger = SqliteLedger(db)
        self.claims = SqliteClaims(db)
        self.leases = SqliteLeases(db)
        self.memories = SqliteMemories(db)
        self.breakers = SqliteBreakers(db)

    @classmethod
    async def open(cls, path: Path, *, on_fault: Callable[[], None] = lambda: None) -> Self:
        """Make the file if need be, and bring it to this version. Raises `StoreUnusable`."""
        return cls(await SqliteThread.open(path, on_fault=on_fault))

    async def aclose(self) -> None:
        """After what was begun before. Closing twice is fine."""
        await self.db.aclose()

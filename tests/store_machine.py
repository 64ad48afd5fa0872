"""What the state machines of the stores have in common: an open store, a clock, and a loop."""

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar

import apsw
from hypothesis.stateful import RuleBasedStateMachine

from session.store import MemoryStore, SqliteStore, Store, open_store
from session.store.redis.store import RedisStore

T = TypeVar("T")

NOW = 1_000_000.0


class OpenedStore:
    """One store for many examples, each of which empties it. Lives as long as its runner's loop."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        self._runner = runner
        self.store: Store = runner.run(open_store(url))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def empty(self) -> None:
        match self.store:
            case MemoryStore():
                self.store = MemoryStore()
            case SqliteStore():
                self.run(self.store.db.write(delete_all))
            case RedisStore():
                self.run(self.store.db.ask("FLUSHDB"))

    def close(self) -> None:
        self.run(self.store.aclose())


def delete_all(db: apsw.Connection) -> None:
    """As if the file were new."""
    for table in ("hits", "blocks", "accounts", "reservations", "breaker", "leases", "circuits"):
        db.execute(f"DELETE FROM {table}")
    db.execute("UPDATE counters SET value = 0")


class StoreMachine(RuleBasedStateMachine):
    """Begins with an empty store. Times are multiples of a quarter of a second: exact in floats."""

    opened: ClassVar[OpenedStore]
    """Set before a machine is run."""

    def __init__(self) -> None:
        super().__init__()
        self.opened.empty()
        self.now = NOW

    @property
    def store(self) -> Store:
        return self.opened.store

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.opened.run(work)

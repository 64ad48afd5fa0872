"""Where sessions are kept: a URL chooses."""

from collections.abc import Callable
from pathlib import Path

from session.errors import StoreUnusable
from session.store.memory.store import MemoryStore
from session.store.protocol import Store
from session.store.sqlite.store import SqliteStore

__all__ = ["MemoryStore", "SqliteStore", "Store", "open_store"]


async def open_store(url: str, *, on_fault: Callable[[], None] = lambda: None) -> Store:
    """`sqlite:PATH`, `redis://…`, `rediss://…` or `memory:`.

    `on_fault` is called each time an open store fails somebody who waits for it.

    Raises:
        StoreUnusable: for another scheme, or where the store cannot be used as it is.
    """
    scheme, _, path = url.partition(":")
    match scheme:
        case "memory":
            return MemoryStore()
        case "sqlite" if path:
            return await SqliteStore.open(Path(path), on_fault=on_fault)
        case "redis" | "rediss":
            # Half a second that nobody without Redis should wait.
            from session.store.redis.store import RedisStore  # noqa: PLC0415  for this reason

            return await RedisStore.open(url, on_fault=on_fault)
    raise StoreUnusable(
        f"unknown session store `{scheme}:`\n"
        "hint: use `sqlite:/path/to/june.db`, `redis://host:6379`, `rediss://…` or `memory:`"
    )

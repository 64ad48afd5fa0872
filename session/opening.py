"""Opens what a SessionService needs: its store, and the key under which users are hashed."""

import asyncio
from collections.abc import Callable

from session.config import SessionConfig
from session.errors import StoreUnusable
from session.store import Store, open_store
from session.users import key_in

DATABASE = "june.db"


def url_of_store(config: SessionConfig) -> str:
    """It may hold a password."""
    return config.store_url or f"sqlite:{config.data_dir / DATABASE}"


async def open_with_key(
    config: SessionConfig, *, on_fault: Callable[[], None] = lambda: None
) -> tuple[Store, bytes]:
    """Raises `StoreUnusable`, worded for the operator."""
    store = await open_store(url_of_store(config), on_fault=on_fault)
    try:
        return store, await asyncio.to_thread(_key, config)
    except BaseException:
        await store.aclose()
        raise


def _key(config: SessionConfig) -> bytes:
    if config.secret_key:
        return config.secret_key
    if config.store_url.startswith("memory:"):
        return b"forgotten with the process"
    if config.store_url.startswith("redis"):
        raise StoreUnusable(
            "with a Redis store the machines must agree on the key for users\n"
            "hint: set `JUNE_SECRET_KEY` to the same on all of them (`openssl rand -hex 32`)"
        )
    return key_in(config.data_dir)

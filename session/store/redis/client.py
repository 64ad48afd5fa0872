"""How this store asks Redis: one round trip at a time, none of them twice."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from redis.asyncio import Connection, ConnectionPool, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from session.errors import StoreError
from session.store.redis.address import RedisAddress
from session.store.redis.errors import explained, without_data
from session.store.redis.scripts import Script

CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 1.0

TRIP_SECONDS = 1.2
"""With the connection that it may need: a caller hears nothing meanwhile."""

AT_ONCE = 16
"""Connections of one process."""

Value = str | int


class RedisClient:
    """Lives as long as its store. A server that was restarted is connected to anew.

    Whoever is cancelled while waiting has done all of a command or script, or nothing.
    """

    def __init__(
        self, address: RedisAddress, *, on_fault: Callable[[], None] = lambda: None
    ) -> None:
        self.address = address
        self._on_fault = on_fault
        self._redis = Redis.from_pool(_pool(address))
        self._send: Callable[..., Awaitable[Any]] = self._redis.execute_command
        # Redis's own limit is an error, and its waiting pool loses connections of cancelled tasks.
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._is_closed = False

    async def ask(self, *command: Value) -> Any:
        """The answer to one command, its texts decoded. Raises `StoreError`."""
        if self._is_closed:
            raise StoreError(f"the store `{self.address}` is closed", retryable=False)
        try:
            async with asyncio.timeout(TRIP_SECONDS), self._slots:
                return await self._send(*command)
        except NoScriptError as error:
            raise _UnknownScript from error
        except UnicodeDecodeError:
            raise StoreError(
                f"the store `{self.address}` holds what is no text", retryable=False
            ) from None
        except (RedisError, OSError) as error:
            self._on_fault()
            raise explained(error, self.address) from without_data(error)

    async def run(
        self, script: Script, keys: Sequence[str] = (), arguments: Sequence[Value] = ()
    ) -> Any:
        """What a script returns. Raises `StoreError`."""
        rest = (len(keys), *keys, *arguments)
        try:
            return await self.ask("EVALSHA", script.sha, *rest)
        except _UnknownScript:
            return await self.ask("EVAL", script.source, *rest)

    async def aclose(self) -> None:
        """Closing twice is fine."""
        self._is_closed = True
        with suppress(RedisError, OSError):
            await self._redis.aclose()


class _UnknownScript(Exception):
    """Redis was restarted, or told to forget its scripts."""


def _pool(address: RedisAddress) -> ConnectionPool:
    return ConnectionPool(
        SSLConnection if address.is_encrypted else Connection,
        host=address.host,
        port=address.port,
        db=address.database,
        username=address.username,
        password=address.password,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        # By default it sends a command up to ten times more, also one that adds something.
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        protocol=2,
    )

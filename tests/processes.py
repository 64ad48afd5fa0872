"""Several processes at one store: all at once, or one that does what it is told."""

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any, TypeVar

import pytest
from structlog.testing import capture_logs

from bench.redis_server import RedisServer
from session.errors import StoreError
from session.store import Store, open_store

T = TypeVar("T")

Work = Callable[[Store], Awaitable[T]]
"""A function of a module, or a `functools.partial` of one: other processes import it."""

PROCESSES = 8

# From a process that has neither a store nor threads: children are fresh, and quickly there.
forking = multiprocessing.get_context("forkserver")
forking.set_forkserver_preload(["pytest", "session.store.redis.store"])

SHARED = ["sqlite", "redis"]
"""The stores that processes share."""


def url_of(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty store; its files are in the folder of the test."""
    if kind == "redis":
        server: RedisServer = request.getfixturevalue("redis")
        server.ask(b"FLUSHALL")
        return server.url
    return f"sqlite:{tmp_path / 'june.db'}"


def run(url: str, work: Work[T], *, open_at: float = 0.0, begin_at: float = 0.0) -> T:
    """What it returns with a store of its own; Unix times before which nothing happens."""

    async def begin() -> T:
        await _wait_until(open_at)
        store = await open_store(url)
        try:
            await _wait_until(begin_at)
            return await work(store)
        finally:
            await store.aclose()

    return asyncio.run(begin())


async def _wait_until(at: float) -> None:
    await asyncio.sleep(max(0.0, at - time.time()))


class Crowd:
    """Eight processes, each with the same store. Lives as long as its pool."""

    def __init__(self, pool: Pool, url: str) -> None:
        self._pool = pool
        self.url = url

    def at_once(self, work: Callable[[Store, int], Awaitable[T]]) -> list[T]:
        """What it returns in each of them; it is told its number. They open the store at once."""
        now = time.time()
        jobs = [(self.url, work, number, now + 0.05, now + 0.2) for number in range(PROCESSES)]
        return self._pool.starmap(_numbered, jobs, chunksize=1)

    def after(self, work: Work[T]) -> T:
        """What it returns in one more process: this one."""
        return run(self.url, work)


def _numbered(
    url: str,
    work: Callable[[Store, int], Awaitable[T]],
    number: int,
    open_at: float,
    begin_at: float,
) -> T:
    try:
        return run(url, lambda store: work(store, number), open_at=open_at, begin_at=begin_at)
    except StoreError as error:
        # It cannot be pickled, and the pool would wait for it for ever.
        raise AssertionError(str(error)) from None


class Servant:
    """A process that keeps a store open and does with it what it is told."""

    def __init__(self, pipe: "Connection") -> None:
        self._pipe = pipe

    def do(self, work: Work[T]) -> T:
        """What it returns there. Raises the `StoreError` that it raises there."""
        self.begin(work)
        answer: T = self.end()
        return answer

    def begin(self, work: Work[Any]) -> None:
        """Without waiting for it; `end` does."""
        self._pipe.send(work)

    def end(self) -> Any:
        assert self._pipe.poll(20), "it hangs"
        answer, failed, retryable = self._pipe.recv()
        if failed is not None:
            raise StoreError(failed, retryable=retryable)
        return answer


@contextmanager
def servant(url: str) -> Iterator[Servant]:
    """Has its store open already; ends, and closes it, with the block."""
    ours, theirs = forking.Pipe()
    process = forking.Process(target=_serve, args=(url, theirs))
    process.start()
    theirs.close()
    try:
        assert ours.poll(20), "it does not start"
        ours.recv()
        yield Servant(ours)
    finally:
        ours.close()
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()


def _serve(url: str, pipe: "Connection") -> None:
    asyncio.run(_serving(url, pipe))


LOGS: list[MutableMapping[str, Any]] = []
"""What a servant has logged so far."""


async def logged(store: Store) -> list[str]:
    """For a servant: the names of the events in its log."""
    return [entry["event"] for entry in LOGS]


async def _serving(url: str, pipe: "Connection") -> None:
    with capture_logs() as logs:
        globals()["LOGS"] = logs
        store = await open_store(url)
        pipe.send("open")
        while True:
            try:
                work = pipe.recv()
            except EOFError:
                break
            try:
                pipe.send((await work(store), None, False))
            except StoreError as error:
                pipe.send((None, str(error), error.retryable))
        await store.aclose()

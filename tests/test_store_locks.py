"""A SQLite file that others have locked, and tasks that are cancelled: nothing half, no lock."""

import asyncio
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import apsw
import pytest
from test_store import NOW, begin, said

from session.errors import StoreError
from session.limits import Ask, Budget, Window
from session.money import Charge, Reservation
from session.store.sqlite.rows import rows
from session.store.sqlite.store import SqliteStore
from session.store.sqlite.thread import SqliteThread

T = TypeVar("T")


async def patient(path: Path, *, busy_seconds: float) -> SqliteStore:
    return SqliteStore(await SqliteThread.open(path, busy_seconds=busy_seconds))


@contextmanager
def locked(path: Path, how: str = "IMMEDIATE") -> Iterator[apsw.Connection]:
    """Another program has begun to write and does not come to an end."""
    other = apsw.Connection(str(path))
    other.execute(f"BEGIN {how}")
    try:
        yield other
    finally:
        other.execute("ROLLBACK")
        other.close()


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
async def test_a_locked_file_is_an_error_in_words(tmp_path: Path, how: str) -> None:
    """For as long as it is locked; nothing of what was refused is there afterwards."""
    path = tmp_path / "june.db"
    store = await patient(path, busy_seconds=0.05)
    session = await begin(store)
    with locked(path, how):
        for _ in range(3):
            with pytest.raises(StoreError, match=r"is locked by another program$") as raised:
                await store.sessions.append(said(session, "1"), now=NOW)
            assert raised.value.retryable
    assert await store.sessions.append(said(session, "1"), now=NOW)
    await store.aclose()


async def test_who_waits_for_a_lock_is_next(tmp_path: Path) -> None:
    """A lock that is short costs nothing but time."""
    path = tmp_path / "june.db"
    store = await patient(path, busy_seconds=10)
    session = await begin(store)
    with locked(path):
        writing = asyncio.create_task(store.sessions.append(said(session, "1"), now=NOW))
        await asyncio.sleep(0.1)
        assert not writing.done()
    assert await writing
    await store.aclose()


async def test_a_lease_begins_when_the_file_is_its_own(tmp_path: Path) -> None:
    """Whoever waits for a lock does not get one that is old already; so it is for a renewal."""
    path = tmp_path / "june.db"
    store = await patient(path, busy_seconds=10)

    async def behind_a_lock(work: Coroutine[object, object, T]) -> T:
        with locked(path):
            waiting = asyncio.create_task(work)
            await asyncio.sleep(1.0)
        return await waiting

    lease = await behind_a_lock(store.leases.claim("room", "w1/j", ttl_seconds=3, now=NOW))
    assert lease is not None
    assert await store.leases.claim("room", "w2/j", ttl_seconds=3, now=NOW + 3.9) is None
    renewed = await behind_a_lock(store.leases.renew(lease, ttl_seconds=3, now=NOW + 3.5))
    assert renewed.held
    assert await store.leases.claim("room", "w2/j", ttl_seconds=3, now=NOW + 7.4) is None
    assert await store.leases.claim("room", "w2/j", ttl_seconds=3, now=NOW + 20) is not None
    await store.aclose()


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
async def test_who_reads_does_not_wait_for_who_writes(tmp_path: Path, how: str) -> None:
    """And does not see what is not done yet."""
    path = tmp_path / "june.db"
    store = await patient(path, busy_seconds=10)
    session = await begin(store)
    await store.sessions.append(said(session, "1"), now=NOW)
    with locked(path, how) as other:
        other.execute("DELETE FROM messages")
        begun = time.monotonic()
        assert len(await store.sessions.messages(session.session_id)) == 1
        assert time.monotonic() - begun < 1
    await store.aclose()


async def test_who_writes_does_not_wait_for_who_reads(tmp_path: Path) -> None:
    """Somebody has a report open all day. What is deleted stays in the journal until then."""
    path = tmp_path / "june.db"
    store = await patient(path, busy_seconds=0.05)
    session = await begin(store)
    with locked(path, "DEFERRED") as other:
        assert rows(other, "SELECT count(*) FROM sessions") == [(1,)]
        assert await store.sessions.append(said(session, "1"), now=NOW)
        assert (await store.sessions.delete(session.session_id)).messages == 1
        assert rows(other, "SELECT count(*) FROM messages") == [(0,)]
    await store.aclose()


async def test_a_cancelled_wait_for_a_lock_leaves_nothing(tmp_path: Path) -> None:
    """Whoever did not begin does not; whoever did is done or not; the store goes on."""
    path = tmp_path / "june.db"
    store = await patient(path, busy_seconds=10)
    session = await begin(store)
    with locked(path):
        writing = [
            asyncio.create_task(store.sessions.append(said(session, f"{number}"), now=NOW))
            for number in range(20)
        ]
        await asyncio.sleep(0.05)
        for task in writing:
            task.cancel()
        await asyncio.wait(writing)
    assert all(task.cancelled() for task in writing)
    kept = await store.sessions.messages(session.session_id)
    assert [message.id for message in kept] in ([], ["0"])
    assert await store.sessions.append(said(session, "last"), now=NOW)
    check_unlocked(path)
    await store.aclose()


@pytest.mark.parametrize("delay", [0.0, 0.0001, 0.0003, 0.001])
async def test_a_cancelled_operation_leaves_no_lock(tmp_path: Path, delay: float) -> None:
    """Each of them, at any await; and no reservation is in one of its budgets only."""
    path = tmp_path / "june.db"
    store = await SqliteStore.open(path)
    session = await begin(store)
    budgets = (Budget("a", ""), Budget("b", ""))
    ask = Ask("1", (Window("w", 1, 60.0, "w"), Window("v", 1, 60.0, "v")))
    for work in (
        begin(store, "other"),
        store.sessions.append(said(session, "1"), now=NOW),
        store.sessions.purge(seen_before=NOW - 1, now=NOW),
        store.sessions.delete("nobody"),
        store.limits.admit(ask, now=NOW),
        store.ledger.reserve(Reservation("1", budgets, micros=1, tokens=1), now=NOW),
        store.ledger.settle("1", Charge(1, 1), now=NOW),
        store.claims.claim("k", ttl_seconds=60, now=NOW),
        store.leases.claim("room", "w/j", ttl_seconds=60, now=NOW),
    ):
        task: asyncio.Task[object] = asyncio.create_task(work)
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.wait([task])
        check_unlocked(path)
    first, second = await store.ledger.accounts(["a", "b"], now=NOW)
    assert replace(first, key="b") == second
    hits = await store.db.read(lambda db: rows(db, "SELECT count(*) FROM hits"))
    assert hits in ([(0,)], [(2,)])
    check_unlocked(path)
    await store.aclose()


@pytest.mark.parametrize("ticks", range(4))
async def test_who_is_cancelled_opening_or_closing_leaves_nothing_open(
    tmp_path: Path, ticks: int
) -> None:
    """The last to close it empties the journal into the file: nobody has it open any more."""
    path = tmp_path / "june.db"
    await (await SqliteStore.open(path)).aclose()

    async def cancel(work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task

    opening = await cancel(SqliteStore.open(path))
    store = await SqliteStore.open(path) if opening.cancelled() else opening.result()
    await begin(store)
    if (await cancel(store.aclose())).cancelled():
        await store.aclose()
    for _ in range(200):
        if not path.with_name("june.db-wal").exists():
            break
        await asyncio.sleep(0.01)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["june.db", "june.db.lock"]


def check_unlocked(path: Path) -> None:
    """Another program can write, as soon as what was begun is done."""
    db = apsw.Connection(str(path))
    db.set_busy_timeout(1000)
    db.execute("BEGIN IMMEDIATE; ROLLBACK")
    db.close()

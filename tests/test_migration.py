"""A file of an older June becomes one of this June, whole or not at all, with all that is in it."""

import itertools
import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import apsw
import pytest
from processes import PROCESSES, Crowd, forking, run
from test_store import NOW

from session.errors import StoreUnusable
from session.leases import Lease
from session.records import CloseReason, Message, Removed, Session, Status
from session.store import Store
from session.store.sqlite.file import connect
from session.store.sqlite.rows import rows
from session.store.sqlite.schema import MIGRATIONS

NEWEST = 5
"""The version of this June."""

ROOMS = 60
MESSAGES = 5

SESSION = {
    "room_name": "room",
    "user": "ann",
    "channel": "phone",
    "language": "de",
    "status": "open",
    "created_at": NOW - 100,
    "seen_at": NOW,
    "closed_at": None,
    "close_reason": None,
    "resumes": 2,
    "message_count": MESSAGES,
    "context_summary": None,
}
"""As version 1 wrote them: these fields and no others."""

MESSAGE = {
    "call_id": "call",
    "participant": "caller",
    "role": "user",
    "source": "voice",
    "language": "de",
    "turn": 1,
    "text": "grüß dich",
    "heard_text": None,
    "at": NOW,
}


def session_of(number: int) -> dict[str, object]:
    own = {"session_id": f"s{number}", "room_name": f"room {number}", "seen_at": NOW + number}
    ended = {"status": "closed", "closed_at": NOW, "close_reason": "goodbye"} if number % 2 else {}
    return SESSION | own | ended


def message_of(number: int, count: int) -> dict[str, object]:
    return MESSAGE | {"id": f"m{count}", "session_id": f"s{number}"}


def make_version_1(path: Path) -> None:
    """With sessions, messages, turns that were committed and only reserved, and leases."""
    db = apsw.Connection(str(path))
    db.pragma("journal_mode", "wal")
    db.execute("BEGIN")
    db.execute(MIGRATIONS[0])
    for number in range(ROOMS):
        record = session_of(number)
        db.execute(
            "INSERT INTO sessions VALUES (?, ?, 'ann', ?, ?, ?)",
            (
                record["session_id"],
                record["room_name"],
                record["status"] == "open",
                record["created_at"],
                json.dumps(record),
            ),
        )
        for count in range(MESSAGES):
            db.execute(
                "INSERT INTO messages (session_id, id, user, record) VALUES (?, ?, 'ann', ?)",
                (f"s{number}", f"m{count}", json.dumps(message_of(number, count))),
            )
        db.execute(
            "INSERT INTO turns VALUES (?1, 1, ?2, ?2), (?1, 2, ?2, NULL)", (f"s{number}", NOW)
        )
        db.execute(
            "INSERT INTO leases VALUES (?, 'w1/j1', ?, ?, 0)", (f"room {number}", number, NOW + 3)
        )
    db.execute("UPDATE counters SET value = ?", (ROOMS,))
    db.pragma("user_version", 1)
    db.execute("COMMIT")
    db.close()


def make_version_2(path: Path) -> None:
    """As a June that knew no later one made it of the same."""
    make_version_1(path)
    db = apsw.Connection(str(path))
    db.execute(f"BEGIN; {MIGRATIONS[1]} PRAGMA user_version = 2; COMMIT")
    db.close()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "june.db"
    make_version_1(path)
    return path


async def everything(store: Store) -> tuple[tuple[Session, ...], list[tuple[Message, ...]]]:
    sessions = await store.sessions.page(ROOMS + 1)
    return sessions, [await store.sessions.messages(one.session_id) for one in sessions]


async def check(store: Store) -> None:
    """Whether it is all there, and works as what is new."""
    sessions, messages = await everything(store)
    newest_first = range(ROOMS - 1, -1, -1)
    assert sessions == tuple(Session.model_validate(session_of(n)) for n in newest_first)
    assert messages == [
        tuple(Message.model_validate(message_of(n, count)) for count in range(MESSAGES))
        for n in newest_first
    ]
    assert (await store.sessions.stats()).total_created == ROOMS


async def use(store: Store) -> None:
    """Turns, leases and what is old are what they were."""
    assert not await store.sessions.commit_turn("s0", 1)
    assert await store.sessions.commit_turn("s0", 2)
    lease = Lease("room 0", "w1/j1", 0)
    claim = partial(store.leases.claim, owner="w2/j2", ttl_seconds=3)
    assert await claim("room 0", now=NOW + 2.9) is None
    assert (await store.leases.renew(lease, ttl_seconds=3, now=NOW + 2.9)).held
    taken = await claim("room 1", now=NOW + 3)
    assert taken is not None
    assert taken.fence > ROOMS
    again = await store.sessions.open("room 0", "ann", channel="room", language="en", now=NOW)
    assert (again.session_id, again.resumes) == ("s0", 3)
    assert await store.sessions.close("s0", CloseReason.GOODBYE, now=NOW)
    closed = await store.sessions.get("s0")
    assert closed is not None
    assert closed.status is Status.CLOSED
    removed = await store.sessions.purge(seen_before=NOW + ROOMS - 1, now=NOW + ROOMS)
    assert (removed.sessions, removed.messages) == (ROOMS - 1, (ROOMS - 1) * MESSAGES)
    assert await store.memories.put("ann", "notes", "1", "milk", now=NOW)
    assert await store.sessions.forget("ann") == Removed(sessions=1, messages=MESSAGES, memories=1)


def version_of(path: Path) -> int:
    db = apsw.Connection(str(path))
    assert rows(db, "PRAGMA integrity_check") == [("ok",)]
    version = int(db.pragma("user_version"))
    db.close()
    return version


@pytest.mark.parametrize("make", [make_version_1, make_version_2])
def test_all_of_an_old_file_is_there(make: Callable[[Path], None], tmp_path: Path) -> None:
    """And is used as if it had been written today."""
    path = tmp_path / "june.db"
    make(path)
    run(f"sqlite:{path}", check)
    run(f"sqlite:{path}", use)
    assert version_of(path) == len(MIGRATIONS) == NEWEST
    assert list(tmp_path.glob("*.*-*")) == []


async def look(store: Store, number: int) -> None:
    await check(store)


def test_eight_processes_open_an_old_file_at_once(tmp_path: Path) -> None:
    """One of them migrates it, and all others find it done."""
    with forking.Pool(PROCESSES) as pool:
        for turn in range(5):
            path = tmp_path / f"{turn}.db"
            make_version_1(path)
            Crowd(pool, f"sqlite:{path}").at_once(look)
            assert version_of(path) == NEWEST


@contextmanager
def watched(step: Callable[[], bool]) -> Iterator[None]:
    """Every connection from now on calls this with each step that SQLite does."""

    def watch(db: apsw.Connection) -> None:
        db.set_progress_handler(step, 1)

    apsw.connection_hooks.append(watch)
    yield
    apsw.connection_hooks.remove(watch)


def steps_of_a_migration(path: Path) -> int:
    steps = itertools.count()
    with watched(lambda: next(steps) < 0):
        connect(path)[0].close()
    return next(steps)


def die_at(path: Path, step: int) -> None:
    """Open it, and be killed at this step."""
    steps = itertools.count()

    def count() -> bool:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    with watched(count):
        connect(path)


@pytest.mark.parametrize("rounds", [15, pytest.param(200, marks=pytest.mark.slow)])
def test_a_kill_in_a_migration_leaves_the_old_file_or_the_new(tmp_path: Path, rounds: int) -> None:
    """Nothing in between, and the next June goes on."""
    measured = tmp_path / "measured.db"
    make_version_1(measured)
    steps = steps_of_a_migration(measured)
    assert steps > 1000
    for turn in range(rounds):
        path = tmp_path / f"{turn}.db"
        make_version_1(path)
        dying = forking.Process(target=die_at, args=(path, random.randrange(steps)))
        dying.start()
        dying.join()
        assert dying.exitcode == -signal.SIGKILL
        assert version_of(path) in {1, NEWEST}
        run(f"sqlite:{path}", check)


def test_a_full_disk_leaves_the_old_file(old: Path) -> None:
    """Once there is room again it is migrated."""
    db = apsw.Connection(str(old))
    pages = int(db.pragma("page_count"))
    db.close()

    def shrink(db: apsw.Connection) -> None:
        db.pragma("max_page_count", pages + 2)

    apsw.connection_hooks.append(shrink)
    try:
        with pytest.raises(StoreUnusable, match="the disk is full"):
            connect(old)
    finally:
        apsw.connection_hooks.remove(shrink)
    assert version_of(old) == 1
    run(f"sqlite:{old}", check)

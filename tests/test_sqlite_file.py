"""What June finds where her SQLite file should be."""

import fcntl
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from session.errors import StoreUnusable
from session.store.sqlite import file as sqlite_file
from session.store.sqlite import rescue as sqlite_rescue
from session.store.sqlite.file import connect
from session.store.sqlite.rescue import files_of, opening, set_aside, set_aside_files
from session.store.sqlite.rows import rows
from session.store.sqlite.schema import MIGRATIONS


@pytest.mark.parametrize("version", [0, len(MIGRATIONS), len(MIGRATIONS) + 1])
def test_another_programs_database_is_refused_and_kept(tmp_path: Path, version: int) -> None:
    """Its own version may be the same as June's."""
    path = tmp_path / "bookmarks.db"
    db = apsw.Connection(str(path))
    db.execute("CREATE TABLE bookmarks (url TEXT)")
    db.pragma("user_version", version)
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreUnusable, match=r"not June's\nhint: "):
        connect(path)
    assert path.read_bytes() == before


@pytest.fixture
def no_room() -> Iterator[None]:
    """Every connection from now on has a disk of three pages."""

    def shrink(db: apsw.Connection) -> None:
        db.pragma("max_page_count", 3)

    apsw.connection_hooks.append(shrink)
    yield
    apsw.connection_hooks.remove(shrink)


@pytest.mark.usefixtures("no_room")
def test_a_full_disk_is_said_at_the_start(tmp_path: Path) -> None:
    """Better than in the first call."""
    with pytest.raises(StoreUnusable, match=r"the disk is full\nhint: "):
        connect(tmp_path / "june.db")


def test_a_locked_file_is_said_to_be_locked(tmp_path: Path) -> None:
    """Somebody has it open in a tool of theirs and has not committed."""
    path = tmp_path / "june.db"
    connect(path)[0].close()
    db = apsw.Connection(str(path))
    db.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnusable, match=r"is locked by another program\nhint: "):
        connect(path, busy_seconds=0.05)
    db.close()


def test_who_sets_up_the_journal_waits_for_others_who_do(tmp_path: Path) -> None:
    """SQLite itself does not wait there, and several may start at once."""
    path = tmp_path / "june.db"
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    ending = threading.Timer(0.1, lambda: other.execute("COMMIT").close())
    ending.start()
    db, _ = connect(path, busy_seconds=10)
    assert db.pragma("journal_mode") == "wal"
    ending.join()
    other.close()
    db.close()


@pytest.mark.parametrize("moment", ["refuse_foreign", "migrate"])
def test_a_file_that_is_moved_away_while_it_is_opened_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """What was written there nobody would find."""
    path = tmp_path / "june.db"
    real = getattr(sqlite_file, moment)

    def move_first(*arguments: object) -> None:
        real(*arguments)
        if not (tmp_path / "moved.db").exists():
            path.rename(tmp_path / "moved.db")

    monkeypatch.setattr(sqlite_file, moment, move_first)
    db, files = connect(path)
    assert files == files_of(path)
    db.execute("UPDATE counters SET value = 77")
    db.close()
    db = apsw.Connection(str(path))
    assert rows(db, "SELECT DISTINCT value FROM counters") == [(77,)]
    db.close()


def test_sqlite_never_makes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others could read it."""
    path = tmp_path / "june.db"
    real = apsw.Connection

    def remove_first(
        name: str, flags: int = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    ) -> apsw.Connection:
        path.unlink()
        return real(name, flags=flags)

    monkeypatch.setattr(apsw, "Connection", remove_first)
    with pytest.raises(StoreUnusable, match="is moved away again and again"):
        connect(path)
    assert not path.exists()


def test_what_is_left_of_another_file_is_not_read_into_a_new_one(tmp_path: Path) -> None:
    """Nor deleted, as SQLite would."""
    path = tmp_path / "june.db"
    (tmp_path / "june.db-wal").write_bytes(b"what was said last")
    connect(path)[0].close()
    (kept,) = set_aside_files(path)
    assert kept.name.startswith("june.db.removed-")
    assert kept.read_bytes() == b"what was said last"


def test_a_file_is_not_moved_while_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its log would be read into another one. Nor is it opened while it is moved."""
    monkeypatch.setattr(sqlite_rescue, "LOCK_SECONDS", 0.02)
    path = tmp_path / "june.db"
    connect(path)[0].close()
    inode = path.stat().st_ino
    with opening(path), opening(path), pytest.raises(TimeoutError):
        set_aside(path, inode)
    with (tmp_path / "june.db.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreUnusable, match="is locked by another program"):
            connect(path)
    assert set_aside(path, inode) is not None


def test_a_lock_whose_file_is_removed_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise two would have it, each on a file of its own."""
    lock, flock = tmp_path / "june.db.lock", fcntl.flock
    removed: list[Path] = []

    def remove_first(handle: int, how: int) -> None:
        if not removed:
            lock.unlink()
            removed.append(lock)
        flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with opening(tmp_path / "june.db"), lock.open() as other, pytest.raises(BlockingIOError):
        flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_was_set_aside_is_found(tmp_path: Path) -> None:
    """And nothing else, whatever the file is called."""
    path = tmp_path / "june[1].db"
    made = ["june[1].db.damaged-1-2", "june[1].db.damaged-1-2-wal", "june[1].db.removed-3-4-wal"]
    for name in (*made, "june1.db.damaged-1-2", "june[1].db.lock", "june[1].db-wal"):
        (tmp_path / name).touch()
    assert [file.name for file in set_aside_files(path)] == made


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    """As when the URL lacks the file's name."""
    with pytest.raises(StoreUnusable, match=r"cannot be opened: .*\nhint: "):
        connect(tmp_path)


def test_what_is_deleted_is_gone_from_the_file(tmp_path: Path) -> None:
    """SQLite leaves deleted rows in free pages unless it is told not to."""
    path = tmp_path / "june.db"
    db, _ = connect(path)
    db.execute("INSERT INTO messages (session_id, id, user, record) VALUES ('s', 'i', 'u', 'PIN')")
    db.execute("DELETE FROM messages")
    db.close()
    assert b"PIN" not in path.read_bytes()

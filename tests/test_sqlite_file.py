"""What June finds where her SQLite file should be."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from session.errors import StoreUnusable
from session.store.schema import MIGRATIONS
from session.store.sqlite_file import connect


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

"""A SQLite file that cannot be used: a sentence with a hint, and nothing lost."""

import os
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from structlog.testing import capture_logs
from test_store import NOW, begin, said

from session.errors import StoreError, StoreUnusable
from session.store.sqlite.rescue import set_aside_files
from session.store.sqlite.schema import MIGRATIONS
from session.store.sqlite.store import SqliteStore

OPEN_AS_NOBODY = """
import asyncio, os, sys, tempfile
from pathlib import Path
from session.store.sqlite.store import SqliteStore

async def try_it(path):
    try:
        await (await SqliteStore.open(path)).aclose()
    except Exception as error:
        return f"{type(error).__name__} {error}"
    return "opened"

with tempfile.TemporaryDirectory() as folder:
    # Python itself may lie where nobody may read: all of it is loaded before the rights are gone.
    assert asyncio.run(try_it(Path(folder, "june.db"))) == "opened"
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
print(asyncio.run(try_it(Path(sys.argv[1]))))
"""


def open_as_nobody(path: Path) -> str:
    """What somebody without rights hears; root may write everywhere, so it is not root."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN_AS_NOBODY, str(path)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    return done.stdout


@pytest.fixture
def readable(tmp_path: Path) -> Path:
    """A folder that others may enter; pytest's own are for their owner only."""
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    return tmp_path


async def test_a_read_only_file_is_refused_in_words(readable: Path) -> None:
    """It stays as it was."""
    path = readable / "june.db"
    await (await SqliteStore.open(path)).aclose()
    path.chmod(0o444)
    before = path.read_bytes()
    answer = open_as_nobody(path)
    assert answer.startswith("StoreUnusable")
    assert str(path) in answer
    assert "hint:" in answer
    assert path.read_bytes() == before


async def test_a_folder_that_cannot_be_written_is_refused_in_words(readable: Path) -> None:
    """There is no file yet, and none can be made."""
    folder = readable / "closed"
    folder.mkdir(mode=0o555)
    answer = open_as_nobody(folder / "june.db")
    assert answer.startswith("StoreUnusable")
    assert "hint:" in answer


@pytest.mark.parametrize("content", [b"this is not a database" * 100, b"\x00" * 5000])
async def test_a_file_that_is_no_database_is_refused_and_kept(
    tmp_path: Path, content: bytes
) -> None:
    """It may be somebody's."""
    path = tmp_path / "june.db"
    path.write_bytes(content)
    with pytest.raises(StoreUnusable, match=r"is not a SQLite database.*\nhint: "):
        await SqliteStore.open(path)
    assert path.read_bytes() == content


async def test_a_newer_file_is_refused_and_kept(tmp_path: Path) -> None:
    """An older June must not write into what she does not know."""
    path = tmp_path / "june.db"
    await (await SqliteStore.open(path)).aclose()
    db = apsw.Connection(str(path))
    db.pragma("user_version", len(MIGRATIONS) + 1)
    db.close()
    with pytest.raises(StoreUnusable, match=r"written by a newer June.*\nhint: update June"):
        await SqliteStore.open(path)


async def test_a_full_disk_is_an_error_and_keeps_what_there_is(tmp_path: Path) -> None:
    """And once there is room again, the same message is kept."""
    store = await SqliteStore.open(tmp_path / "june.db")
    session = await begin(store)
    await store.sessions.append(said(session, "1"), now=NOW)
    pages = await store.db.read(lambda db: int(db.pragma("page_count")))
    await store.db.read(lambda db: db.pragma("max_page_count", pages + 4))
    with pytest.raises(StoreError) as raised:
        await store.sessions.append(said(session, "2", "x" * 1_000_000), now=NOW)
    assert raised.value.retryable
    assert [one.id for one in await store.sessions.messages(session.session_id)] == ["1"]
    await store.db.read(lambda db: db.pragma("max_page_count", 1_000_000))
    assert await store.sessions.append(said(session, "2", "x" * 1_000_000), now=NOW)
    await store.aclose()


class Flaky(apsw.VFS):
    """A disk that fails while it is told to."""

    def __init__(self) -> None:
        self.beneath = apsw.vfs_names()[0]
        super().__init__("flaky", self.beneath, makedefault=True)
        self.fails = False

    def xOpen(  # noqa: N802  SQLite's name
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> apsw.VFSFile:
        return FlakyFile(self, name, flags)


class FlakyFile(apsw.VFSFile):
    def __init__(self, disk: Flaky, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__(disk.beneath, name, flags)
        self._disk = disk

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  SQLite's name
        if self._disk.fails:
            raise apsw.IOError("the cable is out")
        super().xWrite(data, offset)


async def test_a_disk_that_fails_is_an_error_in_words(tmp_path: Path) -> None:
    """Until the cable is in again; nothing is half there, and nothing was set aside."""
    disk = Flaky()
    try:
        store = await SqliteStore.open(tmp_path / "june.db")
        session = await begin(store)
        disk.fails = True
        for _ in range(3):
            with pytest.raises(StoreError, match=r"^the store `.*june\.db`") as raised:
                await store.sessions.append(said(session, "1"), now=NOW)
            assert raised.value.retryable
        disk.fails = False
        assert await store.sessions.append(said(session, "1"), now=NOW)
        kept = await store.sessions.get(session.session_id)
        assert kept is not None
        assert kept.message_count == 1
        await store.aclose()
    finally:
        disk.unregister()
    assert set_aside_files(tmp_path / "june.db") == ()


async def overwrite_records(store: SqliteStore, content: bytes) -> None:
    change = "UPDATE sessions SET record = CAST(? AS TEXT)"
    await store.db.write(lambda db: db.execute(change, (content,)).fetchall())


@pytest.mark.parametrize("garbled", [b'{"session_id', b"\xff\xfe"])
async def test_garbled_text_is_damage(tmp_path: Path, garbled: bytes) -> None:
    """SQLite does not notice it, and it would fail for ever."""
    store = await SqliteStore.open(tmp_path / "june.db")
    await begin(store)
    await overwrite_records(store, garbled)
    with capture_logs() as logs:
        assert await store.sessions.of_user("ann") == ()
    assert [entry["event"] for entry in logs] == ["store.damaged"]
    assert garbled.decode("latin-1") not in str(logs)
    assert set_aside_files(tmp_path / "june.db")
    await store.aclose()


async def test_a_record_of_other_fields_is_no_damage(tmp_path: Path) -> None:
    """A newer June may have written it, and the older one must not hide it from her."""
    store = await SqliteStore.open(tmp_path / "june.db")
    await begin(store)
    await overwrite_records(store, b'{"mood": "good"}')
    with pytest.raises(StoreError, match="holds a Session that cannot be read"):
        await store.sessions.of_user("ann")
    assert set_aside_files(tmp_path / "june.db") == ()
    await store.aclose()


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """And closing twice is fine."""
    store = await SqliteStore.open(tmp_path / "june.db")
    await store.aclose()
    await store.aclose()
    with pytest.raises(StoreError, match="is closed"):
        await begin(store)


async def test_what_was_said_is_for_its_owner_only(tmp_path: Path) -> None:
    """File and folder."""
    path = tmp_path / "new" / "june.db"
    store = await SqliteStore.open(path)
    await begin(store)
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
    assert path.parent.stat().st_mode & 0o077 == 0
    await store.aclose()

"""A SQLite file that is damaged, removed or replaced while June runs: she goes on in a new one."""

import os
import re
import shutil
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import apsw
import pytest
from processes import logged, run, servant
from test_store import NOW, begin, said

from session.errors import StoreError
from session.store import Store
from session.store.sqlite.rescue import set_aside_files
from session.store.sqlite.schema import MIGRATIONS
from session.store.sqlite.sql_sessions import open_session
from session.store.sqlite.store import SqliteStore

PAGE = 4096

FIRST_PAGE = slice(100, PAGE)
"""After the header: the tree of the schema."""


async def fill(store: Store) -> None:
    """So much that it is many pages, all of them in the file itself and none in memory."""
    session = await begin(store)
    for number in range(100):
        await store.sessions.append(said(session, f"{number}", "x" * 2000), now=NOW)
    await to_file(store)


async def to_file(store: Store) -> None:
    assert isinstance(store, SqliteStore)
    await store.db.outside(lambda db: db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE))
    await store.db.outside(lambda db: db.pragma("shrink_memory"))


async def kept(store: Store) -> list[str]:
    """The ids of everything that was said."""
    return [message.id for message in await store.sessions.recent("ann", 1000)]


async def keep(store: Store, message_id: str = "new") -> list[str]:
    """Something more, and what there is then."""
    session = await begin(store)
    await store.sessions.append(said(session, message_id), now=NOW)
    return await kept(store)


def damage(path: Path, where: slice) -> bytes:
    """Overwrite these bytes; what is in the file then."""
    content = bytearray(path.read_bytes())
    content[where] = os.urandom(where.stop - where.start)
    with path.open("r+b") as file:
        file.write(content)
    return bytes(content)


def middle(path: Path) -> slice:
    at = path.stat().st_size // PAGE // 2 * PAGE
    return slice(at, at + 20 * PAGE)


async def claim(store: Store) -> None:
    """Something is written that has nothing to do with what was said."""
    await store.claims.claim("k", ttl_seconds=60, now=NOW)


def check_new(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes()[:15] == b"SQLite format 3"


def damaged_of(path: Path) -> list[Path]:
    """The databases that were set aside, without their logs."""
    return [file for file in set_aside_files(path) if re.search(r"damaged-\d+-\d+$", file.name)]


def left_of(path: Path) -> list[Path]:
    """The logs that were set aside of databases that somebody removed."""
    return [file for file in set_aside_files(path) if re.search(r"removed-.*-wal$", file.name)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "june" / "june.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:{path}"


def test_damage_is_noticed_while_june_runs(path: Path, url: str) -> None:
    """It is said once, the file is kept as it is, and what was asked for is done in a new one."""
    with servant(url) as june:
        june.do(fill)
        damaged = damage(path, middle(path))
        assert june.do(kept) == []
        assert june.do(keep) == ["new"]
        assert june.do(logged) == ["store.damaged"]
    check_new(path)
    (file,) = damaged_of(path)
    assert file.read_bytes() == damaged
    assert run(url, kept) == ["new"]


@pytest.mark.parametrize("where", [FIRST_PAGE, None], ids=["first page", "middle"])
def test_damage_is_noticed_when_june_starts(path: Path, url: str, where: slice | None) -> None:
    """Or as soon as she comes to it."""
    run(url, fill)
    damaged = damage(path, where or middle(path))
    with servant(url) as june:
        assert june.do(kept) == []
        assert june.do(keep) == ["new"]
        assert june.do(logged) == ["store.damaged"]
    check_new(path)
    (file,) = damaged_of(path)
    assert file.read_bytes() == damaged


@pytest.mark.parametrize("turn", range(5))
def test_two_processes_set_one_damaged_file_aside(path: Path, url: str, turn: int) -> None:
    """And go on in the same new one."""
    with servant(url) as first, servant(url) as second:
        first.do(fill)
        second.do(to_file)
        damaged = damage(path, middle(path))
        first.do(claim)
        log = path.with_name("june.db-wal").read_bytes()
        first.begin(kept)
        second.begin(kept)
        assert first.end() == second.end() == []
        assert first.do(partial(keep, message_id="first")) == ["first"]
        assert second.do(partial(keep, message_id="second")) == ["first", "second"]
        assert first.do(kept) == ["first", "second"]
        said_so = first.do(logged) + second.do(logged)
    assert said_so.count("store.damaged") == 1
    check_new(path)
    (file,) = damaged_of(path)
    assert file.read_bytes() == damaged
    assert file.with_name(f"{file.name}-wal").read_bytes() == log != b""


def test_who_runs_follows_who_found_the_damage_at_the_start(path: Path, url: str) -> None:
    """A running process does not look at the schema again; a new one does."""
    with servant(url) as first:
        first.do(fill)
        damaged = damage(path, FIRST_PAGE)
        first.do(claim)
        with servant(url) as second:
            assert second.do(partial(keep, message_id="second")) == ["second"]
            assert second.do(logged) == ["store.damaged"]
        assert first.do(partial(keep, message_id="first")) == ["second", "first"]
        assert first.do(logged) == ["store.replaced"]
    (file,) = damaged_of(path)
    assert file.read_bytes() == damaged


def remove_file(path: Path) -> None:
    path.unlink()


def remove_all_three(path: Path) -> None:
    for side in ("", "-wal", "-shm"):
        path.with_name(path.name + side).unlink()


def remove_with_lock(path: Path) -> None:
    for file in path.parent.iterdir():
        file.unlink()


def remove_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


REMOVALS = [remove_file, remove_all_three, remove_with_lock, remove_folder]


@pytest.mark.parametrize("remove", REMOVALS)
def test_a_file_that_is_removed_is_replaced(
    path: Path, url: str, remove: Callable[[Path], None]
) -> None:
    """By one that is for its owner only; what is left of the old one is not read into it."""
    with servant(url) as june:
        june.do(keep)
        remove(path)
        assert june.do(kept) == []
        assert june.do(keep) == ["new"]
        assert june.do(logged) == ["store.replaced"]
        check_new(path)
    assert run(url, kept) == ["new"]
    assert bool(left_of(path)) == (remove is remove_file)


@pytest.mark.parametrize("remove", REMOVALS)
def test_two_processes_go_on_in_the_same_new_file(
    path: Path, url: str, remove: Callable[[Path], None]
) -> None:
    """Whichever of them makes it."""
    with servant(url) as first, servant(url) as second:
        first.do(keep)
        second.do(keep)
        remove(path)
        first.begin(partial(keep, message_id="first"))
        second.begin(partial(keep, message_id="second"))
        first.end()
        second.end()
        assert sorted(first.do(kept)) == sorted(second.do(kept)) == ["first", "second"]
        assert first.do(logged) == second.do(logged) == ["store.replaced"]
    assert sorted(run(url, kept)) == ["first", "second"]


SIDES = [["-wal"], ["-shm"], ["-wal", "-shm"]]


def clean_up(path: Path, sides: list[str]) -> None:
    """Somebody takes them for something that was left over."""
    for side in sides:
        path.with_name(path.name + side).unlink()


@pytest.mark.parametrize("sides", SIDES)
def test_what_stood_in_a_removed_log_is_not_lost(path: Path, url: str, sides: list[str]) -> None:
    """Also for a process that starts later."""
    with servant(url) as june:
        june.do(partial(keep, message_id="old"))
        clean_up(path, sides)
        assert june.do(keep) == ["old", "new"]
        with servant(url) as later:
            assert later.do(partial(keep, message_id="later")) == ["old", "new", "later"]
            assert june.do(kept) == ["old", "new", "later"]
    assert run(url, kept) == ["old", "new", "later"]


def test_what_others_wrote_meanwhile_is_not_lost(path: Path, url: str) -> None:
    """They have come and gone, with an index of the log that June does not have."""
    with servant(url) as june:
        june.do(partial(keep, message_id="old"))
        clean_up(path, ["-shm"])
        assert run(url, partial(keep, message_id="later")) == ["old", "later"]
        assert june.do(keep) == ["old", "later", "new"]
    assert run(url, kept) == ["old", "later", "new"]


@pytest.mark.parametrize("sides", SIDES)
def test_two_processes_survive_a_removed_log(path: Path, url: str, sides: list[str]) -> None:
    """One after the other they find it gone."""
    with servant(url) as first, servant(url) as second:
        first.do(partial(keep, message_id="old"))
        clean_up(path, sides)
        assert first.do(partial(keep, message_id="first")) == ["old", "first"]
        assert second.do(partial(keep, message_id="second")) == ["old", "first", "second"]
        assert first.do(logged) == second.do(logged) == ["store.replaced"]
    assert run(url, kept) == ["old", "first", "second"]


def test_a_backup_is_not_mixed_with_the_log_of_what_it_replaces(path: Path, url: str) -> None:
    """It is put there under the feet of a running June."""
    run(url, partial(keep, message_id="backup"))
    backup = path.with_name("backup")
    shutil.copy(path, backup)
    with servant(url) as june:
        june.do(fill)
        june.do(partial(keep, message_id="later"))
        backup.rename(path)
        assert june.do(keep) == ["backup", "new"]
        assert june.do(logged) == ["store.replaced"]
    assert run(url, kept) == ["backup", "new"]
    assert left_of(path)


def test_a_file_that_is_emptied_is_begun_anew(path: Path, url: str) -> None:
    """Its name and its inode stay the same."""
    with servant(url) as june:
        june.do(fill)
        os.truncate(path, 0)
        assert june.do(keep) == ["new"]
    assert run(url, kept) == ["new"]


def test_an_older_file_that_is_copied_over_is_brought_up_to_date(path: Path, url: str) -> None:
    """It has the same name and inode, and other tables."""
    older = path.with_name("older.db")
    with servant(url) as june:
        june.do(keep)
        db = apsw.Connection(str(older))
        db.execute(MIGRATIONS[0])
        db.pragma("user_version", 1)
        db.pragma("journal_mode", "wal")
        db.close()
        june.do(to_file)
        shutil.copyfile(older, path)
        assert june.do(kept) == []
        assert june.do(keep) == ["new"]


def test_another_programs_file_is_let_be(path: Path, url: str) -> None:
    """Until it is moved away again, whatever it does there."""
    other = path.with_name("bookmarks.db")
    with servant(url) as june:
        june.do(keep)
        db = apsw.Connection(str(other))
        db.execute("CREATE TABLE bookmarks (url TEXT)")
        db.close()
        before = other.read_bytes()
        other.rename(path)
        for _ in range(2):
            with pytest.raises(StoreError, match=r"not June's\nhint: ") as raised:
                june.do(keep)
            assert raised.value.retryable
        path.rename(other)
        assert other.read_bytes() == before
        assert june.do(keep) == ["new"]


def test_what_was_done_in_a_file_that_lost_its_name_is_done_again(path: Path, url: str) -> None:
    """In the one that has the name now."""

    async def lose_it(store: Store) -> list[str]:
        assert isinstance(store, SqliteStore)

        def begin_and_lose(db: apsw.Connection) -> None:
            opened = open_session(db, "room", "ann", channel="room", language="en", now=NOW)
            if opened.resumes:
                path.unlink()

        await begin(store)
        await store.db.write(begin_and_lose)
        return [session.room_name for session in await store.sessions.of_user("ann")]

    assert run(url, lose_it) == ["room"]


def test_a_place_that_is_gone_is_an_error_in_words(path: Path, url: str) -> None:
    """Until it is back."""
    with servant(url) as june:
        june.do(keep)
        shutil.rmtree(path.parent)
        path.parent.write_text("a file where the folder was")
        for _ in range(2):
            with pytest.raises(StoreError, match=r"^the store `.*june\.db`") as raised:
                june.do(keep)
            assert raised.value.retryable
        path.parent.unlink()
        assert june.do(keep) == ["new"]


def test_nothing_that_was_set_aside_is_overwritten(path: Path, url: str) -> None:
    """However quickly one follows the other."""
    with servant(url) as june:
        for turn in range(1, 4):
            june.do(fill)
            damage(path, middle(path))
            assert june.do(kept) == []
            path.unlink()
            assert june.do(kept) == []
            assert len(damaged_of(path)) == len(left_of(path)) == turn

"""Which files a SQLite database is; one that is damaged is set aside, and never deleted."""

import fcntl
import glob
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

WAL, SHM = "-wal", "-shm"
"""Beside the database itself, in SQLite's WAL mode."""

LOCK_SECONDS = 10.0
"""Longer than anybody takes to open a file that another program has locked."""


@dataclass(frozen=True)
class Files:
    """The inodes of a database's files; None for one that is not there."""

    db: int | None
    wal: int | None
    shm: int | None


def files_of(path: Path) -> Files:
    """Which ones have its names now."""
    return Files(*(_inode_of(_beside(path, side)) for side in ("", WAL, SHM)))


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Nobody moves the files meanwhile: one must not be opened with the log of another.

    Raises:
        TimeoutError: if somebody does for too long.
    """
    with _locked(path, fcntl.LOCK_SH):
        yield


def begin(path: Path) -> None:
    """Make the file if there is none, for its owner only.

    What is left of a database whose file was removed must not be read into the new one.
    """
    if path.exists():
        return
    with _locked(path, fcntl.LOCK_EX):
        if path.exists():
            return
        _move(path, "removed", WAL, SHM)
        path.touch(mode=0o600)


@contextmanager
def leaving(path: Path, left: Files) -> Iterator[Files]:
    """For closing a database that lost some of its files: which ones have its names now.

    Nobody opens or moves them meanwhile. What is left of one whose file was replaced is set aside.
    """
    now = files_of(path)
    if now == Files(None, None, None):
        yield now
        return
    with _locked(path, fcntl.LOCK_EX):
        now = files_of(path)
        if now.db != left.db:
            _move(path, "removed", *(WAL,) * (now.wal == left.wal), *(SHM,) * (now.shm == left.shm))
        yield now


def set_aside(path: Path, inode: int | None) -> Path | None:
    """Rename the damaged database, and say to what; None if its name is another one's by now.

    Several processes may notice the damage at once, and one of them may have begun a new file.
    """
    with _locked(path, fcntl.LOCK_EX):
        if inode is None or _inode_of(path) != inode:
            return None
        return _move(path, "damaged", "", WAL, SHM)


def set_aside_files(path: Path) -> tuple[Path, ...]:
    """Everything that was ever set aside of this database."""
    name = glob.escape(path.name)
    found = (path.parent.glob(f"{name}.{why}-[0-9]*") for why in ("damaged", "removed"))
    return tuple(sorted(kept for these in found for kept in these))


def _beside(path: Path, side: str) -> Path:
    return path.with_name(path.name + side)


def _inode_of(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _move(path: Path, why: str, *sides: str) -> Path | None:
    """Where they are now, by the name without a side; None if there was none of them."""
    there = [(side, _inode_of(_beside(path, side))) for side in sides]
    found = [(side, inode) for side, inode in there if inode is not None]
    if not found:
        return None
    # As long as it is kept no other file has its inode: no name comes twice.
    kept = path.with_name(f"{path.name}.{why}-{found[0][1]}-{time.time():.0f}")
    for side, _ in found:
        with suppress(FileNotFoundError):
            _beside(path, side).rename(_beside(kept, side))
    return kept


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    """By `flock`, which ends with its holder, even a killed one."""
    give_up_at = time.monotonic() + LOCK_SECONDS
    while (handle := _lock(_beside(path, ".lock"), how)) is None:
        if time.monotonic() > give_up_at:
            raise TimeoutError("others are opening it all the time")
        time.sleep(0.005)
    try:
        yield
    finally:
        os.close(handle)


def _lock(lock: Path, how: int) -> int | None:
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        pass
    else:
        # It may have been removed meanwhile: then others lock another file.
        if os.fstat(handle).st_ino == _inode_of(lock):
            return handle
    os.close(handle)
    return None

"""Opens June's SQLite file as the store needs it, or says in words why it cannot."""

import time
from pathlib import Path

import apsw
import structlog

from session.errors import StoreUnusable
from session.store.sqlite.rescue import Files, begin, files_of, opening, set_aside
from session.store.sqlite.schema import migrate, refuse_foreign

log = structlog.get_logger(__name__)

BUSY_SECONDS = 5.0

ATTEMPTS = 5
"""Each but the first because somebody moved the file away a moment ago."""

ELSEWHERE = "name another file in `[store] url`"


def connect(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> tuple[apsw.Connection, Files]:
    """Make the file if need be, and bring it to this version; and which files it has open.

    A transaction waits `busy_seconds` for those of other processes.

    Raises:
        StoreUnusable: if it is not June's, or cannot be read and written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for _ in range(ATTEMPTS):
            begin(path)
            if (opened := _open_or_rescue(path, busy_seconds)) is not None:
                return opened
    except (apsw.Error, OSError) as error:
        raise _explained(error, path) from error
    raise StoreUnusable(f"the store `{path}` is moved away again and again\nhint: {ELSEWHERE}")


def rescue(path: Path, inode: int | None, error: apsw.Error) -> None:
    """Set a damaged file aside and say so, unless another process did."""
    kept = set_aside(path, inode)
    if kept is not None:
        log.error("store.damaged", store=str(path), kept=str(kept), error=str(error))


def abandon(db: apsw.Connection) -> None:
    """Close it and leave its files as they are; else the last one writes its log into the file."""
    db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    db.close()


def known_reason(error: Exception) -> str | None:
    """What is the matter with the file, for a person."""
    match error:
        case apsw.NotADBError():
            return "is not a SQLite database"
        case apsw.FullError():
            return "cannot be written: the disk is full"
        case apsw.BusyError() | TimeoutError():
            return "is locked by another program"
        case apsw.ReadOnlyError() | PermissionError():
            return "is read-only for this user"
    return None


def _open_or_rescue(path: Path, busy_seconds: float) -> tuple[apsw.Connection, Files] | None:
    """None if the file is damaged, and set aside now, or was moved away by somebody else."""
    inode = None
    try:
        with opening(path):
            inode = files_of(path).db
            db = _open(path, busy_seconds)
            files = files_of(path)
    except apsw.Error as error:
        if inode is None or files_of(path).db != inode:
            return None
        if isinstance(error, apsw.CorruptError):
            rescue(path, inode, error)
            return None
        raise
    if files.db == inode:
        return db, files
    db.close()
    return None


def _open(path: Path, busy_seconds: float) -> apsw.Connection:
    # SQLite must not make the file: it would be for everybody to read.
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        db.set_busy_timeout(round(busy_seconds * 1000))
        _prepare(db, path, busy_seconds)
    except apsw.CorruptError:
        abandon(db)
        raise
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: apsw.Connection, path: Path, busy_seconds: float) -> None:
    if db.readonly("main"):
        raise apsw.ReadOnlyError("it may not be written")
    refuse_foreign(db, path)
    # Both survive the end of a process; NORMAL may lose the last commits with the power.
    _log_ahead(db, busy_seconds)
    db.pragma("synchronous", "normal")
    # What was deleted must not be readable in the file's free pages.
    db.pragma("secure_delete", 1)
    migrate(db)
    # A full disk shows at a write only, and better now than in a call. Fences may have gaps.
    db.execute("UPDATE counters SET value = value + 1 WHERE name = 'fence'")


def _log_ahead(db: apsw.Connection, busy_seconds: float) -> None:
    """Switch to WAL mode. While others do, SQLite fails at once instead of waiting for them."""
    give_up_at = time.monotonic() + busy_seconds
    while True:
        try:
            db.pragma("journal_mode", "wal")
        except apsw.BusyError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.005)
        else:
            return


def _explained(error: Exception, path: Path) -> StoreUnusable:
    why = known_reason(error) or f"cannot be opened: {error}"
    match error:
        case apsw.NotADBError():
            hint = f"move it away with `mv {path} {path}.old`, or {ELSEWHERE}"
        case apsw.FullError():
            hint = f"make room there (`df -h {path.parent}`), or {ELSEWHERE}"
        case apsw.BusyError() | TimeoutError():
            hint = f"end that program (`fuser -v {path}`), or {ELSEWHERE}"
        case apsw.ReadOnlyError() | PermissionError():
            hint = f"`chown -R $(id -un) {path.parent}` as root, or {ELSEWHERE}"
        case _:
            hint = f"see that its folder can be written (`ls -ld {path.parent}`), or {ELSEWHERE}"
    return StoreUnusable(f"the store `{path}` {why}\nhint: {hint}")

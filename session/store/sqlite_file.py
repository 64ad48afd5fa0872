"""Opens June's SQLite file as the store needs it, or says in words why it cannot."""

import os
from pathlib import Path

import apsw

from session.errors import StoreUnusable
from session.store.schema import migrate, refuse_foreign

BUSY_SECONDS = 5.0

ELSEWHERE = "name another file in `[store] url`"


def connect(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> apsw.Connection:
    """Make the file if need be, and bring it to this version.

    A transaction waits `busy_seconds` for those of other processes.

    Raises:
        StoreUnusable: if it is not June's, or cannot be read and written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        db = apsw.Connection(str(path))
        try:
            db.set_busy_timeout(round(busy_seconds * 1000))
            _prepare(db, path)
        except BaseException:
            db.close()
            raise
    except (apsw.Error, OSError) as error:
        raise _explained(error, path) from error
    return db


def _prepare(db: apsw.Connection, path: Path) -> None:
    if db.readonly("main"):
        raise apsw.ReadOnlyError("it may not be written")
    refuse_foreign(db, path)
    # Both survive the end of a process; NORMAL may lose the last commits with the power.
    db.pragma("journal_mode", "wal")
    db.pragma("synchronous", "normal")
    # What was deleted must not be readable in the file's free pages.
    db.pragma("secure_delete", 1)
    migrate(db)
    # A full disk shows at a write only, and better now than in a call. Fences may have gaps.
    db.execute("UPDATE counters SET value = value + 1 WHERE name = 'fence'")


def _explained(error: Exception, path: Path) -> StoreUnusable:
    match error:
        case apsw.NotADBError():
            why = "is not a SQLite database"
            hint = f"move it away with `mv {path} {path}.old`, or {ELSEWHERE}"
        case apsw.FullError():
            why = "cannot be written: the disk is full"
            hint = f"make room there (`df -h {path.parent}`), or {ELSEWHERE}"
        case apsw.BusyError():
            why = "is locked by another program"
            hint = f"end that program (`fuser -v {path}`), or {ELSEWHERE}"
        case apsw.ReadOnlyError() | PermissionError():
            why = "is read-only for this user"
            hint = f"`chown -R $(id -un) {path.parent}` as root, or {ELSEWHERE}"
        case _:
            why = f"cannot be opened: {error}"
            hint = f"see that its folder can be written (`ls -ld {path.parent}`), or {ELSEWHERE}"
    return StoreUnusable(f"the store `{path}` {why}\nhint: {hint}")

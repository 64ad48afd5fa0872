"""A connection to the SQLite file of a name, whatever becomes of the file meanwhile.

One that was removed, replaced or damaged is followed by a new one, and what was asked for is done
there. Nothing of the old one is deleted.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import apsw
import structlog
from pydantic import ValidationError

from session.errors import StoreError, StoreUnusable
from session.store.sqlite.file import abandon, connect, known_reason, rescue
from session.store.sqlite.rescue import Files, files_of, leaving

log = structlog.get_logger(__name__)

T = TypeVar("T")

DAMAGED = (apsw.CorruptError, apsw.NotADBError)

RETRYABLE = (
    apsw.BusyError,
    apsw.LockedError,
    apsw.ProtocolError,
    apsw.FullError,
    apsw.ReadOnlyError,
    apsw.IOError,
    apsw.CantOpenError,
    OSError,
)

ATTEMPTS = 3
"""At one transaction, each in another file."""


class SqliteConnection:
    """Lives as long as its store, in one thread."""

    def __init__(self, path: Path, *, busy_seconds: float) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._opened: tuple[apsw.Connection, Files] | None = None

    def open(self) -> None:
        """Raises `StoreUnusable`."""
        self._in_place()

    def close(self) -> None:
        if self._opened is not None:
            db, _ = self._opened
            self._opened = None
            db.close()

    def run(self, begin: str | None, work: Callable[[apsw.Connection], T]) -> T:
        """One transaction, begun by this statement; None for without one.

        Raises:
            StoreError: in words, if it could not be done; then nothing of it was.
        """
        store = f"the store `{self.path}`"
        try:
            return self._followed(begin, work)
        except StoreUnusable as error:
            # It was usable before: somebody may be at it.
            raise StoreError(str(error), retryable=True) from error
        except (apsw.Error, OSError) as error:
            why = known_reason(error) or f"failed: {error}"
            raise StoreError(f"{store} {why}", retryable=isinstance(error, RETRYABLE)) from error
        except ValidationError as error:
            raise StoreError(
                f"{store} holds a {error.title} that cannot be read", retryable=False
            ) from error

    def _followed(self, begin: str | None, work: Callable[[apsw.Connection], T]) -> T:
        """Done again if the file is damaged, or has lost its name before the end."""
        fault: Exception = OSError("its file is moved away again and again")
        for _ in range(ATTEMPTS):
            db, files = self._in_place()
            try:
                result = _transact(db, begin, work)
            except apsw.SQLError as error:
                # Another content was copied into the file: a new connection brings it up to date.
                fault = error
                self.close()
            except DAMAGED as error:
                fault = error
                self._opened = None
                abandon(db)
                rescue(self.path, files.db, error)
            else:
                if files_of(self.path).db == files.db:
                    return result
        raise fault

    def _in_place(self) -> tuple[apsw.Connection, Files]:
        """The connection if it has the files of these names; else a new one."""
        if self._opened is not None:
            db, files = self._opened
            if files_of(self.path) == files:
                return self._opened
            with leaving(self.path, files) as now:
                log.error(
                    "store.replaced", store=str(self.path), why="it was removed or moved away"
                )
                self._opened = None
                _leave(db, files, now)
        self._opened = connect(self.path, busy_seconds=self._busy_seconds)
        return self._opened


def _leave(db: apsw.Connection, files: Files, now: Files) -> None:
    """Close it, and save what stands in a log that was removed alone."""
    if now.db != files.db or now.shm not in (files.shm, None):
        # Others go on without it, and the files of these names are theirs.
        abandon(db)
        return
    if now.wal != files.wal:
        with suppress(apsw.Error):
            db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    db.close()


def _transact(db: apsw.Connection, begin: str | None, work: Callable[[apsw.Connection], T]) -> T:
    if begin is None:
        return work(db)
    db.execute(begin)
    try:
        result = _legible(work, db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return result


def _legible(work: Callable[[apsw.Connection], T], db: apsw.Connection) -> T:
    """SQLite looks at the form of its pages only. All that June writes in them is UTF-8 and JSON.

    Other fields than these are no damage: a newer June may have written them.
    """
    try:
        return work(db)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise apsw.CorruptError("what is in it is garbled") from error
    except ValidationError as error:
        if any(fault["type"] == "json_invalid" for fault in error.errors(include_input=False)):
            raise apsw.CorruptError("what is in it is garbled") from error
        raise

"""The SQLite store: one connection, in one thread, one whole transaction at a time.

A transaction never spans an `await`: whoever is cancelled while waiting for one leaves no lock and
no half of it behind. `apsw` brings its own SQLite, without the WAL-reset bug of older ones.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

import apsw

from session.errors import StoreError, StoreUnusable
from session.leases import Lease, LeaseState
from session.records import Channel, CloseReason, Message, Session, SessionStats
from session.store import sql_leases, sql_messages, sql_sessions
from session.store.schema import migrate

T = TypeVar("T")

BUSY_MILLISECONDS = 5_000
RETRYABLE = (apsw.BusyError, apsw.LockedError, apsw.FullError, apsw.IOError, apsw.CantOpenError)


class SqliteStore:
    """Lives as long as the process that opened it. Never open it before a fork and use it after."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="june.store")
        self._db: apsw.Connection | None = None

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Make the file if need be, and bring it to this version. Raises `StoreUnusable`."""
        store = cls(path)
        try:
            await asyncio.get_running_loop().run_in_executor(store._thread, store._connect)
        except BaseException:
            store._thread.shutdown(wait=False)
            raise
        return store

    def _connect(self) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._path.exists():
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            db = apsw.Connection(str(self._path))
            db.set_busy_timeout(BUSY_MILLISECONDS)
            if db.readonly("main"):
                raise StoreUnusable(
                    f"`{self._path}` is read-only for this user\n"
                    f"hint: `chown $USER {self._path.parent}` or name another file in `[store] url`"
                )
            # Both survive the end of a process; NORMAL may lose the last commits with the power.
            db.pragma("journal_mode", "wal")
            db.pragma("synchronous", "normal")
            migrate(db, self._path)
        except apsw.NotADBError as error:
            raise StoreUnusable(
                f"`{self._path}` is not a SQLite database\n"
                "hint: move it away, or name another file in `[store] url`"
            ) from error
        except (apsw.Error, OSError) as error:
            raise StoreUnusable(
                f"`{self._path}` cannot be opened: {error}\n"
                "hint: see that its folder is writable and the disk has room"
            ) from error
        self._db = db

    async def _write(self, work: Callable[[apsw.Connection], T]) -> T:
        # IMMEDIATE: a transaction that began by reading may not be able to write later.
        return await self._hop("BEGIN IMMEDIATE", work)

    async def _read(self, work: Callable[[apsw.Connection], T]) -> T:
        return await self._hop("BEGIN", work)

    async def _hop(self, begin: str, work: Callable[[apsw.Connection], T]) -> T:
        """One transaction in the store's thread; it ends even if nobody waits for it any more."""
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, lambda: self._transact(begin, work)
        )

    def _transact(self, begin: str, work: Callable[[apsw.Connection], T]) -> T:
        db = self._db
        if db is None:
            raise StoreError("the store is closed", retryable=False)
        try:
            db.execute(begin)
            try:
                result = work(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        except apsw.Error as error:
            raise StoreError(
                f"`{self._path}` failed: {type(error).__name__}",
                retryable=isinstance(error, RETRYABLE),
            ) from error
        return result

    async def open_session(
        self, room: str, user: str, *, channel: Channel, language: str, now: float
    ) -> Session:
        return await self._write(
            lambda db: sql_sessions.open_session(
                db, room, user, channel=channel, language=language, now=now
            )
        )

    async def get_session(self, session_id: str) -> Session | None:
        return await self._read(lambda db: sql_sessions.get(db, session_id))

    async def session_by_room(self, room: str) -> Session | None:
        return await self._read(lambda db: sql_sessions.by_room(db, room))

    async def user_sessions(self, user: str) -> tuple[Session, ...]:
        return await self._read(lambda db: sql_sessions.of_user(db, user))

    async def touch(self, session_id: str, *, now: float) -> None:
        await self._write(lambda db: sql_sessions.touch(db, session_id, now))

    async def close_session(self, session_id: str, reason: CloseReason, *, now: float) -> bool:
        return await self._write(lambda db: sql_sessions.close(db, session_id, reason, now))

    async def delete_session(self, session_id: str) -> bool:
        return await self._write(lambda db: sql_sessions.delete(db, session_id))

    async def append_message(self, message: Message, *, now: float) -> bool:
        return await self._write(lambda db: sql_messages.append(db, message, now))

    async def messages(self, session_id: str) -> tuple[Message, ...]:
        return await self._read(lambda db: sql_messages.of_session(db, session_id))

    async def recent_messages(self, user: str, limit: int) -> tuple[Message, ...]:
        return await self._read(lambda db: sql_messages.recent(db, user, limit))

    async def reserve_turn(self, session_id: str, turn: int, *, now: float) -> bool:
        return await self._write(lambda db: sql_messages.reserve_turn(db, session_id, turn, now))

    async def commit_turn(self, session_id: str, turn: int, *, now: float) -> bool:
        return await self._write(lambda db: sql_messages.commit_turn(db, session_id, turn, now))

    async def claim_lease(
        self, room: str, owner: str, *, ttl_seconds: float, now: float
    ) -> Lease | None:
        return await self._write(
            lambda db: sql_leases.claim(db, room, owner, ttl_seconds=ttl_seconds, now=now)
        )

    async def renew_lease(self, lease: Lease, *, ttl_seconds: float, now: float) -> LeaseState:
        return await self._write(
            lambda db: sql_leases.renew(db, lease, ttl_seconds=ttl_seconds, now=now)
        )

    async def release_lease(self, lease: Lease) -> None:
        await self._write(lambda db: sql_leases.release(db, lease))

    async def ask_to_leave(self, owner_prefix: str) -> int:
        return await self._write(lambda db: sql_leases.ask_to_leave(db, owner_prefix))

    async def stats(self) -> SessionStats:
        return await self._read(sql_sessions.stats)

    async def aclose(self) -> None:
        """Closing twice is fine."""
        if self._db is None:
            return
        db, self._db = self._db, None
        await asyncio.get_running_loop().run_in_executor(self._thread, db.close)
        self._thread.shutdown(wait=False)

"""The SQLite store: one connection, in one thread, one whole transaction at a time.

A transaction never spans an `await`: whoever is cancelled while waiting for one leaves no lock and
no half of it behind. `apsw` brings its own SQLite, without the WAL-reset bug of older ones.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

import apsw
from pydantic import ValidationError

from session.errors import StoreError
from session.leases import Lease, LeaseState
from session.records import Channel, CloseReason, Message, Session, SessionStats
from session.store import sql_leases, sql_messages, sql_sessions
from session.store.sqlite_file import connect

T = TypeVar("T")

RETRYABLE = (apsw.BusyError, apsw.LockedError, apsw.FullError, apsw.IOError, apsw.CantOpenError)


class SqliteStore:
    """Lives as long as the process that opened it. Never open it before a fork and use it after."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="june.store")
        self._db: apsw.Connection | None = None
        self._is_closed = False

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
        self._db = connect(self._path)

    async def _write(self, work: Callable[[apsw.Connection], T]) -> T:
        # IMMEDIATE: a transaction that began by reading may not be able to write later.
        return await self._hop("BEGIN IMMEDIATE", work)

    async def _read(self, work: Callable[[apsw.Connection], T]) -> T:
        return await self._hop("BEGIN", work)

    async def _hop(self, begin: str, work: Callable[[apsw.Connection], T]) -> T:
        """One transaction in the store's thread; it ends even if nobody waits for it any more."""
        if self._is_closed:
            raise StoreError(f"the store `{self._path}` is closed", retryable=False)
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, lambda: self._transact(begin, work)
        )

    def _transact(self, begin: str, work: Callable[[apsw.Connection], T]) -> T:
        db = self._db
        assert db is not None, "`open` connects before anybody has the store"
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
                f"the store `{self._path}` failed: {error}",
                retryable=isinstance(error, RETRYABLE),
            ) from error
        except ValidationError as error:
            raise StoreError(
                f"the store `{self._path}` holds a {error.title} that cannot be read",
                retryable=False,
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

    async def cancel_turn(self, session_id: str, turn: int) -> None:
        await self._write(lambda db: sql_messages.cancel_turn(db, session_id, turn))

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
        """After what was begun before. Closing twice is fine."""
        if self._is_closed:
            return
        self._is_closed = True
        assert self._db is not None
        try:
            closing = asyncio.get_running_loop().run_in_executor(self._thread, self._db.close)
        except RuntimeError:
            # The interpreter is ending and has ended the thread: nothing else runs in it now.
            self._db.close()
            return
        self._thread.shutdown(wait=False)
        await closing

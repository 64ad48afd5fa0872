"""The synchronous face of the memory, for scripts; it works inside a running event loop too.

from session.compat import session_manager

session = session_manager.get_or_create_session_for_room("test-room", "test-user")
print(session.session_id, session.room_name)
"""

import asyncio
import atexit
import os
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from session.config import SessionConfig
from session.door import open_sessions
from session.errors import StoreUnusable
from session.ports import GuestTokens
from session.records import (
    CloseReason,
    Message,
    Removed,
    ReplyTimes,
    Session,
    SessionStats,
    SkillSession,
    TurnMetrics,
)
from session.service import SessionService

T = TypeVar("T")


class SessionManager:
    """Lives as long as the script. Opens June's memory at the first use, in a thread of its own."""

    def __init__(
        self, config: SessionConfig | None = None, guest_tokens: GuestTokens | None = None
    ) -> None:
        self._config = config
        self._guest_tokens = guest_tokens
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._sessions: SessionService | None = None
        self._opening = threading.Lock()

    def get_or_create_session_for_room(self, room_name: str, user: str) -> Session:
        return self._wait(self._open().get_or_create_for_room(room_name, user))

    def get_session(self, session_id: str) -> Session:
        return self._wait(self._open().get_session(session_id))

    def get_session_by_room(self, room_name: str) -> Session | None:
        return self._wait(self._open().get_session_by_room(room_name))

    def get_user_sessions(self, user: str) -> tuple[Session, ...]:
        return self._wait(self._open().get_user_sessions(user))

    def list_sessions(self, limit: int = 50, *, skip: int = 0) -> tuple[Session, ...]:
        return self._wait(self._open().list_sessions(limit, skip=skip))

    def get_history(self, session_id: str) -> tuple[Message, ...]:
        return self._wait(self._open().history(session_id))

    def add_message(self, message: Message) -> bool:
        return self._wait(self._open().add_message(message))

    def save_skill(self, session_id: str, skill: SkillSession | None) -> None:
        return self._wait(self._open().save_skill(session_id, skill))

    def update_session_metrics(self, session_id: str, metrics: TurnMetrics) -> None:
        return self._wait(self._open().update_session_metrics(session_id, metrics))

    def reply_times(self, session_id: str) -> ReplyTimes:
        return self._wait(self._open().reply_times(session_id))

    def close_session(self, session_id: str, reason: CloseReason = CloseReason.GOODBYE) -> bool:
        return self._wait(self._open().close_session(session_id, reason))

    def delete_session(self, session_id: str) -> bool:
        return self._wait(self._open().delete_session(session_id))

    def forget_user(self, user: str) -> Removed:
        return self._wait(self._open().forget_user(user))

    def cleanup_expired_sessions(self) -> Removed:
        return self._wait(self._open().cleanup_expired_sessions())

    def get_stats(self) -> SessionStats:
        return self._wait(self._open().get_stats())

    def generate_guest_token(self, room_name: str, identity: str) -> str:
        """Raises `NoGuestTokens` where the manager was made without `guest_tokens`."""
        return self._open().generate_guest_token(room_name, identity)

    def close(self) -> None:
        """Close the memory; the next use opens it anew. Also done at the script's end."""
        with self._opening:
            if self._sessions is None:
                return
            self._wait(self._sessions.aclose())
            self._sessions = None
            self._stop()

    def _open(self) -> SessionService:
        with self._opening:
            if self._sessions is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="june.session.compat", daemon=True
                )
                self._thread.start()
                try:
                    sessions = open_sessions(
                        self._config or _config(), guest_tokens=self._guest_tokens
                    )
                    self._sessions = self._wait(sessions.__aenter__())
                except BaseException:
                    self._stop()
                    raise
                atexit.register(self.close)
            return self._sessions

    def _stop(self) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _config() -> SessionConfig:
    """June's folder as the agent finds it, without the agent's settings."""
    shared = Path(os.environ.get("XDG_DATA_HOME", ""))
    if not shared.is_absolute():  # the XDG rules say that such a one is to be ignored
        shared = Path("~/.local/share")
    named = os.environ.get("JUNE_DATA__DIR")
    url = os.environ.get("JUNE_STORE__URL", "")
    scheme, _, path = url.partition(":")
    key = os.environ.get("JUNE_SECRET_KEY")
    if scheme in {"redis", "rediss"} and not key:
        raise StoreUnusable(
            "`JUNE_SECRET_KEY` is not set, and without it users in a Redis store are strangers\n"
            "hint: `export JUNE_SECRET_KEY=…`, the same as the worker's"
        )
    return SessionConfig(
        data_dir=(Path(named) if named else shared / "june").expanduser(),
        store_url=f"sqlite:{Path(path).expanduser()}" if scheme == "sqlite" and path else url,
        secret_key=os.fsencode(key) if key else None,
    )


session_manager = SessionManager()

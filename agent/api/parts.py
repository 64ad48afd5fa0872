"""What the HTTP side is given by the worker whose parent process it runs in."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from agent.config import Config
from session import SessionService
from skills.registry import Registry


class WorkerView(Protocol):
    """How the worker is just now."""

    @property
    def is_registered(self) -> bool:
        """Whether a LiveKit server sends calls to it."""
        ...

    @property
    def is_draining(self) -> bool: ...

    @property
    def calls(self) -> int:
        """That run in it, or are being accepted."""
        ...


class Rooms(Protocol):
    """What the HTTP side asks of a `LiveKitClient`; each raises `LiveKitError`."""

    def caller_token(
        self, room: str, identity: str, name: str = "", *, join_within: timedelta
    ) -> str: ...

    async def dispatch(self, room: str, metadata: Mapping[str, Any] | None = None) -> str: ...


@dataclass(frozen=True)
class Parts:
    """Lives as long as the worker."""

    config: Config
    sessions: SessionService
    rooms: Rooms
    registry: Registry
    worker: WorkerView
    metrics: Callable[[], Awaitable[bytes]]
    """All processes' metrics, in Prometheus' text format."""
    look_again: Callable[[str], None]
    """Something happened in this room: the watcher need not wait for its next look."""

"""What the HTTP side is given by the worker whose parent process it runs in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from agent.config import Config
from agent.rooms import LiveKitClient
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


@dataclass(frozen=True)
class Parts:
    """Lives as long as the worker."""

    config: Config
    sessions: SessionService
    rooms: LiveKitClient
    registry: Registry
    worker: WorkerView
    metrics: Callable[[], Awaitable[bytes]]
    """All processes' metrics, in Prometheus' text format."""
    look_again: Callable[[], None]
    """Something happened in a room: the watcher need not wait for its next look."""

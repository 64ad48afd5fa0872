"""How worker, job, console and scripts come to the memory: all by the same door."""

import time
from collections.abc import Callable

from session.config import SessionConfig
from session.ports import GuestTokens
from session.service import SessionService


def open_sessions(
    config: SessionConfig,
    *,
    now: Callable[[], float] = time.time,
    guest_tokens: GuestTokens | None = None,
) -> SessionService:
    """The memory as worker, job, console and scripts share it; open it with `async with`."""
    return SessionService(config, now=now, guest_tokens=guest_tokens)

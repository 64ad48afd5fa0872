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
    on_fault: Callable[[], None] = lambda: None,
) -> SessionService:
    """The memory as worker, job, console and scripts share it; open it with `async with`.

    `on_fault` is called each time its store fails, and must not raise.
    """
    return SessionService(config, now=now, guest_tokens=guest_tokens, on_fault=on_fault)

"""Where a call takes place."""

from collections.abc import Callable
from dataclasses import dataclass

from session import Channel


@dataclass(frozen=True)
class Place:
    """Where a call takes place, and how it is known there."""

    room: str
    channel: Channel
    call_id: str
    shut_down: Callable[[str], None]
    """Ends it from June's side; given the reason."""

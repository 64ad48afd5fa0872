"""Where a call takes place."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.events import Tell, to_nobody
from session import Channel


@dataclass(frozen=True)
class Place:
    """Where a call takes place, and how it is known there."""

    room: str
    channel: Channel
    call_id: str
    shut_down: Callable[[str], None]
    """Ends it from June's side; given the reason."""
    tell: Tell = to_nobody
    """Gets June's own events, for the caller."""

"""What June remembers. Frozen: a change is a new record."""

import uuid
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, FiniteFloat

Role = Literal["user", "assistant"]
Source = Literal["voice", "text", "tool"]
Channel = Literal["room", "console", "phone"]


class Status(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class CloseReason(StrEnum):
    """Why a session ended."""

    CALLER_LEFT = "caller_left"
    GOODBYE = "goodbye"
    IDLE = "idle"
    TOO_LONG = "too_long"
    DRAIN = "drain"
    """The worker was stopped."""
    CRASH = "crash"
    """No end was ever written."""
    NETWORK_LOST = "network_lost"
    ROOM_DELETED = "room_deleted"
    REMOVED = "removed"
    REPLACED = "replaced"
    """Another June has the room."""
    ERROR = "error"


class Record(BaseModel):
    # An error must not show what somebody said.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Session(Record):
    """One conversation. It outlives calls, processes and restarts. Times are Unix seconds."""

    session_id: str
    room_name: str
    user: str
    """A keyed hash: whom limits and memory belong to, never who they are."""
    channel: Channel = "room"
    language: str = "en"
    status: Status = Status.OPEN
    created_at: float
    seen_at: float
    """The last sign of life."""
    closed_at: float | None = None
    close_reason: CloseReason | None = None
    resumes: int = 0
    """How often a later call has picked this conversation up."""
    message_count: int = 0
    context_summary: str | None = None


def new_session(room: str, user: str, *, channel: Channel, language: str, now: float) -> Session:
    """A conversation that begins now, under an id of its own."""
    return Session(
        session_id=uuid.uuid4().hex,
        room_name=room,
        user=user,
        channel=channel,
        language=language,
        created_at=now,
        seen_at=now,
    )


class Message(Record):
    """One thing said."""

    id: str
    session_id: str
    call_id: str
    participant: str
    role: Role
    source: Source
    language: str
    turn: int
    """The user message that it is, or answers; 0 for a greeting."""
    text: str
    heard_text: str | None = None
    """Of a reply that was interrupted: as far as the caller heard it."""
    at: FiniteFloat

    @property
    def said(self) -> str:
        return self.text if self.heard_text is None else self.heard_text


class SessionStats(Record):
    """Figures over all sessions that are kept; `total_created` also counts deleted ones."""

    active_sessions: int
    active_rooms: int
    total_created: int
    messages: int
    mean_messages_per_session: float

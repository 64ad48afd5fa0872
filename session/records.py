"""What June remembers. Frozen: a change is a new record."""

import uuid
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, FiniteFloat, JsonValue

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
    LIMIT = "limit"
    """Its user was refused too often, or the money was used up."""


class Record(BaseModel):
    # An error must not show what somebody said.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Unheard(Record):
    """A reply of a mode's, of which the caller has not heard all."""

    said: str
    """Empty where the model said it."""
    heard: str = ""


class SkillSession(Record):
    """The skill that has a conversation, as it is to go on after a crash."""

    name: str
    version: int
    """Of `state`: a skill that changes its form says so here."""
    state: dict[str, JsonValue]
    started_at: FiniteFloat
    turns: int = 0
    stage: Literal["confirming", "active"] = "active"
    """`confirming`: the user was asked whether it may begin; the state is what it begins with."""
    asked_again: bool = False
    """The answer to that was unclear once."""
    takes_all: bool = False
    """Until its next step, phrases of other skills than its own mean nothing."""
    unheard: Unheard | None = None
    """Its last reply, until it was heard to its end."""
    under: "SkillSession | None" = None
    """While one is confirmed: the one that has the floor again after a no."""


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
    """What was said before the messages that the model is still given."""
    summarised: int = 0
    """How many of this session's messages are in `context_summary`."""
    skill: SkillSession | None = None


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


class Stages(Record):
    """Where the time of a turn went: seconds after the end of the caller's speech.

    Of typed text: after it came. Before 0 is what a model had begun while the caller still spoke;
    None is what was not measured, or never came.
    """

    final_text: FiniteFloat | None = None
    """All words of the caller were there."""
    end_of_turn: FiniteFloat | None = None
    """June decided that they had finished."""
    first_token: FiniteFloat | None = None
    """Of the answer that was heard."""
    first_clause: FiniteFloat | None = None
    """So much text that the voice could begin."""
    first_audio: FiniteFloat | None = None
    """June's first sound."""


class TurnMetrics(Record):
    """How one turn went. Times are in seconds; None for what was not measured."""

    turn: int
    """0, and below for calls that resumed the session, is a greeting."""
    at: FiniteFloat
    reply_seconds: FiniteFloat | None = None
    """From the end of the caller's turn to June's first sound."""
    first_token_seconds: FiniteFloat | None = None
    """From asking the language model to its first token."""
    first_word_seconds: FiniteFloat | None = None
    """Of a greeting: from June's dispatch to her first sound, while a caller waited."""
    stages: Stages | None = None
    is_typed: bool = False
    is_interrupted: bool = False
    """June stopped before its end: the caller spoke, or left."""
    heard_characters: int | None = None
    """Of a reply that was interrupted."""
    refused: str | None = None
    """By which limit."""


class ReplyTimes(Record):
    """Over the turns whose reply was timed; seconds, None without one."""

    turns: int = 0
    mean_seconds: float | None = None
    p50_seconds: float | None = None
    p95_seconds: float | None = None


class Money(Record):
    """Today's, of all calls together; in micro-dollars. The day is UTC's."""

    day: str
    spent_micros: int
    reserved_micros: int
    """Of model requests that are under way."""
    estimated_micros: int
    """The part of what is spent that no provider has told."""
    limit_micros: int | None
    tokens: int
    requests: int
    unpriced_requests: int
    breaker_reason: str | None
    """Why June spends nothing now; None if she may."""
    breaker_until: float | None


class SessionStats(Record):
    """Figures over all sessions that are kept; `total_created` also counts deleted ones."""

    active_sessions: int
    active_rooms: int
    total_created: int
    messages: int
    mean_messages_per_session: float
    active_skills: int
    """Open sessions that a skill has."""
    skills_in_use: dict[str, int]
    """By name."""
    reply: ReplyTimes
    money: Money | None = None


class Removed(Record):
    """What a deletion really removed."""

    sessions: int = 0
    messages: int = 0
    turns: int = 0
    """Measured turns."""
    answers: int = 0
    """Kept for messages that are delivered again."""
    memories: int = 0
    """Texts that skills kept of a user; only forgetting the user removes any."""
    voices: int = 0
    """Callers' voices: consents, and what was made of them."""

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(
            sessions=self.sessions + other.sessions,
            messages=self.messages + other.messages,
            turns=self.turns + other.turns,
            answers=self.answers + other.answers,
            memories=self.memories + other.memories,
            voices=self.voices + other.voices,
        )

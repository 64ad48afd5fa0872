"""June's memory: what happened, and what may happen next. No LiveKit, no audio."""

from session.alerts import Alert
from session.claims import Claim
from session.config import MoneyConfig, SessionConfig
from session.door import open_sessions
from session.errors import (
    MemoryFull,
    NoConsent,
    NoGuestTokens,
    SessionError,
    StoreError,
    StoreUnusable,
    TextTooLong,
    UnknownSession,
)
from session.leases import Lease, LeaseState, Leave, RoomLease
from session.limits import Decision
from session.memories import UserMemory
from session.records import (
    Channel,
    CloseReason,
    Message,
    Removed,
    Session,
    SessionStats,
    SkillSession,
    TurnMetrics,
)
from session.rules import LimitConfig
from session.service import SessionService
from session.voice_records import (
    Clone,
    CloneCount,
    Consent,
    Deleted,
    Doomed,
    Receipt,
    Utterance,
    Voice,
)
from session.voices import Voices

__all__ = [
    "Alert",
    "Channel",
    "Claim",
    "Clone",
    "CloneCount",
    "CloseReason",
    "Consent",
    "Decision",
    "Deleted",
    "Doomed",
    "Lease",
    "LeaseState",
    "Leave",
    "LimitConfig",
    "MemoryFull",
    "Message",
    "MoneyConfig",
    "NoConsent",
    "NoGuestTokens",
    "Receipt",
    "Removed",
    "RoomLease",
    "Session",
    "SessionConfig",
    "SessionError",
    "SessionService",
    "SessionStats",
    "SkillSession",
    "StoreError",
    "StoreUnusable",
    "TextTooLong",
    "TurnMetrics",
    "UnknownSession",
    "UserMemory",
    "Utterance",
    "Voice",
    "Voices",
    "open_sessions",
]

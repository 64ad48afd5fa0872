"""June's memory: what happened, and what may happen next. No LiveKit, no audio."""

from session.alerts import Alert
from session.claims import Claim
from session.config import MoneyConfig, SessionConfig
from session.errors import (
    MemoryFull,
    NoGuestTokens,
    SessionError,
    StoreError,
    StoreUnusable,
    TextTooLong,
    UnknownSession,
)
from session.leases import Lease, LeaseState, RoomLease
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
from session.service import SessionService, open_sessions

__all__ = [
    "Alert",
    "Channel",
    "Claim",
    "CloseReason",
    "Decision",
    "Lease",
    "LeaseState",
    "LimitConfig",
    "MemoryFull",
    "Message",
    "MoneyConfig",
    "NoGuestTokens",
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
    "open_sessions",
]

"""June's memory: what happened, and what may happen next. No LiveKit, no audio."""

from session.errors import SessionError, StoreError, StoreUnusable, UnknownSession
from session.gate import Decision
from session.leases import Lease, LeaseState, RoomLease
from session.records import Channel, CloseReason, Message, Session, SessionStats
from session.service import SessionConfig, SessionService, open_sessions

__all__ = [
    "Channel",
    "CloseReason",
    "Decision",
    "Lease",
    "LeaseState",
    "Message",
    "RoomLease",
    "Session",
    "SessionConfig",
    "SessionError",
    "SessionService",
    "SessionStats",
    "StoreError",
    "StoreUnusable",
    "UnknownSession",
    "open_sessions",
]

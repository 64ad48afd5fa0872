"""Which conversation a call goes on with: pure, so that every store keeps the same promise."""

from collections.abc import Iterable
from dataclasses import dataclass

from session.records import CloseReason, Session, Status

FRESH_SECONDS = 600.0
"""A conversation that gave no sign of life for longer is over."""

CUT_OFF = (CloseReason.CRASH, CloseReason.DRAIN, CloseReason.NETWORK_LOST)
"""Ends that the caller did not choose."""


@dataclass(frozen=True)
class Plan:
    resume: Session | None
    """As it is to be stored, or None: then a new session begins."""
    close: tuple[Session, ...]
    """Older open ones of the same room and user, as they are to be stored."""


def plan(sessions: Iterable[Session], now: float) -> Plan:
    """Decide among the sessions of one room and user."""
    candidates = sorted(sessions, key=lambda session: session.seen_at, reverse=True)
    found = next((session for session in candidates if _can_resume(session, now)), None)
    resumed = found and found.model_copy(
        update={
            "status": Status.OPEN,
            "closed_at": None,
            "close_reason": None,
            "resumes": found.resumes + 1,
            "seen_at": max(now, found.seen_at),
        }
    )
    return Plan(
        resume=resumed,
        close=tuple(
            session.model_copy(
                update={
                    "status": Status.CLOSED,
                    "closed_at": session.seen_at,
                    "close_reason": CloseReason.CRASH,
                }
            )
            for session in candidates
            if session.status is Status.OPEN and session is not found
        ),
    )


def _can_resume(session: Session, now: float) -> bool:
    # A clock that was set back makes a session seem to have been seen in the future: fresh.
    is_fresh = now - session.seen_at < FRESH_SECONDS
    return is_fresh and (session.status is Status.OPEN or session.close_reason in CUT_OFF)

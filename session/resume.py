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
    resumable = (one for one in candidates if is_unfinished(one) and is_fresh(one, now))
    found = next(resumable, None)
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


def is_unfinished(session: Session) -> bool:
    """Whether its end was none that the caller chose, or none was written."""
    return session.status is Status.OPEN or session.close_reason in CUT_OFF


def is_fresh(session: Session, now: float) -> bool:
    """A clock that was set back makes it seem to have been seen in the future: fresh."""
    return now - session.seen_at < FRESH_SECONDS

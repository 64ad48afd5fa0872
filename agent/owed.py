"""Whether somebody in a room is owed a June: decisions only, no network and no clock.

Times are Unix seconds. Those of rooms are by LiveKit's clock, those of sessions by the store's; a
difference of a second or two between them costs nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from session import CloseReason, Session
from session.resume import CUT_OFF, FRESH_SECONDS

COME_WITHIN_SECONDS = 3.0
"""A dispatch is taken at once or never: LiveKit neither queues one nor tries it again."""

CLOCKS_APART_SECONDS = 1.0
"""Who joined so shortly before June's last call was over has come anew."""


@dataclass(frozen=True)
class Person:
    """Somebody in a room who is no agent."""

    identity: str
    joined_at: float


@dataclass(frozen=True)
class Dispatch:
    """June was asked into a room, and nobody has withdrawn it; she may have come and gone."""

    id: str
    created_at: float
    metadata: str = ""
    junes: frozenset[str] = frozenset()
    """The identities of those who took the job; LiveKit tells them some seconds late."""


@dataclass(frozen=True)
class Inside:
    """Who is in a room."""

    people: tuple[Person, ...] = ()
    junes: frozenset[str] = frozenset()
    """The identity of each June, also of one whose process is dead but still listed."""

    def of(self, identity: str | None) -> "Inside":
        """With nobody but the one whom June is to listen to, if one is named."""
        if identity is None:
            return self
        return replace(self, people=tuple(p for p in self.people if p.identity == identity))


class Why(StrEnum):
    """Why June is owed where none lives."""

    JOINED = "joined"
    """Somebody joined since her last call there was over."""
    UNANSWERED = "unanswered"
    """She was asked, and nobody came: no worker was there, or none had room."""
    DIED = "died"
    """Her process is gone and has written no end."""
    LEFT = "left"
    """Her worker was drained, or her network was lost."""


def owed(
    inside: Inside,
    session: Session | None,
    dispatches: Collection[Dispatch],
    now: float,
    *,
    is_expected: bool = False,
) -> Why | None:
    """Why a June is to be sent into a room where none lives; None if none is, or one is coming.

    `session` is the room's last conversation. `is_expected` says that whoever joins this room is
    owed one, as by a dispatch.
    """
    if not inside.people:
        return None
    if any(_is_coming(dispatch, session, now) for dispatch in dispatches):
        return None
    if session is not None and 0 <= now - session.seen_at + 1 < FRESH_SECONDS:
        if session.closed_at is None or session.close_reason is CloseReason.CRASH:
            return Why.DIED
        if session.close_reason in CUT_OFF:
            return Why.LEFT
    if inside.junes:
        return None  # she keeps her lease in another store, or her dead body is gone in 20 s
    if not dispatches and not is_expected:
        return None  # it is not June's room
    if session is None:
        return Why.UNANSWERED if dispatches else Why.JOINED
    over_at = _over_at(session)
    if any(dispatch.created_at > over_at for dispatch in dispatches):
        return Why.UNANSWERED
    if any(person.joined_at > over_at - CLOCKS_APART_SECONDS for person in inside.people):
        return Why.JOINED
    return None


def _is_coming(dispatch: Dispatch, session: Session | None, now: float) -> bool:
    """Whether she may still be on her way by it: it is young, and she has not been there yet."""
    is_young = (
        0
        <= now - dispatch.created_at + CLOCKS_APART_SECONDS
        < (COME_WITHIN_SECONDS + CLOCKS_APART_SECONDS)
    )
    # Who was asked for during a goodbye has not been there, although it was said after that.
    has_been = session is not None and _over_at(session) > dispatch.created_at
    return is_young and not has_been


def _over_at(session: Session) -> float:
    """Or the last sign of life, where no end was written."""
    return session.seen_at if session.closed_at is None else session.closed_at

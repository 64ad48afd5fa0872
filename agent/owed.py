"""Whether somebody in a room is owed a June: decisions only, no network and no clock.

Times are Unix seconds. Those of rooms are by LiveKit's clock, those of sessions by the store's. If
they differ by some seconds, that matters only for calls that are shorter than the difference.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from agent.metadata import identity_in
from session import CloseReason, Session
from session.resume import is_fresh, is_unfinished

COME_WITHIN_SECONDS = 3.0
"""A dispatch is taken at once or never: LiveKit neither queues one nor tries it again."""

JUST_BEFORE_SECONDS = 1.0
"""Who joined so shortly before June missed her last caller has come anew."""

TOLD_WITHIN_SECONDS = 10.0
"""Later than that LiveKit does not tell who took a dispatch."""

CLOCKS_APART_SECONDS = 10.0
"""As much as LiveKit's clock and the store's may differ."""


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

    def has(self, identity: str | None) -> bool:
        """Whether June has somebody to listen to, if that is whom she is to; None is whoever."""
        return identity is None or any(person.identity == identity for person in self.people)

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
    new: Collection[str] = (),
    lost: Collection[str] = (),
    is_expected: bool = False,
) -> Why | None:
    """Why a June is to be sent into a room where none lives; None if none is, or one is coming.

    `session` is the room's last conversation. `new` are the ids of dispatches that were seen for
    the first time less than `COME_WITHIN_SECONDS` ago, `lost` those that nobody took.
    `is_expected` says that whoever joins this room is owed one, as by a dispatch.
    """
    if not inside.people:
        return None
    if any(_is_coming(one, session, now) for one in dispatches if one.id in new):
        return None
    if session is not None and is_interrupted(session, now):
        has_no_end = session.closed_at is None or session.close_reason is CloseReason.CRASH
        return Why.DIED if has_no_end else Why.LEFT
    if inside.junes:
        return None  # she keeps her lease in another store, or her dead body is gone in 20 s
    if not dispatches and not is_expected:
        return None  # it is not June's room
    if session is None or is_unfinished(session):
        # One who came has waited in vain, and nobody was there to be failed.
        has_failed = any(not one.junes for one in dispatches)
        return Why.UNANSWERED if has_failed else Why.JOINED
    over_at = _over_at(session)
    if any(one.id in lost or _is_after(one, over_at) for one in dispatches):
        return Why.UNANSWERED
    slack = JUST_BEFORE_SECONDS if session.close_reason is CloseReason.CALLER_LEFT else 0.0
    if any(person.joined_at > over_at - slack for person in inside.people):
        return Why.JOINED
    return None


def is_interrupted(session: Session | None, now: float) -> bool:
    """Whether a room's last conversation has not come to its end, and whoever was in it is owed."""
    return session is not None and is_unfinished(session) and is_fresh(session, now)


def _is_coming(dispatch: Dispatch, session: Session | None, now: float) -> bool:
    """Whether she may still be on her way by a new one, and has not been there yet."""
    is_old = now - dispatch.created_at > COME_WITHIN_SECONDS + CLOCKS_APART_SECONDS
    # Who was asked for during a goodbye has not been there, although it was said after that.
    has_been = session is not None and _over_at(session) > dispatch.created_at
    return not is_old and not has_been


def _over_at(session: Session) -> float:
    """Or the last sign of life, where no end was written."""
    return session.seen_at if session.closed_at is None else session.closed_at


def _is_after(dispatch: Dispatch, over_at: float) -> bool:
    """Whether somebody asked for her again after a call; one that she took may be that call's."""
    return dispatch.created_at > over_at + (CLOCKS_APART_SECONDS if dispatch.junes else 0.0)


def newest(dispatches: Collection[Dispatch]) -> Dispatch:
    """The one whose metadata counts."""
    return max(dispatches, key=lambda dispatch: dispatch.created_at)


def answering(
    dispatches: Collection[Dispatch], inside: Inside, identity: str | None
) -> Dispatch | None:
    """The dispatch by which June is there, or on her way, for this caller."""
    for dispatch in dispatches:
        if dispatch.junes and not dispatch.junes & inside.junes:
            continue  # she has come and gone
        listens_to = identity_in(dispatch.metadata)
        if listens_to is None or identity is None or listens_to == identity:
            return dispatch
    return None


def in_vain(dispatches: Collection[Dispatch], inside: Inside) -> tuple[Dispatch, ...]:
    """Those for somebody who is not there, as when a page was loaded again under another name."""
    return tuple(one for one in dispatches if not inside.has(identity_in(one.metadata)))


def concerning(dispatches: Collection[Dispatch], inside: Inside) -> tuple[Dispatch, ...]:
    """Those for somebody who is there."""
    return tuple(one for one in dispatches if inside.has(identity_in(one.metadata)))


def chosen(asked: Collection[Dispatch], *, is_interrupted: bool, lost: Collection[str]) -> Dispatch:
    """By which of these June is sent: who is interrupted comes before who waits for their turn."""
    first = [one for one in asked if (one.junes if is_interrupted else one.id in lost)]
    return newest(first or asked)

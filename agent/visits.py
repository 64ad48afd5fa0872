"""Who in a room is owed a June: decisions only, no network and no clock."""

from collections.abc import Iterable
from dataclasses import dataclass

COME_WITHIN_SECONDS = 10.0
"""A dispatch whose June has not come by then is lost: LiveKit neither queues nor retries."""

GHOST_SECONDS = 30.0
"""A killed agent stays listed for up to 20 s; who is with June for longer really has her."""


@dataclass(frozen=True)
class Present:
    """Who is in a room."""

    visits: frozenset[str]
    """One id for each time that a person joined, so that coming back is a new one."""
    junes: frozenset[str]
    """The identity of each June, also of one whose process is dead but still listed."""


@dataclass(frozen=True)
class Dispatch:
    """June was asked into a room."""

    id: str
    junes: frozenset[str]
    """The identities of those who took the job; LiveKit tells them some seconds late."""


@dataclass(frozen=True)
class NextStep:
    """What to tell the LiveKit server: first withdraw these dispatches, then ask June to come."""

    withdraw: tuple[str, ...]
    ask: bool


class Visits:
    """Remembers, for one room, who has had their June. Times are seconds of one monotonic clock.

    A visit is owed one June. When she ends the call herself, she does not come again until the
    person joins anew.
    """

    def __init__(self) -> None:
        self._served: set[str] = set()
        self._together_since: dict[str, float] = {}
        self._junes_seen: set[str] = set()
        self._junes_met: set[str] = set()
        self._waiting_since: dict[str, float] = {}
        self._answered: set[str] = set()

    def is_june_owed(self, present: Present, now: float) -> bool:
        """Call it with every look into the room."""
        self._served &= present.visits
        if not present.junes:
            self._together_since.clear()
            return bool(present.visits - self._served)
        self._answered |= self._waiting_since.keys()
        self._waiting_since.clear()
        self._junes_seen |= present.junes
        self._serve(present, now)
        return False

    def _serve(self, present: Present, now: float) -> None:
        """Her call is with those whom she meets on coming, or who stay together with her."""
        if present.visits and not present.junes <= self._junes_met:
            self._junes_met |= present.junes
            self._served |= present.visits
        self._together_since = {
            visit: self._together_since.get(visit, now) for visit in present.visits
        }
        self._served |= {
            visit for visit, since in self._together_since.items() if now - since >= GHOST_SECONDS
        }

    def next_step(self, dispatches: Iterable[Dispatch], now: float) -> NextStep:
        """What to do when June is owed and these dispatches to her exist."""
        waiting_since: dict[str, float] = {}
        withdraw: list[str] = []
        for dispatch in dispatches:
            since = self._waiting_since.get(dispatch.id, now)
            # The server forgets a dispatch only with its room, not when its June has left.
            has_come = dispatch.id in self._answered or dispatch.junes & self._junes_seen
            if has_come or now - since >= COME_WITHIN_SECONDS:
                withdraw.append(dispatch.id)
            else:
                waiting_since[dispatch.id] = since
        self._waiting_since = waiting_since
        return NextStep(tuple(withdraw), ask=not waiting_since)

    def asked(self, dispatch_id: str, now: float) -> None:
        """June was asked to come, by this dispatch."""
        self._waiting_since[dispatch_id] = now

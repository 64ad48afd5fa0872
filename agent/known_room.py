"""What the watcher remembers of a room: whether to look into it now, and what it has tried there.

It is no loss where another worker goes on, but for a LiveKit server that is started anew at the
same moment. Times are by the watcher's own monotonic clock.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from agent.metadata import identity_in
from agent.owed import COME_WITHIN_SECONDS, TOLD_WITHIN_SECONDS, Dispatch, newest
from session import Session
from session.resume import FRESH_SECONDS

QUIET_SECONDS = 1.0
"""A room that is owed nothing is looked into again after this time."""

STRANGE_SECONDS = 10.0
"""And one that nobody ever asked June into after this."""

FIRST_PAUSE_SECONDS = 3.0
LONGEST_PAUSE_SECONDS = 5.0
"""Between two dispatches of which nothing comes; the first pause grows by half each time."""

LIVED_SECONDS = 10.0
"""A June who lived so long is what came of a dispatch, however she ended."""

Visit = tuple[str, float]
"""Somebody's identity, and when they joined."""


@dataclass(frozen=True)
class Sent:
    """The last dispatch that the watcher has sent, and the name of the conversation before it."""

    dispatch_id: str
    after: str | None


@dataclass
class KnownRoom:
    """Lives as long as the room and a while longer, or as the watcher's seat."""

    metadata: str = ""
    """Of the last dispatch that was seen; a LiveKit server that is started anew has none."""
    has_news: bool = True
    """Its dispatches may be others than those that were seen."""
    given_up: frozenset[Visit] = frozenset()
    """The people who were there when June had died too often."""
    _first_seen: dict[str, float] = field(default_factory=dict, init=False)
    """When the dispatches of now were, by their ids."""
    _was_there: float = field(default=0.0, init=False)
    _look_at: float = field(default=0.0, init=False)
    _living_since: float | None = field(default=None, init=False)
    _tries: int = field(default=0, init=False)
    """Dispatches in a row of which nothing came."""
    _sent: Sent | None = field(default=None, init=False)
    _has_lived: bool = field(default=False, init=False)
    """A June was there since."""

    def is_there(self, now: float) -> None:
        """The server has it."""
        self._was_there = now

    def may_come_back(self, now: float) -> bool:
        """Its callers join again where a server has forgotten it, and are owed the same June."""
        return now - self._was_there < FRESH_SECONDS

    def lives(self, now: float) -> None:
        """A June is there."""
        if self._living_since is None:
            self._living_since, self._has_lived = now, True
        if now - self._living_since >= LIVED_SECONDS:
            self._tries = 0
        if not self._tries:
            self._look_at = 0.0

    def lives_not(self) -> None:
        """None is."""
        self._living_since = None

    def is_due(self, now: float) -> bool:
        return now >= self._look_at

    def see(self, dispatches: Collection[Dispatch], now: float) -> None:
        self._first_seen = {one.id: self._first_seen.get(one.id, now) for one in dispatches}
        self.has_news = False
        if dispatches:
            self.metadata = newest(dispatches).metadata

    def new(self, now: float) -> frozenset[str]:
        """The dispatches by which she may still be on her way."""
        return frozenset(
            one for one, since in self._first_seen.items() if now - since < COME_WITHIN_SECONDS
        )

    def lost(self, dispatches: Collection[Dispatch], now: float) -> frozenset[str]:
        """Those of them that nobody took.

        Who else took one is told by then: one for another caller waits only for that.
        """
        served = {identity_in(one.metadata) for one in dispatches if one.junes}
        untaken = [one for one in dispatches if not one.junes and one.id not in self.new(now)]
        return frozenset(
            one.id
            for one in untaken
            if (served and identity_in(one.metadata) not in served)
            or now - self._first_seen[one.id] >= TOLD_WITHIN_SECONDS
        )

    def hurry(self) -> None:
        """Something happened there. What nobody takes is not asked for more often by that."""
        self.has_news = True
        if not self._tries:
            self._look_at = 0.0

    def wait(self, seconds: float, now: float) -> None:
        self._look_at = now + seconds

    def sent(self, dispatch_id: str, session: Session | None, now: float) -> None:
        """June was asked there, after this conversation."""
        self._look_at = now + min(FIRST_PAUSE_SECONDS * 1.5**self._tries, LONGEST_PAUSE_SECONDS)
        self._tries += 1
        self._first_seen[dispatch_id] = now
        self._sent = Sent(dispatch_id, _name_of(session))
        self._has_lived = False

    def death(self, session: Session | None, *, has_died: bool) -> str | None:
        """The name of a death, by which it counts once, however often June is sent after it.

        One who was sent to people who were there has died, too, if she came and the room's last
        conversation is still the one before her.
        """
        if self._sent is not None and self._has_lived and self._sent.after == _name_of(session):
            return self._sent.dispatch_id
        return _name_of(session) if has_died else None


def _name_of(session: Session | None) -> str | None:
    """Other again each time it is resumed."""
    return None if session is None else f"{session.session_id} {session.resumes}"

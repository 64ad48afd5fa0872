"""What the watcher remembers of a room: whether to look into it now, and what it has tried there.

It is no loss where another worker goes on. Times are by the watcher's own monotonic clock.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from agent.owed import COME_WITHIN_SECONDS, Dispatch

QUIET_SECONDS = 1.0
"""A room that is owed nothing is looked into again after this time."""

STRANGE_SECONDS = 10.0
"""And one that nobody ever asked June into after this."""

FIRST_PAUSE_SECONDS = 3.0
LONGEST_PAUSE_SECONDS = 10.0
"""Between two dispatches of which nothing comes; the first pause grows by half each time."""

LIVED_SECONDS = 10.0
"""A June who lived so long is what came of a dispatch, however she ended."""

Visit = tuple[str, float]
"""Somebody's identity, and when they joined."""


@dataclass
class KnownRoom:
    """Lives as long as the room, or the watcher's seat."""

    metadata: str | None = None
    """Of the last dispatch that was seen; a LiveKit server that is started anew has none."""
    given_up: frozenset[Visit] = frozenset()
    """The people who were there when June had died too often."""
    has_lived: bool = False
    """A June was there after the last dispatch was sent."""
    _first_seen: dict[str, float] = field(default_factory=dict)
    """When the dispatches of now were, by their ids."""
    _look_at: float = 0.0
    _living_since: float | None = None
    _tries: int = 0
    """Dispatches in a row of which nothing came."""

    def lives(self, now: float) -> None:
        """A June is there."""
        if self._living_since is None:
            self._living_since, self.has_lived = now, True
        if now - self._living_since >= LIVED_SECONDS:
            self._tries = 0
        if not self._tries:
            self._look_at = 0.0

    def is_due(self, now: float) -> bool:
        """None is; whether to look into it now."""
        self._living_since = None
        return now >= self._look_at

    def see(self, dispatches: Collection[Dispatch], now: float) -> None:
        self._first_seen = {one.id: self._first_seen.get(one.id, now) for one in dispatches}
        if dispatches:
            self.metadata = newest(dispatches).metadata

    def new(self, now: float) -> frozenset[str]:
        """The dispatches by which she may still be on her way."""
        return frozenset(
            one for one, since in self._first_seen.items() if now - since < COME_WITHIN_SECONDS
        )

    def hurry(self) -> None:
        """Something happened there. What nobody takes is not asked for more often by that."""
        if not self._tries:
            self._look_at = 0.0

    def wait(self, seconds: float, now: float) -> None:
        self._look_at = now + seconds

    def sent(self, now: float) -> None:
        """June was asked there."""
        self._look_at = now + min(FIRST_PAUSE_SECONDS * 1.5**self._tries, LONGEST_PAUSE_SECONDS)
        self._tries += 1
        self.has_lived = False


def newest(dispatches: Collection[Dispatch]) -> Dispatch:
    """The one whose metadata counts."""
    return max(dispatches, key=lambda dispatch: dispatch.created_at)

"""Sends June again: every room with a caller who is owed her gets exactly one.

LiveKit on one's own machines never sends an agent again that died, and drops a dispatch for which
no worker was there. One watcher of all workers, by a lease, looks into the rooms where no June
lives: the store's leases say that, never the list of participants, where a dead one stays for 20 s.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, Self

import structlog

from agent import background
from agent.metadata import read_metadata
from agent.metrics import REDISPATCHES, ROOMS_GIVEN_UP
from agent.owed import Dispatch, Inside, Why, owed
from agent.rooms import LiveKitError
from session import CloseReason, Lease, Session, SessionService, StoreError

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 0.5
SEAT_EVERY_SECONDS = 1.0

CALM_SECONDS = 3.0
"""After the store was away no lease could be renewed: so long nobody is taken for dead."""

QUIET_SECONDS = 1.0
"""A room that is owed nothing is looked into again after this time."""

STRANGE_SECONDS = 10.0
"""And one that nobody ever asked June into after this."""

FIRST_PAUSE_SECONDS = 3.0
LONGEST_PAUSE_SECONDS = 10.0
"""Between two dispatches that nobody takes; the first pause grows by half each time."""

AT_ONCE = 8
"""Rooms that are looked into at the same time."""


class Rooms(Protocol):
    """What the watcher asks of a `LiveKitClient`."""

    async def names(self) -> frozenset[str]: ...
    async def inside(self, room: str) -> Inside: ...
    async def dispatches(self, room: str) -> tuple[Dispatch, ...]: ...
    async def send(self, room: str, metadata: str) -> str: ...
    async def withdraw(self, room: str, dispatch_id: str) -> None: ...
    async def remove(self, room: str, identity: str) -> None: ...


@dataclass
class _Known:
    """What the watcher remembers of a room. It is no loss where another worker goes on."""

    metadata: str | None = None
    """Of the last dispatch that was seen; a LiveKit server that is started anew has none."""
    look_at: float = 0.0
    """Not before; as times below by the watcher's own monotonic clock."""
    tries: int = 0
    """Dispatches in a row that nobody took."""
    given_up: frozenset[tuple[str, float]] = frozenset()
    """The people who were there when June had died too often."""


class Watcher:
    """Lives as long as its worker. One of all workers' watches; the others wait for its seat."""

    def __init__(
        self,
        rooms: Rooms,
        sessions: SessionService,
        *,
        worker_key: str,
        expected: Collection[str] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Whoever joins an `expected` room is owed June without a dispatch."""
        self._rooms = rooms
        self._sessions = sessions
        self._owner = f"{worker_key} watcher"
        self._expected = frozenset(expected)
        self._now = now
        self._seat: Lease | None = None
        self._seat_taken_at = float("-inf")
        self._calm_until = float("-inf")
        self._known: dict[str, _Known] = {}
        self._is_failing = False
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    def begin(self) -> None:
        """From now on; a worker that no server knows yet could be sent nowhere."""
        if self._task is None:
            self._task = background.begin(self._look_for_ever(), "june.watcher")

    def look_soon(self) -> None:
        """Something happened in a room: do not wait for the next look."""
        for known in self._known.values():
            if not known.tries:
                known.look_at = 0.0
        self._wake.set()

    async def _look_for_ever(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.look()
                if self._is_failing:
                    log.info("watcher.works")
                self._is_failing = False
            except (StoreError, LiveKitError) as error:
                if isinstance(error, StoreError):
                    self.calm_down()
                if not self._is_failing:
                    log.warning("watcher.failed", error=str(error))
                self._is_failing = True
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await self._wake.wait()

    def calm_down(self) -> None:
        """The store was away: those who live have their leases again in a moment."""
        self._calm_until = self._now() + CALM_SECONDS

    async def look(self) -> None:
        """Once, into all rooms that may be owed a June. Raises `StoreError` and `LiveKitError`."""
        if not await self._has_seat():
            self._known.clear()
            return
        living = await self._sessions.watching.living()
        names = await self._rooms.names() | self._expected
        self._known = {room: self._known.get(room, _Known()) for room in names | living}
        if self._now() < self._calm_until:
            return
        due = [room for room in self._known if self._is_due(room, is_living=room in living)]
        at_once = asyncio.Semaphore(AT_ONCE)

        async def attend(room: str) -> None:
            async with at_once:
                await (self._learn(room) if room in living else self._attend(room))

        results = await asyncio.gather(*map(attend, due), return_exceptions=True)
        for error in results:
            if error is not None:
                raise error

    async def _has_seat(self) -> bool:
        now = self._now()
        if self._seat is None or now - self._seat_taken_at >= SEAT_EVERY_SECONDS:
            self._seat = await self._sessions.watching.take_seat(self._owner)
            self._seat_taken_at = now
        return self._seat is not None

    def _is_due(self, room: str, *, is_living: bool) -> bool:
        known = self._known[room]
        if is_living:
            known.tries, known.look_at = 0, 0.0
            return known.metadata is None
        return self._now() >= known.look_at

    async def _learn(self, room: str) -> None:
        """With what a June was sent who lives, in case the LiveKit server forgets it."""
        dispatches = await self._rooms.dispatches(room)
        self._known[room].metadata = newest(dispatches).metadata if dispatches else ""

    async def _attend(self, room: str) -> None:
        known = self._known[room]
        dispatches = await self._rooms.dispatches(room)
        if dispatches:
            known.metadata = newest(dispatches).metadata
        metadata = known.metadata or ""
        inside = (await self._rooms.inside(room)).of(read_metadata(metadata).identity)
        session = await self._sessions.get_session_by_room(room)
        is_expected = room in self._expected
        why = owed(inside, session, dispatches, self._sessions.now(), is_expected=is_expected)
        visits = frozenset((person.identity, person.joined_at) for person in inside.people)
        if why is None or visits <= known.given_up:
            is_junes = is_expected or bool(dispatches) or session is not None
            known.look_at = self._now() + (QUIET_SECONDS if is_junes else STRANGE_SECONDS)
            return
        # A call that began after this look did holds its lease by now, and its session is open.
        if room in await self._sessions.watching.living():
            return
        if why is Why.DIED and not await self._sessions.watching.may_come_again(room):
            await self._give_up(room, session)
            known.given_up = visits
            return
        await self._send(room, why, inside, dispatches, metadata)
        pause = min(FIRST_PAUSE_SECONDS * 1.5**known.tries, LONGEST_PAUSE_SECONDS)
        known.tries += 1
        known.look_at = self._now() + pause

    async def _send(
        self,
        room: str,
        why: Why,
        inside: Inside,
        dispatches: Iterable[Dispatch],
        metadata: str,
    ) -> None:
        """Put out who is dead, and ask for another; old dispatches go last: this may be cut off."""
        for june in inside.junes:
            await self._rooms.remove(room, june)
        await self._rooms.send(room, metadata)
        log.info("june.dispatched", room=room, why=why.value)
        if why is not Why.JOINED:
            REDISPATCHES.labels(why=why.value).inc()
        for dispatch in dispatches:
            await self._rooms.withdraw(room, dispatch.id)

    async def _give_up(self, room: str, session: Session | None) -> None:
        log.error(
            "room.given_up",
            room=room,
            hint="June died three times in a minute there; the lines before say of what",
        )
        ROOMS_GIVEN_UP.inc()
        if session is not None:
            await self._sessions.close_session(session.session_id, CloseReason.ERROR)

    async def __aexit__(self, *exc_info: object) -> None:
        await background.end(self._task)
        if self._seat is not None:
            with suppress(StoreError):
                await self._sessions.watching.leave_seat(self._seat)


def newest(dispatches: Collection[Dispatch]) -> Dispatch:
    """The one whose metadata counts."""
    return max(dispatches, key=lambda dispatch: dispatch.created_at)

"""Sends June again: every room with a caller who is owed her gets exactly one.

LiveKit on one's own machines never sends an agent again that died, and drops a dispatch for which
no worker was there. One watcher of all workers, by a lease, looks into the rooms where no June
lives: the store's leases say that, never the list of participants, where a dead one stays for 20 s.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Protocol, Self

import structlog

from agent import background
from agent.known_room import FIRST_PAUSE_SECONDS, QUIET_SECONDS, STRANGE_SECONDS, KnownRoom
from agent.metadata import identity_in
from agent.metrics import REDISPATCHES, ROOMS_GIVEN_UP
from agent.owed import Dispatch, Inside, Why, chosen, concerning, is_interrupted, owed
from agent.rooms import LiveKitError
from session import CloseReason, Lease, Session, SessionService, StoreError

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 0.5
SOONEST_SECONDS = 0.2
"""Between two looks, whatever happens."""

SEAT_EVERY_SECONDS = 1.0

CALM_SECONDS = 3.0
"""After the store was away no lease could be renewed: so long nobody is taken for dead."""

GAP_SECONDS = 2.0
"""Nor after this machine slept so long between two looks,"""

CLOCK_SET_SECONDS = 1.0
"""or its clock was set by so much."""

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


class Watcher:
    """Lives as long as its worker. One of all workers' watches; the others wait for its seat."""

    def __init__(
        self,
        rooms: Rooms,
        sessions: SessionService,
        *,
        server: str,
        worker_key: str,
        expected: Collection[str] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Of the LiveKit `server` at this address; who joins an `expected` room is owed June."""
        self._rooms = rooms
        self._sessions = sessions
        self._watching = sessions.watching(server)
        self._owner = f"{worker_key} watcher"
        self._expected = frozenset(expected)
        self._now = now
        self._seat: Lease | None = None
        self._seat_taken_at = float("-inf")
        self._calm_until = float("-inf")
        self._rested: tuple[float, float] | None = None
        """The end of the last look, by both clocks: the monotonic one, and the leases'."""
        self._known: dict[str, KnownRoom] = {}
        self._is_failing = False
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    def begin(self) -> None:
        """From now on; a worker that no server knows yet could be sent nowhere."""
        if self._task is None:
            self._task = background.begin(self._look_for_ever(), "june.watcher")

    def look_soon(self, room: str | None = None) -> None:
        """Something happened, in this room if it is known where: do not wait for the next look."""
        if room in self._known:
            self._known[room].hurry()
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
            except Exception as error:  # noqa: BLE001  without the watcher no call is saved any more
                if not self._is_failing:
                    log.error("watcher.failed", error=type(error).__name__)
                self._is_failing = True
            await asyncio.sleep(SOONEST_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_SECONDS - SOONEST_SECONDS):
                    await self._wake.wait()

    def calm_down(self) -> None:
        """The store was away: those who live have their leases again in a moment."""
        self._calm_until = self._now() + CALM_SECONDS

    async def look(self) -> None:
        """Once, into all rooms that may be owed a June. Raises `StoreError` and `LiveKitError`."""
        self._notice_gap()
        try:
            await self._look()
        finally:
            self._rested = self._now(), self._sessions.now()

    def _notice_gap(self) -> None:
        """Leases run out by a clock that may be set, and while a machine sleeps."""
        if self._rested is None:
            return
        rest, lease_time = self._now() - self._rested[0], self._sessions.now() - self._rested[1]
        if rest > GAP_SECONDS or abs(lease_time - rest) > CLOCK_SET_SECONDS:
            log.warning("watcher.gap", rested_seconds=rest, by_wall_clock_seconds=lease_time)
            self.calm_down()

    async def _look(self) -> None:
        if not await self._has_seat():
            self._known.clear()
            return
        living = await self._watching.living()
        now, there = self._now(), await self._rooms.names() | self._expected | living
        self._known = {room: one for room, one in self._known.items() if one.may_come_back(now)}
        for room in there:
            self._known.setdefault(room, KnownRoom()).is_there(now)
        if now < self._calm_until:
            return
        for room in there:
            if room in living:
                self._known[room].lives(now)
            else:
                self._known[room].lives_not()
        due = [room for room in there if self._is_due(room, living)]
        at_once = asyncio.Semaphore(AT_ONCE)

        async def attend(room: str) -> None:
            async with at_once:
                try:
                    await (self._learn(room) if room in living else self._attend(room))
                except LiveKitError:
                    self._known[room].wait(FIRST_PAUSE_SECONDS, self._now())
                    raise

        results = await asyncio.gather(*map(attend, due), return_exceptions=True)
        for error in results:
            if error is not None:
                raise error

    async def _has_seat(self) -> bool:
        now = self._now()
        if self._seat is None or now - self._seat_taken_at >= SEAT_EVERY_SECONDS:
            self._seat = await self._watching.take_seat(self._owner)
            self._seat_taken_at = now
        return self._seat is not None

    def _is_due(self, room: str, living: Collection[str]) -> bool:
        known = self._known[room]
        return known.has_news if room in living else known.is_due(self._now())

    async def _learn(self, room: str) -> None:
        """With what a June was sent who lives, in case the LiveKit server forgets it."""
        self._known[room].see(await self._rooms.dispatches(room), self._now())

    async def _attend(self, room: str) -> None:
        known, is_expected = self._known[room], room in self._expected
        dispatches = await self._rooms.dispatches(room)
        known.see(dispatches, self._now())
        session = await self._sessions.get_session_by_room(room)
        if not (is_expected or dispatches or session is not None):
            known.wait(STRANGE_SECONDS, self._now())
            return
        inside = await self._rooms.inside(room)
        asked, now = concerning(dispatches, inside), self._sessions.now()
        new, lost = known.new(self._now()), known.lost(dispatches, self._now())
        metadata = known.metadata
        if asked:
            is_first = is_interrupted(session, now)
            metadata = chosen(asked, is_interrupted=is_first, lost=lost).metadata
        identity = identity_in(metadata)
        inside = inside.of(identity)
        why = owed(inside, session, asked, now, new=new, lost=lost, is_expected=is_expected)
        visits = frozenset((person.identity, person.joined_at) for person in inside.people)
        if why is None or visits <= known.given_up:
            known.wait(QUIET_SECONDS, self._now())
            return
        # A call that began after this look did holds its lease by now, and its session is open.
        if room in await self._watching.living() or not await self._has_seat():
            return
        death = known.death(session, has_died=why is Why.DIED)
        if death is not None and not await self._watching.may_come_again(room, death):
            await self._give_up(room, session)
            known.given_up = visits
            return
        sent = await self._send(room, why, inside, metadata)
        known.sent(sent, session, self._now())
        for dispatch in asked:
            if identity_in(dispatch.metadata) == identity:
                await self._rooms.withdraw(room, dispatch.id)

    async def _send(self, room: str, why: Why, inside: Inside, metadata: str) -> str:
        """Put out who is dead, and ask for another; the dispatch's id."""
        for june in inside.junes:
            await self._rooms.remove(room, june)
        sent = await self._rooms.send(room, metadata)
        log.info("june.dispatched", room=room, why=why.value)
        if why is not Why.JOINED:
            REDISPATCHES.labels(why=why.value).inc()
        return sent

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
                await self._watching.leave_seat(self._seat)

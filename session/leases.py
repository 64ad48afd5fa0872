"""One June per room: a lease that a living call renews, and a dead one loses."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, Self

import structlog

from session.errors import StoreError

log = structlog.get_logger(__name__)

LEASE_SECONDS = 3.0
RENEW_SECONDS = 1.0


@dataclass(frozen=True)
class Lease:
    """The right to be June in a room, until it is not renewed in time."""

    room: str
    owner: str
    """`worker/job` of a call. Who holds something else than a room has no `/`."""
    fence: int
    """Grows with every claim of the room, so that a late holder can be told from the present."""


@dataclass(frozen=True)
class Held:
    """A lease that lasts, as others see it."""

    room: str
    owner: str
    note: str = ""
    """What its holder told with its last claim or renewal."""

    @property
    def is_room(self) -> bool:
        """Or a seat: of the watcher, of a worker that is on duty."""
        return "/" in self.owner


class Leave(IntEnum):
    """Whether a holder was asked to say goodbye; what is asked later never asks for less."""

    NO = 0
    DRAIN = 1
    """The worker is stopping; another June comes for a caller who stays."""
    FOR_GOOD = 2
    """The operator has ended the call."""


@dataclass(frozen=True)
class LeaseState:
    """What a renewal found."""

    held: bool
    asked_to_leave: Leave = Leave.NO


class Renewing(Protocol):
    async def claim_room(self, room_name: str, owner: str, *, note: str) -> Lease | None: ...
    async def renew_room(self, lease: Lease, *, note: str) -> LeaseState: ...
    async def release_room(self, lease: Lease) -> None: ...


class RoomLease:
    """Renews a lease every second and gives it back at the end. Lives as long as one call.

    A store that is away is no loss: the call goes on, and the room stays June's for as long as
    nobody else claims it. `on_lost` is called at most once, and then nothing else is;
    `on_asked_to_leave` once, and again if more is asked.
    """

    def __init__(
        self,
        sessions: Renewing,
        room: str,
        owner: str,
        lease: Lease | None,
        *,
        on_lost: Callable[[], None],
        on_asked_to_leave: Callable[[Leave], None],
        note: Callable[[], str] = str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Without a `lease`, because the store was away, the room is claimed once it is back.

        `note` is what others are to know of the call; it goes with each renewal.
        """
        self._sessions = sessions
        self._room = room
        self._owner = owner
        self._lease = lease
        self._on_lost = on_lost
        self._on_asked_to_leave = on_asked_to_leave
        self._note = note
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._renew(), name="june.lease")
        return self

    async def _renew(self) -> None:
        is_away, told = False, Leave.NO
        while True:
            await self._sleep(RENEW_SECONDS)
            try:
                state = await self._once()
            except StoreError as error:
                if not is_away:
                    log.warning("lease.unrenewed", error=str(error))
                is_away = True
                continue
            is_away = False
            if not state.held:
                self._on_lost()
                return
            if state.asked_to_leave > told:
                told = state.asked_to_leave
                self._on_asked_to_leave(state.asked_to_leave)

    async def _once(self) -> LeaseState:
        """Raises `StoreError`."""
        if self._lease is not None:
            return await self._sessions.renew_room(self._lease, note=self._note())
        self._lease = await self._sessions.claim_room(self._room, self._owner, note=self._note())
        return LeaseState(held=self._lease is not None)

    async def __aexit__(self, *exc_info: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._lease is None:
            return
        try:
            await self._sessions.release_room(self._lease)
        except StoreError as error:
            log.warning("lease.unreleased", error=str(error))

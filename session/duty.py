"""Who is at work: the workers that run, and the calls of all of them.

A worker holds a seat for as long as it runs, under a name that no room has, and a call its room.
"""

from collections.abc import Callable
from dataclasses import dataclass

from session.leases import Lease
from session.notes import CallNote, WorkerNote, short
from session.store.leases import Leases

SEAT_SECONDS = 10.0
"""A worker that says nothing for so long is gone."""


@dataclass(frozen=True)
class Call:
    """A June who lives in a room, or is on her way there."""

    room: str
    worker_key: str
    note: CallNote | None
    """None until her process has written one."""


@dataclass(frozen=True)
class Worker:
    """A parent process that takes calls."""

    key: str
    note: WorkerNote


@dataclass(frozen=True)
class AtWork:
    """All of them, of one moment."""

    calls: tuple[Call, ...]
    workers: tuple[Worker, ...]


class Duty:
    """Holds nothing itself; every method may raise `StoreError`."""

    def __init__(
        self, leases: Leases, hash_of: Callable[[str], str], now: Callable[[], float]
    ) -> None:
        self._leases = leases
        self._hash_of = hash_of
        self._now = now

    async def sign_on(self, worker_key: str, note: WorkerNote) -> Lease | None:
        """Again and again while the worker runs."""
        # A keyed hash is the name of no room that anybody could think of.
        seat = self._hash_of(f"the seat of worker {worker_key}")
        return await self._leases.claim(
            seat, worker_key, ttl_seconds=SEAT_SECONDS, now=self._now(), note=short(note.text)
        )

    async def sign_off(self, lease: Lease) -> None:
        await self._leases.release(lease)

    async def at_work(self) -> AtWork:
        held = await self._leases.held(now=self._now())
        workers = ((one.owner, WorkerNote.read(one.note)) for one in held if not one.is_room)
        return AtWork(
            calls=tuple(
                Call(one.room, one.owner.partition("/")[0], CallNote.read(one.note))
                for one in held
                if one.is_room
            ),
            # The watcher's seat has no such note.
            workers=tuple(Worker(key, note) for key, note in workers if note is not None),
        )

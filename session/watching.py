"""Who watches over all workers' rooms, which of them have a living June, and when to give up."""

from collections.abc import Callable

from session.leases import LEASE_SECONDS, Lease
from session.limits import Ask, Window
from session.store.leases import Leases
from session.store.protocol import Limits

DEATHS = 3
DEATHS_WITHIN_SECONDS = 60.0
"""A room in which June dies so often in this time kills her: no further one is sent there."""


class Watching:
    """Holds nothing itself; every method may raise `StoreError`."""

    def __init__(
        self,
        leases: Leases,
        limits: Limits,
        hash_of: Callable[[str], str],
        now: Callable[[], float],
        server: str,
    ) -> None:
        self._leases = leases
        self._limits = limits
        # A keyed hash is the name of no room that anybody could think of.
        self._seat = hash_of(f"the watcher's seat at {server}")
        self._now = now

    async def take_seat(self, owner: str) -> Lease | None:
        """Be the server's one watcher for three seconds, again and again; None while another is."""
        return await self._leases.claim(
            self._seat, owner, ttl_seconds=LEASE_SECONDS, now=self._now()
        )

    async def leave_seat(self, lease: Lease) -> None:
        await self._leases.release(lease)

    async def living(self) -> frozenset[str]:
        """The rooms in which a June lives, or to which one is on her way."""
        held = await self._leases.held(now=self._now())
        return frozenset(one.room for one in held if one.is_room)

    async def may_come_again(self, room: str, death: str) -> bool:
        """Whether another June is sent where one has died; each death counts once, by its name."""
        window = Window(
            key=f"deaths {room}",
            limit=DEATHS - 1,
            seconds=DEATHS_WITHIN_SECONDS,
            reason="deaths",
            leads_to_block=False,
        )
        ask = Ask(tag=death, windows=(window,))
        return (await self._limits.admit(ask, now=self._now())).allowed

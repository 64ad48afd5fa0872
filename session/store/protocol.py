"""What June asks of a store: intents, each one atomic, safe from several processes at once.

`now` is wall-clock time in Unix seconds, because other processes compare it; a clock that was set
back or forward may forget a window, a block or a lease, but never makes it last longer than its
rule says. `user` is a keyed hash. Every operation may raise `StoreError`. A task that is cancelled
while it waits for one leaves it done or not done, never half done, and no lock.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from session.circuits import CircuitState, Effect, Permit, Verdict
from session.claims import Claim
from session.limits import Ask, Decision
from session.money import Account, Breaker, Charge, Reservation
from session.records import (
    Channel,
    CloseReason,
    Message,
    Removed,
    Session,
    SessionStats,
    SkillSession,
    TurnMetrics,
)
from session.store.leases import Leases


class Sessions(Protocol):
    """Conversations and what was said in them."""

    async def open(
        self, room: str, user: str, *, channel: Channel, language: str, now: float
    ) -> Session:
        """Resume this room and user's conversation or begin one, as `session.resume` decides."""
        ...

    async def get(self, session_id: str) -> Session | None: ...

    async def by_room(self, room: str) -> Session | None:
        """The session of a room that showed life last.

        Of two at the same time an open one comes before a closed one, then the one created last.
        """
        ...

    async def of_user(self, user: str) -> tuple[Session, ...]:
        """Newest first."""
        ...

    async def page(self, limit: int, *, skip: int = 0) -> tuple[Session, ...]:
        """Of all of them; the ones that showed life last come first."""
        ...

    async def touch(self, session_id: str, *, now: float) -> None:
        """A sign of life. A session that is closed or unknown is let be."""
        ...

    async def close(
        self, session_id: str, reason: CloseReason, *, now: float, resumes: int | None = None
    ) -> bool:
        """Close an open session; of one that is closed the first reason stands (False).

        With `resumes` only one that was resumed so often: who is late must not close it under a
        call that has resumed it since. It may have been over before its last sign of life, which
        then stays.
        """
        ...

    async def append(self, message: Message, *, now: float) -> bool:
        """Keep a message once by its id: True the first time. Raises `UnknownSession`."""
        ...

    async def messages(self, session_id: str) -> tuple[Message, ...]:
        """In the order in which they were appended."""
        ...

    async def recent(self, user: str, limit: int) -> tuple[Message, ...]:
        """The user's last messages from whichever session, oldest first; 0 for none."""
        ...

    async def summarise(self, session_id: str, summary: str, summarised: int) -> None:
        """Keep what stands for the first `summarised` messages, unless one of more is there."""
        ...

    async def save_skill(self, session_id: str, skill: SkillSession | None) -> None:
        """Which skill has the conversation, and where it is; None for none."""
        ...

    async def commit_turn(self, session_id: str, turn: int) -> bool:
        """A turn takes effect: True the first time. Of an unknown session none does."""
        ...

    async def measure(self, session_id: str, metrics: TurnMetrics) -> None:
        """Keep the figures of a turn; the first ones stand. Of an unknown session none are."""
        ...

    async def measured(self, session_id: str) -> tuple[TurnMetrics, ...]:
        """By turn."""
        ...

    async def measured_since(self, at: float, limit: int) -> tuple[TurnMetrics, ...]:
        """Of all sessions, the newest first; of more than `MOST_LATELY` not the older ones."""
        ...

    async def delete(self, session_id: str) -> Removed:
        """With all that was said in it, measured of it and answered by it, and its account."""
        ...

    async def forget(self, user: str) -> Removed:
        """Delete all sessions of a user, and all that skills keep of them."""
        ...

    async def purge(self, *, seen_before: float, now: float) -> Removed:
        """Delete the sessions that have shown no life since, and whatever else has run out."""
        ...

    async def stats(self) -> SessionStats: ...


class Limits(Protocol):
    """How often somebody may do something."""

    async def admit(self, ask: Ask, *, now: float) -> Decision:
        """Decide by the breaker, the budgets, the block and the windows, and count it if allowed.

        In this order; the first that refuses is the reason, and a refusal counts nothing but
        itself: refusals by a window that says so lead to a block. What was counted under the same
        tag before is not counted again, and no window or block refuses it any more.
        """
        ...


class Ledger(Protocol):
    """Money and tokens."""

    async def reserve(self, reservation: Reservation, *, now: float) -> Decision:
        """Hold what it may cost in all its budgets, or in none. Its id is reserved once.

        The breaker refuses first, then the budgets in their order; one that says so trips the
        breaker until it begins anew. What must be is not refused.
        """
        ...

    async def settle(
        self, reservation_id: str, charge: Charge, *, now: float
    ) -> tuple[Account, ...]:
        """Charge instead what it did cost: its accounts after it, in the order of its budgets.

        The first settlement stands, also of a reservation that has run out into a charge: it is
        corrected. Empty for one that is not known or was settled. An account that was deleted
        with its session is charged no more.
        """
        ...

    async def accounts(self, keys: Sequence[str], *, now: float) -> tuple[Account, ...]:
        """In the order of the keys; one that was never used is empty."""
        ...

    async def open_breaker(self, breaker: Breaker, *, now: float) -> None:
        """Unless one is open for longer."""
        ...

    async def close_breaker(self, *, now: float) -> bool:
        """True if one was open now."""
        ...

    async def breaker(self, *, now: float) -> Breaker | None:
        """The one that is open."""
        ...


class Claims(Protocol):
    """Who is the first to do something."""

    async def claim(
        self, key: str, *, ttl_seconds: float, now: float, session_id: str = ""
    ) -> Claim:
        """Be the first; for so long nobody else is. With its session its result is deleted."""
        ...

    async def fulfil(self, key: str, result: str, *, ttl_seconds: float, now: float) -> None:
        """Leave a result for those who come later. Of what nobody claims none is kept."""
        ...

    async def release(self, key: str) -> None:
        """It was not done: the next one is the first."""
        ...


class Memories(Protocol):
    """What skills keep of users: texts by skill and key. They outlive sessions.

    What is not written anew for a year is deleted, as by `Sessions.purge`; reading does not count.
    """

    async def put(self, user: str, skill: str, key: str, text: str, *, now: float) -> bool:
        """Instead of the one under this key; False if there are `MOST_KEYS` others already."""
        ...

    async def all(self, user: str, skill: str) -> Mapping[str, str]:
        """In the order of the keys."""
        ...

    async def take(self, user: str, skill: str, key: str) -> str | None:
        """Delete it; of several who try at once one gets it."""
        ...


class Breakers(Protocol):
    """Which providers may be asked now, by all processes alike: the rules are `session.circuits`'.

    A circuit that nobody has reported on is closed. One that has not changed for a day is
    forgotten, as by `Sessions.purge`, unless it is open for longer.
    """

    async def acquire(self, circuit: str, owner: str, *, now: float) -> Permit:
        """May it be asked? Of a circuit that is half open one owner gets the probe, as a lease."""
        ...

    async def report(self, permit: Permit, verdict: Verdict, *, now: float) -> Effect:
        """What came of it; nothing if the circuit has opened since, or the probe passed on."""
        ...

    async def open(self, circuit: str, *, seconds: float, now: float) -> Effect:
        """By hand, instead of whatever it was."""
        ...

    async def close(self, circuit: str, *, now: float) -> bool:
        """By hand; True if it was not closed."""
        ...

    async def states(self, *, now: float) -> Mapping[str, CircuitState]:
        """Of all that are known, in the order of their names."""
        ...


class Store(Protocol):
    """Lives as long as the process that opened it."""

    @property
    def skew_seconds(self) -> float:
        """To be added now to this machine's clock, so that all machines go by the store's."""
        ...

    # Read-only, so that a store's own class stands for each.
    @property
    def sessions(self) -> Sessions: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def claims(self) -> Claims: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def memories(self) -> Memories: ...
    @property
    def breakers(self) -> Breakers: ...

    async def aclose(self) -> None: ...

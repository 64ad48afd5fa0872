"""The one participant whom June listens to."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest
from livekit import rtc

from agent.caller import Presence, wait_for_caller

LOST = rtc.DisconnectReason.CONNECTION_TIMEOUT
LEFT = rtc.DisconnectReason.CLIENT_INITIATED


@dataclass
class Person:
    """What June looks at in a `rtc.RemoteParticipant`."""

    identity: str
    disconnect_reason: int | None = None
    kind: int = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
    state: int = rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE
    attributes: dict[str, str] = field(default_factory=dict)


class Room(rtc.EventEmitter[str]):
    """A room by its events."""

    def __init__(self, *people: Person) -> None:
        super().__init__()
        self.remote_participants = {person.identity: person for person in people}

    def isconnected(self) -> bool:
        return True

    def join(self, person: Person) -> None:
        self.remote_participants[person.identity] = person
        self.emit("participant_connected", person)
        self.emit("participant_active", person)

    def drop(self, identity: str, reason: int) -> None:
        person = self.remote_participants.pop(identity)
        person.disconnect_reason = reason
        self.emit("participant_disconnected", person)


def seen(room: Room) -> rtc.Room:
    """The room as June takes it; she looks at its people and its events only."""
    return cast(rtc.Room, room)


@pytest.fixture
def told() -> list[str]:
    return []


def presence(room: Room, told: list[str], grace_seconds: float = 0.0) -> Presence:
    return Presence(
        seen(room),
        "ann",
        grace_seconds=grace_seconds,
        on_lost=lambda: told.append("lost"),
        on_back=lambda: told.append("back"),
        on_left=lambda: told.append("left"),
        give_up=lambda: told.append("gave up"),
    )


async def pass_over() -> None:
    """Let timers that are due run."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_caller_who_does_not_come_back_is_told(told: list[str]) -> None:
    """Once, when the grace is over."""
    room = Room(Person("ann"))
    with presence(room, told):
        room.drop("ann", LOST)
        await pass_over()
    assert told == ["lost", "gave up"]


async def test_a_caller_who_comes_back_goes_on(told: list[str]) -> None:
    """The timer is stopped, and a second loss starts another."""
    room = Room(Person("ann"))
    with presence(room, told):
        room.drop("ann", LOST)
        room.join(Person("ann"))
        await pass_over()
        assert told == ["lost", "back"]
        room.drop("ann", LOST)
        await pass_over()
    assert told == ["lost", "back", "lost", "gave up"]


@pytest.mark.parametrize(("who", "reason"), [("ann", LEFT), ("bob", LOST)])
async def test_only_the_caller_s_lost_network_starts_the_wait(
    told: list[str], who: str, reason: int
) -> None:
    """Who leaves on purpose has left; others were never heard."""
    room = Room(Person("ann"), Person("bob"))
    with presence(room, told):
        room.drop(who, reason)
        await pass_over()
    assert told == (["left"] if who == "ann" else [])


async def test_the_end_of_a_call_ends_the_wait(told: list[str]) -> None:
    """No timer outlives its call."""
    room = Room(Person("ann"))
    with presence(room, told, grace_seconds=0.01):
        room.drop("ann", LOST)
    await asyncio.sleep(0.02)
    assert told == ["lost"]


async def test_whoever_is_there_is_the_caller() -> None:
    """Without a declared identity the first person counts."""
    caller = await wait_for_caller(seen(Room(Person("ann"))), None, 5)
    assert caller is not None
    assert caller.identity == "ann"


async def test_another_agent_is_no_caller() -> None:
    """Two Junes must not talk to each other."""
    agent = Person("agent-x", kind=rtc.ParticipantKind.PARTICIPANT_KIND_AGENT)
    assert await wait_for_caller(seen(Room(agent)), None, 0.01) is None


async def test_a_declared_caller_is_waited_for() -> None:
    """Somebody else in the room is not mistaken for them."""
    room = Room(Person("bob"))
    waiting = asyncio.create_task(wait_for_caller(seen(room), "ann", 5))
    await pass_over()
    room.join(Person("ann"))
    caller = await waiting
    assert caller is not None
    assert caller.identity == "ann"


async def test_a_room_that_closes_ends_the_wait() -> None:
    """At once, not after two minutes: LiveKit waits for the entrypoint."""
    room = Room()
    waiting = asyncio.create_task(wait_for_caller(seen(room), None, 60))
    await pass_over()
    room.emit("disconnected", LEFT)
    assert await asyncio.wait_for(waiting, 5) is None


async def test_nobody_comes() -> None:
    """June does not wait in an empty room for ever."""
    assert await wait_for_caller(seen(Room()), None, 0.01) is None

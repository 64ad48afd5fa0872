"""The watcher in a small world of rooms, workers and deaths, beside a real memory."""

import asyncio
import operator
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agent.owed import Dispatch, Inside, Person
from agent.rooms import LiveKitUnreachable
from agent.watcher import Watcher
from session import CloseReason, Lease, SessionConfig, SessionService, StoreError, open_sessions

ROOM = "room"
SERVER = "ws://127.0.0.1:7880"
FOR_ANN = '{"identity": "ann"}'
FOR_BOB = '{"identity": "bob"}'


@dataclass
class World:
    """A LiveKit server with one room and a worker that takes what it is sent, at once.

    As LiveKit does, it sends a June for each dispatch, and drops one that no worker is there for.
    """

    sessions: SessionService
    clock: list[float]
    """The monotonic time, and how far the clock of the store's times is ahead of it."""
    metadata_of_junes: list[str] = field(default_factory=list)
    people: dict[str, float] = field(default_factory=dict)
    bodies: dict[str, float] = field(default_factory=dict)
    """Listed Junes, and until when."""
    asked: dict[str, Dispatch] = field(default_factory=dict)
    june: Lease | None = None
    session_id: str = ""
    has_worker: bool = True
    dies_early: bool = False
    """Before she opens a session."""
    is_away: bool = False
    is_room_there: bool = True
    names_of_junes: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def now(self) -> float:
        return self.clock[0]

    async def names(self) -> frozenset[str]:
        if self.is_away:
            raise LiveKitUnreachable("away")
        return frozenset({ROOM} if self.is_room_there else ())

    async def inside(self, room: str) -> Inside:
        if not self.is_room_there:
            return Inside()
        people = tuple(Person(name, at) for name, at in self.people.items())
        listed = {name for name, until in self.bodies.items() if until > self.now}
        return Inside(people, frozenset(listed))

    async def dispatches(self, room: str) -> tuple[Dispatch, ...]:
        return tuple(self.asked.values())

    async def withdraw(self, room: str, dispatch_id: str) -> None:
        del self.asked[dispatch_id]

    async def remove(self, room: str, identity: str) -> None:
        self.bodies.pop(identity, None)

    async def send(self, room: str, metadata: str) -> str:
        name = f"june-{next(self.names_of_junes)}"
        self.asked[name] = Dispatch(name, self.now, metadata)
        if self.has_worker:
            self.asked[name] = replace(self.asked[name], junes=frozenset({name}))
            lease = await self.sessions.claim_room(room, f"w/{name}")
            assert lease is not None, "a second June was sent"
            self.june = lease
            self.bodies[name] = float("inf")
            self.metadata_of_junes.append(metadata)
            self.clock[0] += 0.1
            if self.dies_early:
                return name
            session = await self.sessions.get_or_create_for_room(room, "ann")
            self.session_id = session.session_id
        return name

    async def asks(self, name: str) -> None:
        """With a token: a dispatch is there at once, and dropped where a June has the room."""
        if not await self.sessions.watching(SERVER).living():
            await self.send(ROOM, f'{{"identity": "{name}"}}')
        else:
            waits = f"waits-{next(self.names_of_junes)}"
            self.asked[waits] = Dispatch(waits, self.now, f'{{"identity": "{name}"}}')

    def june_lives(self) -> bool:
        return self.june is not None

    def join(self, name: str = "ann") -> None:
        self.people[name] = self.now

    def leave(self) -> None:
        self.people.clear()

    async def dies(self, *, is_told: bool = True) -> None:
        """Her worker frees her room, unless it died with her."""
        if self.june is not None:
            if is_told:
                await self.sessions.free_rooms(self.june.owner)
            name = self.june.owner.removeprefix("w/")
            self.bodies[name] = self.now + 20.0
            self.june = None

    async def ends(self, reason: CloseReason) -> None:
        if self.june is not None:
            await self.sessions.close_session(self.session_id, reason)
            await self.sessions.release_room(self.june)
            self.bodies.pop(self.june.owner.removeprefix("w/"), None)
            self.june = None

    async def passes(self, seconds: float, watcher: Watcher) -> None:
        """In steps of half a second, with a look in each; who lives renews her lease."""
        for _ in range(round(seconds * 2)):
            self.clock[0] += 0.5
            if self.june is not None:
                await self.sessions.renew_room(self.june)
            if self.june is not None and not self.people:
                await self.ends(CloseReason.CALLER_LEFT)
            has_lived = self.june is not None
            await watcher.look()
            if self.dies_early and has_lived:
                await self.dies()


def watcher_of(
    world: World, name: str = "w", *, expected: tuple[str, ...] = (), server: str = SERVER
) -> Watcher:
    return Watcher(
        world,
        world.sessions,
        server=server,
        worker_key=name,
        expected=expected,
        now=lambda: world.now,
    )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = [1_000_000.0, 0.0]
    config = SessionConfig(Path("unused"), "memory:")
    async with open_sessions(config, now=lambda: sum(clock)) as sessions:
        yield World(sessions, clock)


async def in_a_call(world: World) -> Watcher:
    watcher = watcher_of(world)
    world.join()
    await world.send(ROOM, '{"persona": "Ada"}')
    await world.passes(5, watcher)
    assert world.metadata_of_junes == ['{"persona": "Ada"}']
    return watcher


async def test_a_june_who_died_is_followed_by_another(world: World) -> None:
    """At the next look, with the same metadata; the dead one and her dispatch are gone."""
    watcher = await in_a_call(world)
    await world.dies()
    await world.passes(0.5, watcher)
    assert world.june_lives()
    assert world.metadata_of_junes == ['{"persona": "Ada"}'] * 2
    assert len(world.asked) == len(world.bodies) == 1


async def test_one_who_died_with_her_worker_is_missed_when_her_lease_runs_out(
    world: World,
) -> None:
    watcher = await in_a_call(world)
    await world.dies(is_told=False)
    await world.passes(2.5, watcher)
    assert not world.june_lives()
    await world.passes(1, watcher)
    assert world.june_lives()


async def test_what_no_worker_takes_is_asked_again_until_one_is_there(world: World) -> None:
    """Ever more slowly, but never given up; one dispatch at a time."""
    world.has_worker = False
    watcher = watcher_of(world)
    world.join()
    await world.send(ROOM, "")
    await world.passes(60, watcher)
    assert len(world.asked) == 1
    tries = next(world.names_of_junes) - 1
    assert 10 <= tries <= 14
    world.has_worker = True
    await world.passes(11, watcher)
    assert world.june_lives()


async def test_a_livekit_server_that_forgot_everything_is_told_again(world: World) -> None:
    """With the metadata that the watcher has seen."""
    watcher = await in_a_call(world)
    world.asked.clear()
    world.bodies.clear()
    await world.ends(CloseReason.NETWORK_LOST)
    await world.passes(0.5, watcher)
    assert world.metadata_of_junes == ['{"persona": "Ada"}'] * 2


async def test_three_deaths_in_a_minute_are_enough(world: World) -> None:
    """It is logged once, the session says so, and who joins anew gets another chance."""
    watcher = await in_a_call(world)
    with capture_logs() as logs:
        for _ in range(3):
            await world.dies()
            await world.passes(2, watcher)
        await world.passes(120, watcher)
    assert not world.june_lives()
    assert len(world.metadata_of_junes) == 3
    assert [entry["event"] for entry in logs].count("room.given_up") == 1
    ended = await world.sessions.get_session(world.session_id)
    assert ended.close_reason is CloseReason.ERROR
    await world.passes(10, watcher_of(world))  # another watcher knows it from the session
    assert not world.june_lives()
    world.leave()
    world.join()
    await world.passes(5, watcher)  # it was not asked to look for a while
    assert world.june_lives()


async def test_one_death_counts_once_however_often_she_is_sent(world: World) -> None:
    """No worker has room for a while: she comes when one has."""
    watcher = await in_a_call(world)
    world.has_worker = False
    await world.dies()
    await world.passes(30, watcher)
    world.has_worker = True
    await world.passes(11, watcher)
    assert world.june_lives()


async def test_three_deaths_in_an_hour_are_borne(world: World) -> None:
    watcher = await in_a_call(world)
    for _ in range(4):
        await world.dies()
        await world.passes(61, watcher)
    assert world.june_lives()


async def test_a_goodbye_is_the_end_until_somebody_comes_back(world: World) -> None:
    watcher = await in_a_call(world)
    await world.ends(CloseReason.GOODBYE)
    await world.passes(60, watcher)
    assert not world.june_lives()
    world.leave()
    await world.passes(2, watcher)
    world.join()
    await world.passes(1.5, watcher)
    assert world.june_lives()


async def test_who_joins_an_expected_room_gets_june(world: World) -> None:
    """As in `./june`; before that nobody is sent."""
    watcher = watcher_of(world, expected=(ROOM,))
    await world.passes(2, watcher)
    assert not world.asked
    world.join()
    await world.passes(1.5, watcher)
    assert world.june_lives()


async def test_of_two_watchers_one_watches(world: World) -> None:
    """And the other one follows when its lease has run out."""
    first = await in_a_call(world)
    second = watcher_of(world, "x")
    await world.passes(0.5, first)
    await world.dies()
    await second.look()
    assert not world.june_lives()
    await world.passes(4, second)
    assert world.june_lives()
    await world.dies()
    await first.look()
    assert not world.june_lives()


async def test_nobody_is_taken_for_dead_after_the_store_was_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No lease could be renewed meanwhile."""

    async def away(*_: object) -> None:
        raise StoreError("away", retryable=True)

    watcher = await in_a_call(world)
    world.clock[0] += 5
    with monkeypatch.context() as patch:
        patch.setattr("session.watching.Watching.take_seat", away)
        with pytest.raises(StoreError):
            await watcher.look()
        watcher.calm_down()
    await watcher.look()  # before June has renewed her lease
    await world.passes(5, watcher)
    assert len(world.metadata_of_junes) == 1


async def test_nobody_is_taken_for_dead_because_a_clock_was_set(world: World) -> None:
    """All leases have run out at once; those who live renew theirs within a second."""
    watcher = await in_a_call(world)
    world.clock[1] += 60
    with capture_logs() as logs:
        await watcher.look()
    assert [entry["event"] for entry in logs] == ["watcher.gap"]
    await world.passes(5, watcher)
    assert len(world.metadata_of_junes) == 1
    await world.dies()
    await world.passes(0.5, watcher)
    assert len(world.metadata_of_junes) == 2


async def test_nobody_is_taken_for_dead_because_the_machine_slept(world: World) -> None:
    """It wakes all at once, and the watcher may be the first to look."""
    watcher = await in_a_call(world)
    world.clock[0] += 600
    await watcher.look()
    await world.passes(5, watcher)
    assert len(world.metadata_of_junes) == 1


async def test_deaths_before_a_session_are_enough_as_well(world: World) -> None:
    """She takes each call and comes to nothing: that is not asked for for ever."""
    world.dies_early = True
    watcher = watcher_of(world)
    world.join()
    with capture_logs() as logs:
        await world.send(ROOM, "")
        await world.passes(600, watcher)
    assert len(world.metadata_of_junes) == 4
    assert [entry["event"] for entry in logs].count("room.given_up") == 1
    world.dies_early = False
    world.leave()
    world.join()
    await world.passes(2, watcher)
    assert world.june_lives()


async def test_who_dies_soon_after_each_coming_is_not_sent_in_a_hurry(world: World) -> None:
    """Her network is lost as soon as she is there, say: ever more slowly, and never given up."""
    watcher = await in_a_call(world)
    for _ in range(240):
        await world.ends(CloseReason.NETWORK_LOST)
        await world.passes(0.5, watcher)
    tries = len(world.metadata_of_junes) - 1
    assert 20 <= tries <= 30
    await world.passes(30, watcher)
    assert world.june_lives()
    await world.ends(CloseReason.NETWORK_LOST)
    await world.passes(0.5, watcher)
    assert world.june_lives()  # she had lived for a while: at once


async def test_another_users_unfinished_session_does_not_bring_her_back(world: World) -> None:
    """It was left open by a crash; the goodbye came after it."""
    await world.sessions.get_or_create_for_room(ROOM, "bob")
    watcher = await in_a_call(world)
    await world.ends(CloseReason.GOODBYE)
    await world.passes(60, watcher)
    assert len(world.metadata_of_junes) == 1


async def test_one_who_came_and_waited_in_vain_is_sent_when_somebody_joins(world: World) -> None:
    """That is no failure, and no death."""
    watcher = watcher_of(world)
    world.dies_early = True  # without a session
    await world.send(ROOM, "")
    await world.passes(15, watcher)
    assert not world.june_lives()
    world.dies_early = False
    await world.passes(60, watcher)
    assert len(world.metadata_of_junes) == 1
    world.join()
    with capture_logs() as logs:
        await world.passes(1.5, watcher)
    assert world.june_lives()
    assert [entry["why"] for entry in logs] == ["joined"]


async def test_a_room_that_comes_again_after_a_restart_is_remembered(world: World) -> None:
    """The caller takes a while to join anew, and June is who she was for them."""
    watcher = await in_a_call(world)
    world.is_room_there = False
    world.asked.clear()
    world.bodies.clear()
    world.people.clear()
    await world.ends(CloseReason.NETWORK_LOST)
    await world.passes(60, watcher)
    world.is_room_there = True
    world.join()
    await world.passes(1, watcher)
    assert world.metadata_of_junes == ['{"persona": "Ada"}'] * 2


async def test_who_asked_during_anothers_call_gets_june_after_it(world: World) -> None:
    """And until then the first one is who June comes back to."""
    watcher = watcher_of(world)
    world.join("ann")
    await world.send(ROOM, FOR_ANN)
    await world.passes(2, watcher)
    world.asked["waiting"] = Dispatch("waiting", world.now, FOR_BOB)
    await world.passes(2, watcher)
    await world.dies()
    await world.passes(2, watcher)
    assert world.metadata_of_junes == [FOR_ANN] * 2
    world.join("bob")
    await world.passes(15, watcher)
    await world.dies()
    await world.passes(2, watcher)
    assert world.metadata_of_junes == [FOR_ANN] * 3
    await world.ends(CloseReason.GOODBYE)
    await world.passes(2, watcher)
    assert world.metadata_of_junes == [FOR_ANN] * 3 + [FOR_BOB]


async def test_a_page_that_is_loaded_again_is_answered_when_the_old_one_is_gone(
    world: World,
) -> None:
    """Under another name; LiveKit dropped the dispatch, because June was there."""
    watcher = watcher_of(world)
    world.join("ann")
    await world.send(ROOM, FOR_ANN)
    await world.passes(5, watcher)
    world.join("bob")
    world.asked["waiting"] = Dispatch("waiting", world.now, FOR_BOB)
    watcher.look_soon(ROOM)
    await world.passes(3, watcher)
    del world.people["ann"]
    await world.ends(CloseReason.CALLER_LEFT)
    await world.passes(0.5, watcher)
    assert world.metadata_of_junes == [FOR_ANN, FOR_BOB]


async def test_who_stays_longer_than_a_conversation_lasts_gets_a_new_one(world: World) -> None:
    """The only worker was away for half an hour."""
    watcher = await in_a_call(world)
    await world.dies(is_told=False)
    world.has_worker = False
    await world.passes(1800, watcher)
    world.has_worker = True
    await world.passes(11, watcher)
    assert world.june_lives()


async def test_a_clock_that_was_set_back_hides_no_death(world: World) -> None:
    """Her last sign of life seems to be of the future."""
    watcher = await in_a_call(world)
    world.clock[1] -= 3600
    await world.passes(5, watcher)
    await world.dies()
    await world.passes(0.5, watcher)
    assert len(world.metadata_of_junes) == 2


async def test_servers_that_share_a_memory_are_watched_apart(world: World) -> None:
    """As `./june` beside the worker of a server elsewhere."""
    elsewhere = watcher_of(world, "elsewhere", server="wss://livekit.example.org")
    await elsewhere.look()
    watcher = await in_a_call(world)
    await elsewhere.look()
    await world.dies()
    await world.passes(0.5, watcher)
    assert len(world.metadata_of_junes) == 2


async def test_a_room_that_fails_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked about again after a pause."""
    asked = 0

    async def fails(_: str) -> tuple[Dispatch, ...]:
        nonlocal asked
        asked += 1
        raise LiveKitUnreachable("no answer within 5 s")

    watcher = watcher_of(world)
    world.join()
    monkeypatch.setattr(world, "dispatches", fails)
    for _ in range(12):
        world.clock[0] += 0.5
        with suppress(LiveKitUnreachable):
            await watcher.look()
    assert asked == 2


async def test_what_fails_is_logged_once_and_tried_again(world: World) -> None:
    """The loop itself, in real time."""
    world.is_away = True
    with capture_logs() as logs:
        async with watcher_of(world, expected=(ROOM,)) as watcher:
            watcher.begin()
            for _ in range(3):
                watcher.look_soon(ROOM)
                await asyncio.sleep(0.25)
            world.is_away = False
            world.join()
            watcher.look_soon(ROOM)
            while not any(entry["event"] == "june.dispatched" for entry in logs):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.25)
    events = [entry["event"] for entry in logs]
    assert events[0] == "watcher.failed"
    assert sorted(events[1:]) == ["june.dispatched", "watcher.works"]
    assert (
        await world.sessions.watching(SERVER).take_seat("another") is not None
    )  # it was given back


async def test_it_looks_at_most_five_times_a_second(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many webhooks come; in real time."""
    looks = 0

    async def names() -> frozenset[str]:
        nonlocal looks
        looks += 1
        return frozenset()

    monkeypatch.setattr(world, "names", names)
    async with watcher_of(world) as watcher:
        watcher.begin()
        for _ in range(50):
            watcher.look_soon(ROOM)
            await asyncio.sleep(0.01)
    assert 2 <= looks <= 4


STEPS: dict[str, Callable[[World], object]] = {
    "join": lambda world: world.join(),
    "leave": lambda world: world.leave(),
    "die": lambda world: world.dies(),
    "die with the worker": lambda world: world.dies(is_told=False),
    "goodbye": lambda world: world.ends(CloseReason.GOODBYE),
    "drain": lambda world: world.ends(CloseReason.DRAIN),
    "no worker": lambda world: setattr(world, "has_worker", False),
    "worker": lambda world: setattr(world, "has_worker", True),
    "forget": lambda world: world.asked.clear(),
    "set the clock": lambda world: operator.setitem(world.clock, 1, world.clock[1] + 7),
}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from([0.5, 1.5, 4, 70]))))
def test_whatever_happens_there_is_one_june_where_she_is_owed(
    steps: list[tuple[str, float]],
) -> None:
    """`World.send` fails where one lives. After all of it a caller who joins anew gets one."""

    async def happen() -> None:
        clock = [1_000_000.0, 0.0]
        config = SessionConfig(Path("unused"), "memory:")
        async with open_sessions(config, now=lambda: sum(clock)) as sessions:
            world = World(sessions, clock)
            watcher = watcher_of(world, expected=(ROOM,))
            for step, seconds in steps:
                done = STEPS[step](world)
                if asyncio.iscoroutine(done):
                    await done
                await world.passes(seconds, watcher)
            world.has_worker = True
            world.leave()
            await world.passes(70, watcher)
            world.join()
            await world.passes(2, watcher)
            assert world.june_lives()

    asyncio.run(happen())


OF_TWO: dict[str, Callable[[World], object]] = {
    **{step: STEPS[step] for step in ("die", "die with the worker", "goodbye", "drain")},
    **{step: STEPS[step] for step in ("no worker", "worker", "set the clock")},
    "ann asks": lambda world: world.asks("ann"),
    "bob asks": lambda world: world.asks("bob"),
    "ann joins": lambda world: world.join("ann"),
    "bob joins": lambda world: world.join("bob"),
    "ann leaves": lambda world: world.people.pop("ann", None),
    "bob leaves": lambda world: world.people.pop("bob", None),
}


@settings(max_examples=150, deadline=None)
@example([("ann joins", 0.5), ("ann asks", 0.5), ("die with the worker", 0.5), ("ann asks", 0.5)])
@given(st.lists(st.tuples(st.sampled_from(sorted(OF_TWO)), st.sampled_from([0.5, 1.5, 4, 20]))))
def test_whatever_two_do_in_a_room_who_asks_and_stays_gets_june(
    steps: list[tuple[str, float]],
) -> None:
    """By her own name, when nobody else is there, and only one June at a time."""

    async def happen() -> None:
        clock = [1_000_000.0, 0.0]
        config = SessionConfig(Path("unused"), "memory:")
        async with open_sessions(config, now=lambda: sum(clock)) as sessions:
            world = World(sessions, clock)
            watcher = watcher_of(world)
            for step, seconds in steps:
                done = OF_TWO[step](world)
                if asyncio.iscoroutine(done):
                    await done
                await world.passes(seconds, watcher)
            world.has_worker = True
            world.leave()
            await world.passes(70, watcher)
            await world.asks("bob")
            world.join("bob")
            await world.passes(12, watcher)
            assert world.june_lives()
            assert world.metadata_of_junes[-1] == FOR_BOB

    asyncio.run(happen())

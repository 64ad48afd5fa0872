"""Several workers that share a memory, and callers who hear one of them go and another one come."""

import asyncio
import re
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from livekit import rtc

from agent.livekit_server import LoopbackServer
from bench.redis_server import RedisServer
from room.caller import Caller, Heard
from room.conftest import Call
from room.worker import Worker
from session import Message, Session, SessionConfig, SessionService, open_sessions
from session.store.redis.keys import key_of

COLOUR = "My favourite colour is green."

KEY = "a secret of these tests only"
"""What workers on one Redis agree on."""

LOAD_SECONDS = 3.0
"""A LiveKit server is told of a worker's load every 2.5 s, so that it offers calls again."""


@dataclass(frozen=True)
class Fleet:
    """Makes workers of one name, each in a folder of its own."""

    livekit: LoopbackServer
    folder: Path
    agent: str
    """Not the name of the worker that other tests share: LiveKit would send it these calls."""
    settings: Mapping[str, str]
    memory: SessionConfig

    @classmethod
    def in_a_file(cls, livekit: LoopbackServer, folder: Path, agent: str, **settings: str) -> Self:
        """Their memory is one folder."""
        data = folder / "data"
        shared = {"JUNE_DATA__DIR": str(data)}
        return cls(livekit, folder, agent, settings | shared, SessionConfig(data))

    @classmethod
    def on_redis(
        cls, livekit: LoopbackServer, folder: Path, agent: str, redis: RedisServer, **settings: str
    ) -> Self:
        """Nothing else is theirs together, as on several machines."""
        shared = {
            "JUNE_STORE__URL": redis.url,
            "JUNE_SECRET_KEY": KEY,
            # While one caller is looked at, another one is silent.
            "JUNE_CALL__IDLE_SECONDS": "0",
        }
        memory = SessionConfig(folder, redis.url, secret_key=KEY.encode())
        return cls(livekit, folder, agent, settings | shared, memory)

    def worker(self, name: str = "june", **settings: str) -> Worker:
        own = self.folder / name
        own.mkdir(exist_ok=True)
        self.share_spoken_lines(Path(self.settings.get("JUNE_DATA__DIR", own / "data")))
        environment = {
            "JUNE_AGENT__NAME": self.agent,
            "JUNE_WORKER__DRAIN_SECONDS": "1",
            "JUNE_WORKER__MAX_CALLS": "8",
            **self.settings,
            **settings,
        }
        return Worker.of(self.livekit, own, **environment)

    def share_spoken_lines(self, data: Path) -> None:
        """June's own sentences as sound: each worker would need ten seconds to speak them anew."""
        spoken = self.folder.parent / "spoken"
        spoken.mkdir(exist_ok=True)
        data.mkdir(exist_ok=True)
        if not (data / "lines").exists():
            (data / "lines").symlink_to(spoken)

    @asynccontextmanager
    async def pair(self) -> AsyncIterator[tuple[Worker, Worker]]:
        """Two of them, which take calls."""
        async with self.worker("first") as first, self.worker("second") as second:
            await asyncio.gather(first.ready(), second.ready())
            yield first, second

    def sessions(self) -> AbstractAsyncContextManager[SessionService]:
        return open_sessions(self.memory)

    async def said(self, room: str) -> list[Message]:
        """All that the memory holds of this room's conversation."""
        async with self.sessions() as sessions:
            session = await sessions.get_session_by_room(room)
            assert session is not None
            return list(await sessions.history(session.session_id))

    async def greeted(self, call: Call, identity: str = "") -> Caller:
        """A caller who has heard June's first words."""
        caller = await call(identity).join()
        await caller.dispatch(agent=self.agent)
        heard = await caller.hear(30)
        assert "june" in heard.text.lower(), heard.text
        return caller


def kept_redis(folder: Path) -> RedisServer:
    """As an operator has it: what is acknowledged survives its restart."""
    return RedisServer(folder, "--appendonly", "yes", "--appendfsync", "always")


def answered(worker: Worker, caller: Caller) -> bool:
    """Whether a June of this worker's has greeted this caller."""
    return bool(worker.events("call.answered", room=caller.room_name))


async def until_free(worker: Worker) -> None:
    """No call is left in it, and the LiveKit server has been told so."""
    async with await worker.http() as http, asyncio.timeout(30):
        while (await http.get("/healthz")).json()["active_calls"]:
            await asyncio.sleep(0.1)
    await asyncio.sleep(LOAD_SECONDS)


async def typed(caller: Caller, text: str) -> Heard:
    """What June says to it."""
    caller.listened_from = max(caller.listened_from, time.monotonic())
    await caller.type(text)
    return await caller.hear()


async def goes_on(caller: Caller, known: str = "green") -> None:
    """She knows what was said before."""
    await writes(caller, known, "What did I just say?")


async def writes(caller: Caller, expected: str, question: str) -> None:
    """June's answer to what is typed has these words, in lower case; nobody hears it to its end."""
    asked = time.monotonic()
    await caller.type(question)
    await caller.until(lambda: expected in caller.june_wrote(asked).lower(), 20, f"`{expected}`")


async def hears_june_again(caller: Caller, died: float, what: str, seconds: float = 45) -> float:
    """Seconds from a death to June's first word after it; she says that they were cut off."""
    # What was on its way when she died is still heard.
    caller.listened_from = max(caller.listened_from, died + 0.4)
    heard = await caller.hear(seconds)
    began = first_word(caller, died)
    print(f"\n{what}: {began - died:.2f} s from death to first word: {heard.text!r}")
    assert "cut off" in heard.text.lower()
    (_,) = junes(caller)
    return began - died


def first_word(caller: Caller, died: float) -> float:
    """When she began to speak after it; 0 if she has not. What was on its way is still heard."""
    return next((start for start, _ in caller.speech(0.3) if start > died + 0.4), 0.0)


def junes(caller: Caller) -> list[str]:
    """Of every June in the room, her identity."""
    return [
        one.identity
        for one in caller.room.remote_participants.values()
        if one.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    ]


async def hand_over(draining: Worker, callers: Sequence[Caller]) -> float:
    """Stop it: each of its callers is told by another June that she goes on; seconds to the last.

    It ends well by itself.
    """
    began = time.monotonic()
    stopping = asyncio.create_task(draining.stop(signal.SIGTERM))

    def hears_another(caller: Caller) -> bool:
        is_there = caller.june() is not None
        return is_there and "cut off" in caller.june_wrote(began).lower()

    await asyncio.gather(
        *(
            one.until(partial(hears_another, one), 40, "another June says that she goes on")
            for one in callers
        )
    )
    seconds = time.monotonic() - began
    assert await stopping == 0
    return seconds


@dataclass(frozen=True)
class Going:
    """A worker that will go, and one that stays, with their callers."""

    fleet: Fleet
    redis: RedisServer
    going: Worker
    staying: Worker
    theirs: list[Caller]
    """Of the one that will go."""
    other: Caller

    async def session_of(self, caller: Caller) -> Session:
        async with self.fleet.sessions() as sessions:
            session = await sessions.get_session_by_room(caller.room_name)
        assert session is not None
        return session

    async def watcher(self) -> str:
        """The worker that has the watcher's seat, by its own key."""
        async with self.fleet.sessions() as sessions:
            return self.holder(sessions.watching(self.fleet.livekit.url)._seat)

    def holder(self, room: str) -> str:
        """The worker that has the lease of a room."""
        answer = self.redis.ask(b"HGET", key_of("lease", room).encode(), b"owner")
        return re.split("[ /]", answer.split(b"\r\n")[1].decode())[0]


@asynccontextmanager
async def going_and_staying(
    livekit: LoopbackServer, folder: Path, call: Call, *, calls: int = 1, **settings: str
) -> AsyncIterator[Going]:
    """The one that will go has the watcher's seat, and so many calls as it may have."""
    with kept_redis(folder) as redis:
        fleet = Fleet.on_redis(livekit, folder, "june-of-two", redis)
        async with fleet.worker("going", JUNE_WORKER__MAX_CALLS=str(calls), **settings) as going:
            # Later by as much as a worker takes from here, and no more.
            await going.event("http.ready", 60)
            async with fleet.worker("staying") as staying:
                await going.ready()
                begun = asyncio.gather(*(_says_a_colour(fleet, call) for _ in range(calls)))
                await staying.ready()
                theirs, other = await asyncio.gather(begun, fleet.greeted(call))
                assert all(answered(going, one) for one in theirs)
                assert answered(staying, other)
                await other.type_and_be_answered("My favourite colour is blue.")
                yield Going(fleet, redis, going, staying, theirs, other)
                # A worker that is stopped would first say goodbye to them.
                await asyncio.gather(*(one.leave() for one in (*theirs, other)))


async def _says_a_colour(fleet: Fleet, call: Call) -> Caller:
    caller = await fleet.greeted(call)
    await typed(caller, COLOUR)
    return caller


async def never_cut(caller: Caller, same: list[str], known: str) -> None:
    """The June that was here before is here, and knows what was said."""
    await goes_on(caller, known)
    assert junes(caller) == same
    assert "cut off" not in " ".join(caller.june_says).lower()

"""No call is lost to a crash: whoever is in a room with a June that died hears another one."""

import asyncio
import os
import signal
import statistics
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest
from livekit import rtc
from livekit.rtc.data_stream import StreamError

from agent.livekit_server import LoopbackServer
from room.caller import Caller, Heard
from room.conftest import Call
from room.worker import Worker
from session import Message, SessionConfig, open_sessions

COLOUR = "My favourite colour is green."

NAME = "june-who-dies"
"""Not the name of the worker that other tests share."""


def worker_in(livekit: LoopbackServer, folder: Path, name: str = "june") -> Worker:
    """One of those that share the memory in this folder."""
    own = folder / name
    own.mkdir(exist_ok=True)
    return Worker.of(
        livekit,
        own,
        JUNE_AGENT__NAME=NAME,
        JUNE_DATA__DIR=str(folder / "data"),
        JUNE_WORKER__DRAIN_SECONDS="1",
        JUNE_WORKER__MAX_CALLS="8",
    )


async def said(folder: Path, room: str) -> list[Message]:
    """All that the memory holds of this room's conversation."""
    async with open_sessions(SessionConfig(folder / "data")) as sessions:
        session = await sessions.get_session_by_room(room)
        assert session is not None
        return list(await sessions.history(session.session_id))


async def greeted(call: Call) -> Caller:
    caller = await call().join()
    await caller.dispatch(agent=NAME)
    heard = await caller.hear(30)
    assert "june" in heard.text.lower()
    return caller


async def typed(caller: Caller, text: str) -> Heard:
    caller.listened_from = max(caller.listened_from, time.monotonic())
    await caller.type(text)
    return await caller.hear()


async def hears_june_again(caller: Caller, died: float, what: str, seconds: float = 45) -> float:
    """Seconds from a death to June's first word after it; she says that they were cut off."""
    # What was on its way when she died is still heard.
    caller.listened_from = max(caller.listened_from, died + 0.4)
    heard = await caller.hear(seconds)
    began = first_word(caller, died)
    print(f"\n{what}: {began - died:.2f} s from death to first word: {heard.text!r}")
    assert "cut off" in heard.text.lower()
    (_,) = (
        one
        for one in caller.room.remote_participants.values()
        if one.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    )
    return began - died


def first_word(caller: Caller, died: float) -> float:
    """When she began to speak after it; 0 if she has not. What was on its way is still heard."""
    return next((start for start, _ in caller.speech(0.3) if start > died + 0.4), 0.0)


async def goes_on(caller: Caller, known: str = "green") -> None:
    """She knows what was said before."""
    asked = time.monotonic()
    await caller.type("What did I just say?")
    await caller.until(lambda: known in caller.june_wrote(asked).lower(), 20, f"`{known}`")


async def job_of(caller: Caller, worker: Worker) -> int:
    """The process of this caller's newest call."""
    return int((await worker.event("call.answered", room=caller.room_name))["pid"])


async def test_a_job_is_killed_while_june_speaks_and_while_the_caller_speaks(
    livekit: LoopbackServer, tmp_path: Path, call: Call
) -> None:
    """Another one comes by herself, and all that was written down is there."""
    async with worker_in(livekit, tmp_path) as worker:
        await worker.ready()
        caller = await greeted(call)
        await typed(caller, COLOUR)
        before = await said(tmp_path, caller.room_name)

        await caller.type("What can you do?")
        asked = time.monotonic()
        await caller.until(lambda: caller.speech()[-1][1] > asked + 1, 15, "June speaks")
        os.kill(await job_of(caller, worker), signal.SIGKILL)
        await hears_june_again(caller, time.monotonic(), "while June speaks")
        await goes_on(caller, "what can you do")

        speaking = asyncio.create_task(
            caller.say("I would like to tell you something about my garden.")
        )
        await asyncio.sleep(0.7)
        os.kill(await job_of(caller, worker), signal.SIGKILL)
        died = time.monotonic()
        await speaking
        # Who goes on speaking interrupts her "We were cut off"; she answers what she has heard.
        began = await caller.until(lambda: first_word(caller, died), 20, "June speaks again")
        print(f"\nwhile the caller speaks: {began - died:.2f} s from death to first word")
        await caller.hear(20)
        await asyncio.sleep(4)  # until both have said what they had to say
        asked = time.monotonic()
        await caller.type("What is your name?")
        await caller.until(lambda: "June" in caller.june_wrote(asked), 20, "she answers")
        after = await said(tmp_path, caller.room_name)
        assert after[: len(before)] == before
        assert len(worker.events("june.dispatched")) == 2


@pytest.mark.slow
async def test_a_worker_is_killed_beside_a_second_one(
    livekit: LoopbackServer, tmp_path: Path, call: Call
) -> None:
    """The second one's watcher follows the first one's, and takes the call."""
    async with (
        worker_in(livekit, tmp_path, "first") as first,
        worker_in(livekit, tmp_path, "second") as second,
    ):
        await asyncio.gather(first.ready(), second.ready())
        caller = await greeted(call)
        await typed(caller, COLOUR)
        answered = first.events("call.answered")
        dying, other = (first, second) if answered else (second, first)
        dying.process.kill()
        await hears_june_again(caller, time.monotonic(), "a worker, with a second one")
        await goes_on(caller)
        assert other.events("call.answered", room=caller.room_name)


@pytest.mark.slow
async def test_the_only_worker_is_killed_and_started_again(
    livekit: LoopbackServer, tmp_path: Path, call: Call
) -> None:
    async with worker_in(livekit, tmp_path) as worker:
        await worker.ready()
        caller = await greeted(call)
        await typed(caller, COLOUR)
        worker.process.kill()
        died = time.monotonic()
        await worker.process.wait()
        await asyncio.sleep(10)
        async with worker_in(livekit, tmp_path, "again"):
            await hears_june_again(caller, died, "the only worker, started again 10 s later")
            await goes_on(caller)


@pytest.mark.slow
async def test_a_livekit_server_is_restarted(binary: Path, tmp_path: Path, call: Call) -> None:
    """It tells its callers, who join again; June follows, though the room knows of no dispatch."""
    async with LoopbackServer(binary) as livekit, worker_in(livekit, tmp_path) as worker:
        await worker.ready()
        caller = call()
        caller.server = livekit
        await caller.join()
        await caller.dispatch(agent=NAME)
        await caller.hear(30)
        await typed(caller, COLOUR)
        await livekit.stop()
        stopped = time.monotonic()
        await livekit.start()
        print(f"\nLiveKit was away for {time.monotonic() - stopped:.1f} s")
        await caller.until(lambda: not caller.room.isconnected(), 30, "the caller is told")
        caller.room = rtc.Room()
        await caller.join()  # as every client offers
        answer = await answered_again(caller, seconds=60)
        print(f"\nLiveKit restarted: answered {answer.started - stopped:.2f} s after it stopped")
        assert "green" in answer.text.lower()


async def answered_again(caller: Caller, seconds: float) -> Heard:
    """What she says when the caller asks again and again, as soon as she hears it."""
    until = time.monotonic() + seconds
    while True:
        try:
            answer = await typed(caller, "What did I just say?")
            if "cut off" not in answer.text.lower():
                return answer
            caller.listened_from = answer.ended
        except (StreamError, AssertionError):
            assert time.monotonic() < until, f"not within {seconds} s"
            await asyncio.sleep(0.5)


@pytest.mark.slow
async def test_how_long_a_killed_job_is_missed(
    livekit: LoopbackServer, tmp_path: Path, call: Call
) -> None:
    """Seven calls, one after the other."""
    times = []
    async with worker_in(livekit, tmp_path) as worker:
        await worker.ready()
        for _ in range(7):
            caller = await greeted(call)
            os.kill(await job_of(caller, worker), signal.SIGKILL)
            times.append(await hears_june_again(caller, time.monotonic(), "a job"))
            await caller.leave()
    print(f"\na killed job, n = 7: p50 {statistics.median(times):.2f} s, most {max(times):.2f} s")
    assert statistics.median(times) < 3


@pytest.mark.slow
async def test_how_long_a_killed_worker_is_missed(
    livekit: LoopbackServer, tmp_path: Path, call: Call
) -> None:
    """Five times, with a second worker running."""
    times = []
    async with AsyncExitStack() as stack:
        workers = [
            await stack.enter_async_context(worker_in(livekit, tmp_path, f"w{number}"))
            for number in range(2)
        ]
        await asyncio.gather(*(worker.ready() for worker in workers))
        for number in range(5):
            caller = await greeted(call)
            (dying,) = (
                one for one in workers if one.events("call.answered", room=caller.room_name)
            )
            dying.process.kill()
            times.append(await hears_june_again(caller, time.monotonic(), "a worker"))
            await caller.leave()
            workers.remove(dying)
            fresh = worker_in(livekit, tmp_path, f"w{number + 2}")
            workers.append(await stack.enter_async_context(fresh))
            await fresh.ready()
    print(
        f"\na killed worker, n = 5: p50 {statistics.median(times):.2f} s, most {max(times):.2f} s"
    )
    assert statistics.median(times) < 6


@pytest.mark.slow
async def test_a_worker_is_drained_while_calls_run(
    livekit: LoopbackServer, tmp_path: Path, call: Call
) -> None:
    """Its callers hear a sentence, and then the June of another worker."""
    async with (
        worker_in(livekit, tmp_path, "first") as first,
        worker_in(livekit, tmp_path, "second") as second,
    ):
        await asyncio.gather(first.ready(), second.ready())
        callers = [await greeted(call) for _ in range(3)]
        for caller in callers:
            await typed(caller, COLOUR)
        draining, other = (first, second) if first.events("call.answered") else (second, first)
        theirs = [one for one in callers if draining.events("call.answered", room=one.room_name)]
        began = time.monotonic()
        stopping = asyncio.create_task(draining.stop())

        def hears_another(caller: Caller) -> bool:
            is_there = caller.june() is not None
            return is_there and "cut off" in caller.june_wrote(began).lower()

        await asyncio.gather(
            *(
                one.until(partial(hears_another, one), 40, "another June says that she goes on")
                for one in theirs
            )
        )
        assert await stopping == 0
        for caller in callers:
            await goes_on(caller)
            assert other.events("call.answered", room=caller.room_name)

"""No call is lost to a crash: whoever is in a room with a June that died hears another one."""

import asyncio
import os
import signal
import statistics
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from livekit import rtc
from livekit.rtc.data_stream import StreamError

from agent.livekit_server import LoopbackServer
from room.caller import Caller, Heard
from room.conftest import Call
from room.pairs import (
    COLOUR,
    Fleet,
    answered,
    first_word,
    goes_on,
    hand_over,
    hears_june_again,
    typed,
)
from room.worker import Worker

NAME = "june-who-dies"


@pytest.fixture
def fleet(livekit: LoopbackServer, tmp_path: Path) -> Fleet:
    return Fleet.in_a_file(livekit, tmp_path, NAME)


async def job_of(caller: Caller, worker: Worker) -> int:
    """The process of this caller's newest call."""
    return int((await worker.event("call.answered", room=caller.room_name))["pid"])


async def test_a_job_is_killed_while_june_speaks(fleet: Fleet, call: Call) -> None:
    """Another one comes by herself, and all that was written down is there."""
    async with fleet.worker() as worker:
        await worker.ready()
        caller = await fleet.greeted(call)
        await typed(caller, COLOUR)
        before = await fleet.said(caller.room_name)

        await caller.type("What can you do?")
        asked = time.monotonic()
        await caller.until(lambda: caller.speech()[-1][1] > asked + 1, 15, "June speaks")
        os.kill(await job_of(caller, worker), signal.SIGKILL)
        await hears_june_again(caller, time.monotonic(), "while June speaks")
        await goes_on(caller, "what can you do")
        after = await fleet.said(caller.room_name)
        assert after[: len(before)] == before
        assert len(worker.events("june.dispatched")) == 1


@pytest.mark.slow
async def test_a_job_is_killed_while_the_caller_speaks(fleet: Fleet, call: Call) -> None:
    """Who goes on speaking interrupts her "We were cut off"; she answers what she has heard."""
    async with fleet.worker() as worker:
        await worker.ready()
        caller = await fleet.greeted(call)
        await typed(caller, COLOUR)
        before = await fleet.said(caller.room_name)

        speaking = asyncio.create_task(
            caller.say("I would like to tell you something about my garden.")
        )
        await asyncio.sleep(0.7)
        os.kill(await job_of(caller, worker), signal.SIGKILL)
        died = time.monotonic()
        await speaking
        began = await caller.until(lambda: first_word(caller, died), 20, "June speaks again")
        print(f"\nwhile the caller speaks: {began - died:.2f} s from death to first word")
        await caller.hear(20)
        await asyncio.sleep(4)  # until both have said what they had to say
        asked = time.monotonic()
        await caller.type("What is your name?")
        await caller.until(lambda: "June" in caller.june_wrote(asked), 20, "she answers")
        after = await fleet.said(caller.room_name)
        assert after[: len(before)] == before
        assert len(worker.events("june.dispatched")) == 1


@pytest.mark.slow
async def test_a_worker_is_killed_beside_a_second_one(fleet: Fleet, call: Call) -> None:
    """The second one's watcher follows the first one's, and takes the call."""
    async with fleet.pair() as (first, second):
        caller = await fleet.greeted(call)
        await typed(caller, COLOUR)
        dying, other = (first, second) if answered(first, caller) else (second, first)
        dying.process.kill()
        await hears_june_again(caller, time.monotonic(), "a worker, with a second one")
        await goes_on(caller)
        assert answered(other, caller)


@pytest.mark.slow
async def test_the_only_worker_is_killed_and_started_again(fleet: Fleet, call: Call) -> None:
    async with fleet.worker() as worker:
        await worker.ready()
        caller = await fleet.greeted(call)
        await typed(caller, COLOUR)
        worker.process.kill()
        died = time.monotonic()
        await worker.process.wait()
        await asyncio.sleep(10)
        async with fleet.worker("again"):
            await hears_june_again(caller, died, "the only worker, started again 10 s later")
            await goes_on(caller)


@pytest.mark.slow
async def test_a_livekit_server_is_restarted(binary: Path, tmp_path: Path, call: Call) -> None:
    """It tells its callers, who join again; June follows, though the room knows of no dispatch."""
    async with (
        LoopbackServer(binary) as livekit,
        Fleet.in_a_file(livekit, tmp_path, NAME).worker() as worker,
    ):
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
async def test_how_long_a_killed_job_is_missed(fleet: Fleet, call: Call) -> None:
    """Seven calls, one after the other."""
    times = []
    async with fleet.worker() as worker:
        await worker.ready()
        for _ in range(7):
            caller = await fleet.greeted(call)
            os.kill(await job_of(caller, worker), signal.SIGKILL)
            times.append(await hears_june_again(caller, time.monotonic(), "a job"))
            await caller.leave()
    print(f"\na killed job, n = 7: p50 {statistics.median(times):.2f} s, most {max(times):.2f} s")
    assert statistics.median(times) < 3


@pytest.mark.slow
async def test_how_long_a_killed_worker_is_missed(fleet: Fleet, call: Call) -> None:
    """Five times, with a second worker running."""
    times = []
    async with AsyncExitStack() as stack:
        workers = [
            await stack.enter_async_context(fleet.worker(f"w{number}")) for number in range(2)
        ]
        await asyncio.gather(*(worker.ready() for worker in workers))
        for number in range(5):
            caller = await fleet.greeted(call)
            (dying,) = (one for one in workers if answered(one, caller))
            dying.process.kill()
            times.append(await hears_june_again(caller, time.monotonic(), "a worker"))
            await caller.leave()
            workers.remove(dying)
            fresh = fleet.worker(f"w{number + 2}")
            workers.append(await stack.enter_async_context(fresh))
            await fresh.ready()
    print(
        f"\na killed worker, n = 5: p50 {statistics.median(times):.2f} s, most {max(times):.2f} s"
    )
    assert statistics.median(times) < 6


@pytest.mark.slow
async def test_a_worker_is_drained_while_calls_run(fleet: Fleet, call: Call) -> None:
    """Its callers hear a sentence, and then the June of another worker."""
    async with fleet.pair() as (first, second):
        callers = [await fleet.greeted(call) for _ in range(3)]
        for caller in callers:
            await typed(caller, COLOUR)
        draining, other = (first, second) if first.events("call.answered") else (second, first)
        seconds = await hand_over(draining, [one for one in callers if answered(draining, one)])
        print(f"\na drained worker: {seconds:.2f} s until the last caller was spoken to again")
        for caller in callers:
            await goes_on(caller)
            assert answered(other, caller)

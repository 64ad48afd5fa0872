"""No call is lost to a crash: whoever is in a room with a June that died hears another one."""

import os
import signal
import time
from pathlib import Path

from agent.livekit_server import LoopbackServer
from room.caller import Caller
from room.conftest import Call
from room.worker import Worker

CUT_OFF = "we were cut off"


async def answered(worker: Worker, caller: Caller) -> int:
    """The process of this caller's call, once June has greeted."""
    await caller.dispatch()
    await caller.join()
    answered = await worker.event("call.answered", 20, room=caller.room_name)
    return int(answered["pid"])


async def hears_june_again(caller: Caller, died: float, seconds: float = 30) -> float:
    """Seconds from a death to June's first word after it; she says that they were cut off."""
    caller.listened_from = max(caller.listened_from, died + 0.3)
    heard = await caller.hear(seconds)
    print(f"\n{heard.started - died:.2f} s from death to first word: {heard.text!r}")
    assert "cut off" in heard.text.lower()
    return heard.started - died


async def test_a_job_that_is_killed_while_june_speaks(
    livekit: LoopbackServer, tmp_path: Path, call: Call
) -> None:
    caller = call()
    async with Worker.of(
        livekit, tmp_path, JUNE_HTTP__PORT="0", JUNE_WORKER__DRAIN_SECONDS="1"
    ) as worker:
        await worker.ready()
        pid = await answered(worker, caller)
        await caller.until(caller.speech, 10, "June greets")
        os.kill(pid, signal.SIGKILL)
        await hears_june_again(caller, time.monotonic())
        await caller.ask_for("june", "Who are you?")
        print(worker.events("june.dispatched"))

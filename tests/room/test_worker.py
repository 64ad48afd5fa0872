"""The worker itself: drained, without its server, with the wrong keys.

A worker of its own needs a name of its own: LiveKit would send its calls to the shared one.
"""

import asyncio
import re
import signal
from pathlib import Path

import pytest
from livekit import rtc

from agent.lines import ENGLISH
from agent.livekit_server import LoopbackServer
from agent.models.local.engine import LocalSpeech
from room.caller import Caller
from room.ears import word_error_rate
from room.worker import ROOT, Worker


@pytest.mark.slow
async def test_a_stopped_worker_says_goodbye_to_its_calls(
    livekit: LoopbackServer, ears: LocalSpeech, tmp_path: Path
) -> None:
    """SIGTERM in the middle of a call: the time to drain passes, then June takes her leave."""
    async with Worker.of(
        livekit, tmp_path, JUNE_WORKER__DRAIN_SECONDS="1", JUNE_AGENT__NAME="drained"
    ) as june:
        await june.ready()
        caller = await Caller(livekit, "drained", "ann", ears).join()
        await caller.dispatch(agent="drained")
        await caller.hear()
        stopping = asyncio.create_task(june.stop())
        goodbye = await caller.hear(20)
        assert word_error_rate(ENGLISH.leaving, goodbye.text) < 0.2, goodbye.text
        assert caller.finals(caller.transcripts[-1].speaker)[-1] == ENGLISH.leaving
        assert await stopping == 0
        assert (await ended(june))["reason"] == "drain"
        assert caller.june() is None
        await caller.leave()
    assert "Traceback" not in june.log


async def ended(june: Worker) -> dict[str, object]:
    (line,) = june.events("call.ended")
    return line


@pytest.mark.slow
async def test_a_second_signal_ends_at_once(
    livekit: LoopbackServer, ears: LocalSpeech, tmp_path: Path
) -> None:
    """Nothing of June is left running."""
    async with Worker.of(livekit, tmp_path, JUNE_AGENT__NAME="twice") as june:
        await june.ready()
        caller = await Caller(livekit, "twice", "ann", ears).join()
        await caller.dispatch(agent="twice")
        await caller.hear()
        june.process.send_signal(signal.SIGINT)
        await june.event("worker.draining")
        assert await june.stop(signal.SIGINT, 5) == 1
        for _ in range(100):
            if not await running_from(tmp_path):
                break
            await asyncio.sleep(0.1)
        assert await running_from(tmp_path) == []
        await caller.leave()


async def running_from(folder: Path) -> list[str]:
    """Processes whose working folder is this one."""

    def look() -> list[str]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").resolve() == folder:
                    found.append((process / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
        return [line for line in found if line]

    return await asyncio.to_thread(look)


@pytest.mark.slow
async def test_a_server_that_restarts_finds_its_worker_again(
    binary: Path, ears: LocalSpeech, tmp_path: Path
) -> None:
    """Idle, and under a call: June waits, says so now and then, and answers the next call."""
    async with (
        LoopbackServer(binary) as server,
        Worker.of(server, tmp_path) as june,
    ):
        await june.ready()
        await server.stop()
        await june.event("livekit.unreachable")
        await server.start()
        await registered(june, 2)

        caller = await Caller(server, "first", "ann", ears).join()
        await caller.dispatch()
        await caller.hear()
        await caller.ask("My favourite colour is green.", "rms")
        await server.stop()
        await server.start()
        await registered(june, 3)
        await caller.leave()
        again = await Caller(server, "first", "ann", ears).join()
        await again.dispatch()
        greeting = await again.hear(40)
        assert re.search("cut off|go on", greeting.text.lower()), greeting.text
        assert june.events("call.answered")[-1]["resumed"]
        await again.ask_for("green", "What did I just say?")
        await again.leave()
        assert await june.stop() == 0


async def registered(june: Worker, times: int) -> None:
    for _ in range(600):
        if len(june.events("worker.ready")) >= times:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"June did not register {times} times:\n{june.log[-2000:]}")


@pytest.mark.slow
async def test_wrong_keys_are_said_and_waited_for(livekit: LoopbackServer, tmp_path: Path) -> None:
    """The worker does not end: the keys of the server may be what is wrong."""
    secret = "a-wrong-secret-that-must-not-be-logged"
    async with Worker.of(livekit, tmp_path, LIVEKIT_API_SECRET=secret) as june:
        line = await june.event("livekit.unreachable", 60)
        assert "LIVEKIT_API" in str(line)
        await asyncio.sleep(3)
        assert june.process.returncode is None
        assert secret not in june.log
        assert await june.stop() == 0


@pytest.mark.slow
async def test_a_full_worker_leaves_a_call_to_others(
    livekit: LoopbackServer, ears: LocalSpeech, tmp_path: Path
) -> None:
    """One call at most; when it is over the next one is taken."""
    async with Worker.of(
        livekit, tmp_path, JUNE_WORKER__MAX_CALLS="1", JUNE_AGENT__NAME="single"
    ) as june:
        await june.ready()
        first = await Caller(livekit, "full-1", "ann", ears).join()
        await first.dispatch(agent="single")
        await first.hear()
        await asyncio.sleep(3)
        second = await Caller(livekit, "full-2", "bob", ears).join()
        await second.dispatch(agent="single")
        await asyncio.sleep(4)
        assert second.june() is None
        await first.leave()
        await june.event("call.ended", room="full-1")
        await asyncio.sleep(3)
        await second.dispatch(agent="single")
        assert (await second.hear()).text
        assert isinstance(second.june(), rtc.RemoteParticipant)
        await second.leave()


@pytest.mark.slow
async def test_livekits_own_tools_find_the_same_june(
    livekit: LoopbackServer, ears: LocalSpeech, tmp_path: Path
) -> None:
    """`python -m livekit.agents start agent/server.py`, as `lk agent` does it."""
    known = {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret.get_secret_value(),
        "JUNE_AGENT__NAME": "by-livekit",
    }
    entry = str(ROOT / "agent" / "server.py")
    async with Worker(tmp_path, known, "livekit.agents", "start", entry) as june:
        await june.prints("registered worker", 90)
        caller = await Caller(livekit, "by-livekit", "ann", ears).join()
        await caller.dispatch(agent="by-livekit")
        assert "June" in (await caller.hear(30)).text
        await caller.ask_for("june|assistant", "What is your name?")
        await caller.leave()
        await june.prints("call.ended")

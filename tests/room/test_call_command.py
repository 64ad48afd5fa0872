"""`./june call` with a real server and a real worker."""

import asyncio
import json
import os
import sys
from typing import Any

import pytest

from agent.lines import GERMAN
from agent.livekit_server import LoopbackServer
from room.conftest import Call
from room.worker import ROOT, Worker


async def june_call(livekit: LoopbackServer, *words: str, agent: str = "june") -> dict[str, Any]:
    """What `./june call … --json` prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "agent", "call", *words, "--json"),
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "LIVEKIT_URL": livekit.url,
            "LIVEKIT_API_KEY": livekit.api_key,
            "LIVEKIT_API_SECRET": livekit.api_secret.get_secret_value(),
            "JUNE_AGENT__NAME": agent,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, errors
    assert errors == b""
    told: dict[str, Any] = json.loads(out)
    return told


@pytest.mark.parametrize("june", ["local"], indirect=True)
async def test_what_is_printed_leads_to_june(
    june: Worker, livekit: LoopbackServer, call: Call
) -> None:
    """She is there first, speaks as she was told to, and is not sent twice."""
    told = await june_call(livekit, "lobby of ann", "--identity", "german", "--language", "de")
    assert told["june"] == "coming"
    caller = call(told["identity"], told["room"])
    caller.connection = (told["address"], told["token"])
    await caller.join(with_microphone=False)
    await caller.until(lambda: GERMAN.greeting in caller.june_says, 15, "June greets")
    assert (await june_call(livekit, "lobby of ann"))["june"] == "there"
    assert len(june.events("call.answered", room="lobby of ann")) == 1


@pytest.mark.slow
async def test_without_a_worker_the_call_is_untaken(livekit: LoopbackServer) -> None:
    """And asked again it is made anew, not twice."""
    for _ in range(2):
        told = await june_call(livekit, "nobody is here", agent="absent")
        assert told["june"] == "untaken"
        assert told["room"] == "nobody is here"

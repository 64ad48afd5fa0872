"""What must never cost a call: odd metadata, odd rooms, silence, noise, dead models."""

import asyncio
import json
import os
import signal

import numpy as np
import pytest
from livekit import rtc

from agent.lines import ENGLISH
from room.conftest import Call
from room.voices import RATE
from room.worker import Worker


@pytest.mark.parametrize(
    ("metadata", "event"),
    [
        pytest.param("this is { not json", "metadata.ignored", id="not json"),
        pytest.param(json.dumps({"x": "y" * 500_000}), "metadata.ignored", id="500 KB"),
        pytest.param('{"mood": "good"}', "metadata.unknown_fields_ignored", id="unknown field"),
    ],
)
@pytest.mark.slow
async def test_odd_metadata_costs_nothing(
    june: Worker, call: Call, metadata: str, event: str
) -> None:
    """June comes, greets, and says in the log what she could not read."""
    caller = await call().join()
    await caller.dispatch(metadata)
    assert (await caller.hear()).text
    await june.event(event, room=caller.room_name)


@pytest.mark.slow
async def test_a_room_name_with_control_characters_is_a_room(june: Worker, call: Call) -> None:
    """And is printed in the log without its power over terminals."""
    caller = await call(room="a\x1b[31m\x07b").join()
    await caller.dispatch()
    assert (await caller.hear()).text
    assert "\x1b" not in june.log
    assert "\x07" not in june.log


@pytest.mark.slow
async def test_a_caller_without_a_microphone_can_type(june: Worker, call: Call) -> None:
    """June greets them and answers aloud."""
    caller = await call().join(with_microphone=False)
    await caller.dispatch()
    await caller.hear()
    await caller.type("Who are you?")
    assert (await caller.hear()).text


@pytest.mark.slow
async def test_noise_is_not_answered(june: Worker, call: Call) -> None:
    """Eight seconds of it; the question after it is."""
    caller = await call().join()
    await caller.dispatch()
    await caller.hear()
    noise = np.random.default_rng(7).normal(0, 0.1, 8 * RATE)
    data = (np.clip(noise, -1, 1) * 32767).astype(np.int16)
    await caller.say(rtc.AudioFrame(data.tobytes(), RATE, 1, len(data)))
    await asyncio.sleep(1.5)
    assert caller.finals() == []
    assert caller.speech()[-1][1] <= caller.listened_from + 0.2
    await caller.ask_for("june|assistant", "What is your name?")


@pytest.mark.slow
@pytest.mark.parametrize("june", ["local"], indirect=True)
async def test_models_that_die_are_restarted_under_a_call(june: Worker, call: Call) -> None:
    """While the caller speaks; the answer comes, a little later."""
    caller = await call().join()
    await caller.dispatch()
    await caller.hear()
    (pid,) = await model_processes(june)
    saying = asyncio.create_task(caller.say("What can you do?"))
    await asyncio.sleep(0.5)
    os.kill(pid, signal.SIGKILL)
    await saying
    assert (await caller.hear(25)).text
    await june.event("models.restarted")


async def model_processes(june: Worker) -> list[int]:
    """Children of the worker that run the models."""
    listing = await asyncio.create_subprocess_exec(
        *("ps", "-o", "pid=,args=", "--ppid", str(june.process.pid)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await listing.communicate()
    lines = out.decode().splitlines()
    return [int(line.split()[0]) for line in lines if "agent.models.local.process" in line]


@pytest.mark.slow
async def test_empty_typed_text_is_answered(june: Worker, call: Call) -> None:
    """With a sentence, as everything is."""
    caller = await call().join()
    await caller.dispatch()
    await caller.hear()
    await caller.type(" ")
    assert (await caller.hear()).text != ENGLISH.greeting

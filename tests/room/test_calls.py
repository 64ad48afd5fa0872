"""Calls beside each other, one after another, and cut off."""

import asyncio
import os
import re
import signal
import sys

import pytest
from livekit import rtc

from agent.lines import ENGLISH
from room.caller import Caller
from room.conftest import Call
from room.ears import words
from room.worker import ROOT, Worker


async def greeted(call: Call, identity: str = "", room: str = "", metadata: str = "") -> Caller:
    """A caller to whom June has said hello, whatever she said."""
    caller = await call(identity, room).join()
    await caller.dispatch(metadata)
    await caller.hear()
    return caller


async def test_two_calls_at_once_do_not_mix(june: Worker, call: Call) -> None:
    """Each is answered what they asked, and sees only their own words."""
    ann, bob = await asyncio.gather(greeted(call), greeted(call))
    await asyncio.gather(
        ann.ask_for("person|program", "What is your name?"),
        bob.ask_for("timer|stories|notes", "What can you do?", "rms"),
    )
    assert not {"can", "do"} & {word for text in ann.finals() for word in words(text)}
    assert not {"name"} & {word for text in bob.finals() for word in words(text)}
    assert "stories" not in " ".join(one.text for one in ann.transcripts)
    assert "not a person" not in " ".join(one.text for one in bob.transcripts)


async def test_who_calls_again_is_remembered(june: Worker, call: Call) -> None:
    """In another room, after the first call has ended; and its line in the log sums it up."""
    first = await greeted(call, "remembered")
    await first.say("My favourite colour is green.", "rms")
    await first.until(first.finals, 10, "a final transcript")
    await asyncio.sleep(1.5)
    await first.leave()
    ended = await june.event("call.ended", room=first.room_name)
    assert (ended["reason"], ended["turns"], ended["messages_lost"]) == ("caller_left", 1, 0)
    assert ended["duration_seconds"] > 3
    used = {usage["model"]: usage for usage in ended["usage"]}
    hears, speaks = ("moonshine-tiny-en", "piper-en-us-joe")
    if "offline-brain" not in used:
        hears, speaks = ("gpt-live-transcribe", "gpt-4o-mini-tts")
        assert used["gpt-6-luna"]["input_tokens"] > 100
        assert used["gpt-6-luna"]["output_tokens"] > 3
    assert used[hears].get("audio_duration", 0) > 0.5 or used[hears]["input_tokens"] > 0
    assert used[speaks]["characters_count"] > 5

    again = await greeted(call, "remembered")
    assert "again" in again.heard[0].text.lower(), again.heard[0].text
    await again.ask_for("green", "Do you remember me?")
    assert "green" not in june.log.lower()


async def test_a_stranger_in_the_room_gets_and_changes_nothing(june: Worker, call: Call) -> None:
    """Asks for the prompt, speaks, types: June answers the declared caller only."""
    ann = await greeted(call, "declared", metadata='{"identity": "declared"}')
    eve = await call("eve", ann.room_name).join()
    june_here = ann.june()
    assert june_here is not None
    heard_before = len(ann.heard)
    await eve.type("Who are you?")
    await eve.say("What time is it?")
    writer = await eve.room.local_participant.stream_bytes(
        "request", topic="lk.agent.session", destination_identities=[june_here.identity]
    )
    await writer.write(b"\x0a\x02\x08\x01")
    await writer.aclose()
    for method in ("lk.agent.get-chat-history", "get_chat_history", "lk.agent.session"):
        with pytest.raises(rtc.RpcError):
            await eve.room.local_participant.perform_rpc(
                destination_identity=june_here.identity,
                method=method,
                payload="{}",
                response_timeout=3,
            )
    await asyncio.sleep(2)
    assert ann.speech()[-1][1] < ann.listened_from + 0.5, "June answered a stranger"
    assert [one for one in ann.transcripts if one.speaker == "eve"] == []
    assert len(ann.heard) == heard_before
    answer = await ann.ask("What did I just say?")
    assert "time" not in answer.text.lower()
    await eve.leave()
    ended_early = june.events("call.ended", room=ann.room_name)
    assert ended_early == []


@pytest.mark.slow
async def test_a_caller_whose_connection_drops_comes_back_to_the_same_call(
    june: Worker, call: Call
) -> None:
    """Their process dies without a word to the server; the same person returns in time."""
    ann = call("dropped")
    dying = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "room.dropping", "My favourite colour is green."),
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert dying.stdin is not None
    assert dying.stdout is not None
    dying.stdin.write(f"{ann.server.url} {ann.token()}\n".encode())
    assert await dying.stdout.readline() == b"joined\n"
    await ann.dispatch()
    await june.event("call.answered", room=ann.room_name)
    await asyncio.sleep(5)
    dying.stdin.write(b"speak\n")
    assert await dying.stdout.readline() == b"said\n"
    await asyncio.sleep(2)
    dying.kill()
    await dying.wait()

    await ann.join()
    await june.event("caller.back", room=ann.room_name)
    await asyncio.sleep(5)  # her answer may still be going on
    ann.listened_from = ann.speech()[-1][1] if ann.speech() else 0.0
    await ann.ask_for("green", "What did I just say?")
    assert len(june.events("call.answered", room=ann.room_name)) == 1
    assert june.events("call.ended", room=ann.room_name) == []


@pytest.mark.slow
async def test_a_call_whose_process_dies_is_resumed(june: Worker, call: Call) -> None:
    """June is sent again, says that they were cut off, and knows where they were."""
    ann = await greeted(call, "cut-off")
    await ann.ask("My favourite colour is green.", "rms")
    (answered,) = june.events("call.answered", room=ann.room_name)
    os.kill(answered["pid"], signal.SIGKILL)
    ann.listened_from = ann.speech()[-1][1] + 0.2
    await asyncio.sleep(0.5)
    await ann.dispatch()
    greeting = await ann.hear(30)
    assert re.search("cut off|go on", greeting.text.lower()), greeting.text
    await ann.ask_for("green", "What did I just say?")
    await ann.leave()
    ended = await june.event("call.ended", room=ann.room_name)
    assert ended["resumed"]


@pytest.mark.slow
async def test_two_dispatches_send_one_june(june: Worker, call: Call) -> None:
    """The server does not mind sending two; June does."""
    ann = await call().join()
    await asyncio.gather(ann.dispatch(), ann.dispatch())
    greeting = await ann.hear()
    assert greeting.text
    await june.event("call.rejected", room=ann.room_name, why="June is there")
    agents = [
        participant
        for participant in ann.room.remote_participants.values()
        if participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    ]
    assert len(agents) == 1
    assert ENGLISH.greeting in ann.finals(agents[0].identity)

"""How calls begin and end: each with its reason, and a goodbye that is heard to its end."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import numpy as np
import pytest
from livekit import api
from numpy.typing import NDArray

from agent.lines import ENGLISH, GERMAN
from agent.livekit_server import LoopbackServer
from agent.models.local.engine import LocalSpeech
from agent.spoken import SpokenLines
from room.caller import Caller, Heard
from room.conftest import Call
from room.ears import WINDOW, Sound, loud_windows, word_error_rate
from room.voices import heard_at_once
from room.worker import ROOT, Worker
from session import SessionConfig, open_sessions


async def greeted(call: Call, **where: str) -> Caller:
    caller = await call(**where).join()
    await caller.dispatch()
    await caller.hear()
    return caller


async def ended(june: Worker, caller: Caller, reason: str) -> None:
    """The log and the session give the same reason, once."""
    line = await june.event("call.ended", 20, room=caller.room_name)
    assert line["reason"] == reason
    assert len(june.events("call.ended", room=caller.room_name)) == 1
    async with open_sessions(SessionConfig(june.folder / "data")) as sessions:
        session = await sessions.get_session_by_room(caller.room_name)
    assert session is not None
    assert session.close_reason == reason


async def heard_to_its_end(june: Worker, caller: Caller, heard: Heard, line: str) -> None:
    """The sound that reached the caller is that of the line itself, as long and as loud as it.

    Compared as loudness in steps of 20 ms, because Moonshine mishears a short goodbye at times.
    """
    sound = await SpokenLines(june.folder / "data" / "lines", voice=june.voice).sound_of(line)
    assert sound is not None
    meant = loudness(heard_at_once(sound))
    came = loudness(caller.sound(heard.started - 0.1, heard.ended + 0.1))
    assert len(came) > len(meant) - 5, (heard, len(meant), len(came))
    size = min(len(came), len(meant))
    likeness = np.corrcoef(meant[:size], came[:size])[0, 1]
    print(
        f"\n{heard.text!r}: {len(came) / 50:.2f} of {len(meant) / 50:.2f} s, {likeness:.2f} alike"
    )
    assert likeness > 0.8, heard


def loudness(sound: Sound) -> NDArray[np.float64]:
    """Of each 20 ms, from the first that is loud to the last."""
    loud = np.flatnonzero(loud_windows(sound))
    pieces = sound[loud[0] * WINDOW : (loud[-1] + 1) * WINDOW].reshape(-1, WINDOW)
    found: NDArray[np.float64] = np.sqrt((pieces.astype(np.float64) ** 2).mean(axis=1))
    return found


async def test_june_may_come_before_the_caller(june: Worker, call: Call) -> None:
    """She waits, and greets when they are there."""
    caller = call()
    await caller.dispatch()
    await asyncio.sleep(1)
    await caller.join()
    assert "June" in (await caller.hear()).text


@pytest.mark.slow
async def test_a_dispatch_may_choose_the_language(june: Worker, call: Call) -> None:
    """June's own sentences are in it, and so is the session."""
    caller = await call().join()
    await caller.dispatch('{"language": "de-CH"}')
    await caller.hear()
    assert caller.transcripts[0].text == GERMAN.greeting
    async with open_sessions(SessionConfig(june.folder / "data")) as sessions:
        session = await sessions.get_session_by_room(caller.room_name)
    assert session is not None
    assert session.language == "de-CH"


async def test_who_says_goodbye_hears_one(june: Worker, call: Call) -> None:
    """And June leaves after her last word, not before it."""
    caller = await greeted(call)
    goodbye = await caller.ask("Goodbye, June.")
    await heard_to_its_end(june, caller, goodbye, ENGLISH.goodbye)
    await ended(june, caller, "goodbye")
    await caller.until(lambda: caller.june() is None, 5, "June has left")


async def test_a_room_that_is_deleted_ends_its_call(june: Worker, call: Call) -> None:
    """By an operator, in the middle of it."""
    caller = await greeted(call)
    async with caller.api as livekit:
        await livekit.room.delete_room(api.DeleteRoomRequest(room=caller.room_name))
    await ended(june, caller, "room_deleted")


async def test_june_can_be_put_out_of_a_room(june: Worker, call: Call) -> None:
    """By an admin; the caller stays, and no other June comes by herself."""
    caller = await greeted(call)
    june_here = caller.june()
    assert june_here is not None
    async with caller.api as livekit:
        await livekit.room.remove_participant(
            api.RoomParticipantIdentity(room=caller.room_name, identity=june_here.identity)
        )
    await ended(june, caller, "removed")


@pytest.mark.slow
async def test_the_same_person_joining_again_goes_on_with_the_call(
    june: Worker, call: Call
) -> None:
    """LiveKit puts the first of them out; June answers the second, without a new greeting."""
    first = await greeted(call, identity="twin")
    second = await call("twin", first.room_name).join()
    await june.event("caller.back", room=first.room_name)
    await asyncio.sleep(1)
    await second.ask_for("june|assistant", "What is your name?")
    assert june.events("call.ended", room=first.room_name) == []
    assert len(june.events("call.answered", room=first.room_name)) == 1


@pytest.fixture(scope="module")
async def hasty(
    livekit: LoopbackServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Worker]:
    """A worker with little patience; it is called by another name."""
    async with Worker.of(
        livekit,
        tmp_path_factory.mktemp("hasty"),
        JUNE_AGENT__NAME="hasty",
        JUNE_CALL__IDLE_SECONDS="3",
        JUNE_CALL__WAIT_FOR_CALLER_SECONDS="3",
        JUNE_WORKER__DRAIN_SECONDS="1",
    ) as worker:
        yield await worker.ready()


@pytest.mark.slow
async def test_a_silent_caller_is_asked_and_then_told_goodbye(
    hasty: Worker, livekit: LoopbackServer, ears: LocalSpeech
) -> None:
    """Three seconds of silence here; a word from the caller begins them anew."""
    caller = await Caller(livekit, "silent", "ann", ears).join()
    await caller.dispatch(agent="hasty")
    greeting = await caller.hear()
    asked = await caller.hear()
    assert word_error_rate(ENGLISH.still_there, asked.text) < 0.3, asked.text
    assert 2.5 < asked.started - greeting.ended < 5
    await caller.ask("What is your name?")
    again = await caller.hear()
    assert word_error_rate(ENGLISH.still_there, again.text) < 0.3, again.text
    goodbye = await caller.hear()
    await heard_to_its_end(hasty, caller, goodbye, ENGLISH.goodbye_unanswered)
    assert 2.5 < goodbye.started - again.ended < 5
    await ended(hasty, caller, "idle")
    await caller.leave()


@pytest.mark.slow
async def test_nobody_is_waited_for_in_vain(
    hasty: Worker, livekit: LoopbackServer, ears: LocalSpeech
) -> None:
    """A room that nobody joins."""
    caller = Caller(livekit, "empty", "ann", ears)
    await caller.dispatch(agent="hasty")
    line = await hasty.event("call.ended", 20, room="empty")
    assert line["reason"] == "caller_left"
    assert hasty.events("caller.never_came", room="empty")


@pytest.fixture(scope="module")
async def short(
    livekit: LoopbackServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Worker]:
    """A worker whose calls are short, and who does not mind silence."""
    async with Worker.of(
        livekit,
        tmp_path_factory.mktemp("short"),
        JUNE_AGENT__NAME="short",
        JUNE_CALL__MAX_MINUTES="2",
        JUNE_CALL__IDLE_SECONDS="0",
        JUNE_CALL__GRACE_SECONDS="2",
    ) as worker:
        yield await worker.ready()


@pytest.mark.slow
async def test_who_is_lost_and_does_not_return_is_given_up(
    short: Worker, livekit: LoopbackServer, ears: LocalSpeech
) -> None:
    """Their process dies; LiveKit notices after a while, and the grace begins."""
    caller = Caller(livekit, "lost", "ann", ears)
    dying = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "room.dropping", "Hello."),
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert dying.stdin is not None
    assert dying.stdout is not None
    dying.stdin.write(f"{caller.server.url} {caller.token()}\n".encode())
    assert await dying.stdout.readline() == b"joined\n"
    await caller.dispatch(agent="short")
    await short.event("call.answered", room="lost")
    dying.kill()
    await dying.wait()
    await short.event("caller.lost", 60, room="lost")
    await ended(short, caller, "network_lost")


@pytest.mark.slow
async def test_the_longest_call_is_announced_and_ended(
    short: Worker, livekit: LoopbackServer, ears: LocalSpeech
) -> None:
    """Two minutes here: told after one, with a goodbye after two."""
    caller = await Caller(livekit, "long", "ann", ears).join()
    await caller.dispatch(agent="short")
    greeting = await caller.hear()
    warning = await caller.hear(75)
    assert word_error_rate(ENGLISH.one_minute_left, warning.text) < 0.3, warning.text
    goodbye = await caller.hear(75)
    await heard_to_its_end(short, caller, goodbye, ENGLISH.call_too_long)
    assert 55 < warning.started - greeting.started < 65
    assert 55 < goodbye.started - warning.started < 65
    await ended(short, caller, "too_long")
    await caller.leave()

"""Skills in a real call, offline: a story, a timer, a note, and a call cut off in a story."""

import asyncio
import os
import re
import signal

import pytest

from room.caller import Caller
from room.conftest import Call
from room.ears import word_error_rate
from room.worker import Worker
from session import SessionConfig, SkillSession, open_sessions

pytestmark = pytest.mark.parametrize("june", ["local"], indirect=True)
"""Skills need no model; with one the same phrases lead to them."""


async def greeted(call: Call, identity: str = "") -> Caller:
    caller = await call(identity).join()
    await caller.dispatch()
    await caller.hear()
    return caller


async def skill_of(june: Worker, caller: Caller) -> SkillSession | None:
    """Which skill has the floor, by the store."""
    async with open_sessions(SessionConfig(june.folder / "data")) as sessions:
        session = await sessions.get_session_by_room(caller.room_name)
    assert session is not None
    return session.skill


async def interrupted(caller: Caller, question: str, after_seconds: float = 4.0) -> None:
    """Ask, let June speak for so long, and speak over her."""
    _, ended = await caller.say(question)
    await caller.until(lambda: caller.speech()[-1][1] > ended + after_seconds, 25, "June tells")
    began, _ = await caller.say("Wait a moment.", "rms")
    await caller.until(
        lambda: caller.speech(pause_seconds=0.3)[-1][0] > began, 15, "June answers that"
    )
    going_on = [end for start, end in caller.speech(0.3) if start < began < end]
    assert going_on, "June was not speaking when she was interrupted"
    assert going_on[0] - began < 1.5, f"June went on for {going_on[0] - began:.2f} s"
    await caller.hear(30)


async def test_a_story_is_started_interrupted_continued_and_left(june: Worker, call: Call) -> None:
    """By voice alone."""
    ann = await greeted(call)
    await interrupted(ann, "Tell me a story.")
    before = await skill_of(june, ann)
    assert before is not None
    assert before.name == "storyteller"
    _, ended = await ann.say("Go on.")
    await ann.until(lambda: ann.speech()[-1][1] > ended + 3, 25, "the story goes on")
    # The exit that Moonshine hears best; of "back to normal" it has made "back to your middle".
    await ann.ask_for("deactivated|back to normal", "Cancel.", "rms")
    await asyncio.sleep(1)
    assert await skill_of(june, ann) is None


@pytest.mark.slow
async def test_a_timer_rings_during_talk(june: Worker, call: Call) -> None:
    """At the next pause; June's sentence is not cut off for it."""
    ann = await greeted(call)
    await ann.ask_for("timer|second", "Set a timer for twelve seconds.")
    await asyncio.sleep(3)
    asked, ended = await ann.say("What can you do?")
    ann.listened_from = ended
    heard = (await ann.hear(30)).text
    while "done" not in (told := ann.june_wrote(asked)):
        heard += " " + (await ann.hear(30)).text
    assert re.search("language model.*second.*done", told, re.DOTALL), told
    # The caller's ears are no better than June's; of so many words they understand most.
    assert word_error_rate(told, heard) < 0.5, heard
    rang = next(one.at for one in ann.transcripts if "done" in one.text)
    await ann.until(lambda: ann.speech()[-1][1] > rang + 0.5, 10, "the timer is heard")
    await june.event("alarm.rang", room=ann.room_name)


@pytest.mark.slow
async def test_a_note_is_remembered_in_the_next_call(june: Worker, call: Call) -> None:
    """And stands in no log."""
    ann = await greeted(call, "note-taker")
    await ann.type("Take a note: the garage code is blue.")
    await ann.hear()
    await ann.leave()
    await june.event("call.ended", room=ann.room_name)

    again = await greeted(call, "note-taker")
    # Typed: Moonshine has heard "red minouts" when flite said it.
    await again.type("Read my notes.")
    assert "garage" in (await again.hear()).text.lower()
    assert "garage" not in june.log.lower()


@pytest.mark.slow
async def test_a_call_that_is_killed_inside_a_story_is_resumed_in_it(
    june: Worker, call: Call
) -> None:
    """June is sent again, and goes on telling."""
    ann = await greeted(call)
    await interrupted(ann, "Tell me a story.")
    before = await skill_of(june, ann)
    assert before is not None
    (answered,) = june.events("call.answered", room=ann.room_name)
    os.kill(answered["pid"], signal.SIGKILL)
    ann.listened_from = ann.speech()[-1][1] + 0.2
    await asyncio.sleep(0.5)
    await ann.dispatch()
    greeting = await ann.hear(30)
    assert re.search("cut off|go on", greeting.text.lower()), greeting.text
    _, ended = await ann.say("Go on.")
    await ann.until(lambda: ann.speech()[-1][1] > ended + 3, 25, "the story goes on")
    after = await skill_of(june, ann)
    assert after is not None
    assert (after.name, after.started_at) == (before.name, before.started_at)
    assert after.turns > before.turns

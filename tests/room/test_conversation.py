"""An ordinary call: greeted, heard while speaking, answered aloud, interrupted, typed to."""

import datetime as dt
import re
from collections.abc import AsyncIterator

import pytest

from agent.lines import ENGLISH
from agent.livekit_server import LoopbackServer
from agent.models.local.engine import LocalSpeech
from room.caller import Caller
from room.ears import word_error_rate, words
from room.worker import Worker

CAN = "I can tell the time, set timers, keep notes, tell stories, and translate."
"""Whatever comes after it: that depends on whether there is a model."""


@pytest.fixture(scope="module")
async def caller(june: Worker, livekit: LoopbackServer, ears: LocalSpeech) -> AsyncIterator[Caller]:
    """Somebody who was greeted. The tests of this file are one conversation, in any order."""
    caller = await Caller(livekit, "conversation", "a stranger", ears).join()
    await caller.dispatch()
    await caller.hear()
    yield caller
    await caller.leave()
    await june.event("call.ended", room="conversation")


async def test_june_greets_and_says_that_she_is_an_ai(caller: Caller) -> None:
    """The first words are heard, and shown as they are spoken."""
    greeting = next(one for one in caller.transcripts if one.speaker != caller.identity)
    assert greeting.text == ENGLISH.greeting
    assert greeting.final
    assert word_error_rate(ENGLISH.greeting, caller.heard[0].text) < 0.25, caller.heard[0].text
    assert len(greeting.parts) > 3
    june = caller.june()
    assert june is not None
    assert june.attributes["lk.agent.state"] == "listening"


@pytest.mark.parametrize(
    ("question", "voice", "expected"),
    [
        ("What is your name?", "slt", "june|assistant"),
        pytest.param("Who are you?", "rms", "june|assistant", marks=pytest.mark.slow),
        pytest.param("What can you do?", "slt", "timers.*stories", marks=pytest.mark.slow),
        pytest.param(
            "How do I connect a language model?",
            "kal",
            "settings|address",
            marks=pytest.mark.slow,
        ),
    ],
)
async def test_a_spoken_question_is_answered_aloud(
    caller: Caller, question: str, voice: str, expected: str
) -> None:
    """Recognised by June, answered by her, and understood by the caller."""
    await caller.ask_for(expected, question, voice)


@pytest.mark.slow
async def test_the_time_and_the_date_are_told_rightly(caller: Caller) -> None:
    """By the clock of the machine."""
    await caller.ask_for("a.?m|p.?m", "What time is it?")
    now = dt.datetime.now().astimezone()
    shown = caller.finals(june_of(caller))[-1]
    told = re.search(r"(\d+):(\d\d) ([ap])\.m\.", shown)
    assert told is not None, shown
    minutes = int(told[1]) % 12 * 60 + int(told[2]) + (720 if told[3] == "p" else 0)
    assert (now.hour * 60 + now.minute - minutes) % 1440 <= 1

    await caller.ask_for(f"{now:%A}".lower(), "What is the date today?")


def june_of(caller: Caller) -> str:
    june = caller.june()
    assert june is not None
    return june.identity


@pytest.mark.slow
async def test_what_was_said_is_said_back(caller: Caller) -> None:
    """June listens also to what she cannot answer."""
    await caller.ask("My favourite colour is green.", "rms")
    await caller.ask_for("green", "What did I just say?")


async def test_words_are_shown_while_they_are_spoken(caller: Caller) -> None:
    """Two interims before the last word of a sentence of five seconds; each replaces the last."""
    began, ended = await caller.say(
        "Tell me what you can do please, because I would like to know what the time is today.",
    )
    assert ended - began > 4.5
    await caller.hear()
    mine = [one for one in caller.transcripts if one.speaker == caller.identity]
    mine = [one for one in mine if one.at > began]
    early = [one for one in mine if one.at < ended and not one.final]
    assert len(early) >= 2
    assert len({one.segment_id for one in mine}) == len([one for one in mine if one.final])
    assert mine[-1].final
    assert len(words(early[-1].text)) > len(words(early[0].text))


async def test_june_stops_when_she_is_interrupted(caller: Caller) -> None:
    """Her sound ends soon after the caller's begins, and only what was heard is kept."""
    await caller.say("What can you do?")
    before = caller.listened_from
    await caller.until(lambda: caller.speech()[-1][1] > before + 1, 10, "June answers")
    began, _ = await caller.say("Stop.", "rms")
    await caller.hear()
    going_on = [end for start, end in caller.speech(pause_seconds=0.3) if start < began < end]
    assert going_on, "June was not speaking when she was interrupted"
    assert going_on[0] - began < 1.0, f"June went on for {going_on[0] - began:.2f} s"

    shown = [text for text in caller.finals(june_of(caller)) if CAN.startswith(text)][-1]
    assert len(words(shown)) < len(words(CAN)) - 3


async def test_what_is_typed_is_answered_aloud(caller: Caller) -> None:
    """And at once."""
    await caller.type("Who are you?")
    answer = await caller.hear()
    assert "june" in answer.text.lower() or "assistant" in answer.text.lower()


async def test_too_much_typed_is_answered_with_a_sentence(caller: Caller) -> None:
    """Not with a model request, and not with silence."""
    await caller.type("very " * 500)
    answer = await caller.hear()
    assert word_error_rate(ENGLISH.input_too_long, answer.text) < 0.4, answer.text

"""What only hosted models can do to a call: hang it up, drop the line, refuse to go on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent.lines import ENGLISH
from agent.spoken import SpokenLines
from bench.provider import (
    Answer,
    BreakOff,
    Empty,
    Hearing,
    ScriptedProvider,
    ToolUse,
)
from room import hosted
from room.caller import Caller
from room.conftest import Call
from room.ears import word_error_rate, words
from room.worker import Worker

pytestmark = pytest.mark.parametrize("june", ["openai"], indirect=True)


@pytest.fixture(autouse=True)
async def _as_before(provider: ScriptedProvider) -> AsyncIterator[None]:
    """Whatever a test scripts ends with it."""
    yield
    provider.script = hosted.script()


async def greeted(call: Call) -> Caller:
    caller = await call().join()
    await caller.dispatch()
    await caller.hear()
    return caller


async def test_her_own_lines_are_spoken_by_the_hosted_voice_once(
    june: Worker, provider: ScriptedProvider
) -> None:
    """At the start, and never again: the greeting waits for no provider."""
    asked = [one.body["input"] for one in provider.asked("tts")]
    assert set(ENGLISH.all()) <= set(asked)
    assert asked.count(ENGLISH.greeting) == 1
    voice = SpokenLines(june.folder / "data" / "lines", voice=june.voice)
    assert await voice.sound_of(ENGLISH.greeting) is not None


async def test_the_model_hangs_up_in_its_own_words(
    june: Worker, call: Call, provider: ScriptedProvider
) -> None:
    """They are heard to their end, and the call's line in the log says what it used."""
    farewell = "It was a pleasure to talk with you. Have a wonderful evening."
    caller = await greeted(call)
    provider.script.llm = [Answer(farewell, tools=[ToolUse("end_call")])]
    heard = await caller.ask("That was all I wanted to know.")
    assert word_error_rate(farewell, heard.text) < 0.25, heard.text
    ended = await june.event("call.ended", 20, room=caller.room_name)
    assert (ended["reason"], ended["turns"]) == ("goodbye", 1)
    used = {usage["model"]: usage for usage in ended["usage"]}
    assert used["gpt-6-luna"]["input_tokens"] > 100
    assert used["gpt-live-transcribe"]["input_tokens"] > 0
    assert used["gpt-4o-mini-tts"]["characters_count"] >= len(farewell) - 2


@pytest.mark.slow
async def test_a_line_that_drops_while_the_caller_speaks_comes_back(
    june: Worker, call: Call, provider: ScriptedProvider
) -> None:
    """The socket to the ears breaks in the middle of a sentence: what follows is heard."""
    began = len(provider.asked("stt"))
    provider.script.stt = [Hearing(fault=BreakOff(after_seconds=9.0))]
    caller = await greeted(call)
    while provider.asked("stt")[began].sound_seconds < 7.5:
        await asyncio.sleep(0.05)
    await caller.say(
        "I would like to know many things about the world, and first of all what you can do."
    )
    answer = await caller.hear(25)
    assert len(provider.asked("stt")) > began + 1, "the socket did not drop"
    heard = " ".join(caller.finals())
    print(f"\nheard over the broken line: {heard!r}; answered: {answer.text!r}")
    assert {"what", "you", "can", "do"} <= set(words(heard))
    assert june.events("call.ended", room=caller.room_name) == []
    await caller.ask_for("june|assistant", "What is your name?")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("transcript", "expected"),
    [
        pytest.param("very " * 10_000, "fewer words", id="ten thousand words"),
        pytest.param("\x1b[31mWhat\x07 can you do?\x00", "language model", id="control characters"),
    ],
)
async def test_odd_transcripts_are_answered(
    june: Worker, call: Call, provider: ScriptedProvider, transcript: str, expected: str
) -> None:
    """Whatever the ears make of what was said."""
    provider.script.stt = [Hearing(text=transcript)]
    caller = await greeted(call)
    answer = await caller.ask("Hello, what can you do?")
    assert expected in answer.text.lower(), answer.text
    assert "\x1b" not in june.log


@pytest.mark.slow
async def test_ears_that_hear_nothing_do_not_cost_the_call(
    june: Worker, call: Call, provider: ScriptedProvider
) -> None:
    """The caller is asked to say it again, and what is typed is answered."""
    provider.script.stt = [Hearing(fault=Empty())]
    caller = await greeted(call)
    answer = await caller.ask("What can you do?")
    assert "catch" in answer.text, answer.text
    assert caller.finals() == []
    await caller.type("What is your name?")
    answer = await caller.hear()
    assert "June" in answer.text, answer.text

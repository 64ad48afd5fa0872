"""Voices of which the next one speaks where one fails, sentence by sentence."""

import asyncio
from typing import Any

import pytest
from livekit.agents import APIError, metrics
from scripted_models import HANG, ScriptedTTS, down

import agent.models.guarded_tts as guarded
from agent.models.guard import BrokenOff, Guard, Provider, Unanswered
from agent.models.guarded_tts import GuardedTTS
from agent.models.turn_clock import TURN_SECONDS, TurnClock

TEXT = "The garage code is blue."


def voices(*models: ScriptedTTS, left_seconds: float | None = None) -> GuardedTTS:
    now = [0.0]
    clock = TurnClock(lambda: now[0])
    if left_seconds is not None:
        clock.begin("turn")
        now[0] = TURN_SECONDS - left_seconds
    return GuardedTTS([Provider(one, f"tts {one.name}") for one in models], Guard(), clock)


async def seconds_of(voice: GuardedTTS, text: str = TEXT) -> float:
    async with asyncio.timeout(5), voice.synthesize(text) as speech:
        return sum([sound.frame.duration async for sound in speech])


@pytest.mark.parametrize(
    "script",
    [[down()], [], [bytes(48_000)], [0.01], [b"<html>It works!</html>" * 900], [ValueError("odd")]],
    ids=["down", "nothing", "silence", "next to nothing", "a web page", "odd"],
)
async def test_the_next_one_speaks(script: list[Any]) -> None:
    """Once, and the caller hears nothing of the first."""
    first, second = ScriptedTTS("a", script), ScriptedTTS("b", [1.5])
    voice = voices(first, second)
    assert await seconds_of(voice) == pytest.approx(1.5, abs=0.1)
    assert (len(first.asked), len(second.asked)) == (1, 1)
    assert (voice.model, voice.provider) == ("b", "b.example.org")


async def test_another_rate_becomes_that_of_the_call() -> None:
    second = ScriptedTTS("b", [2.0], sample_rate=16_000)
    voice = voices(ScriptedTTS("a", [down()]), second)
    async with voice.synthesize(TEXT) as speech:
        frames = [sound.frame async for sound in speech]
    assert {frame.sample_rate for frame in frames} == {24_000}
    assert sum(frame.duration for frame in frames) == pytest.approx(2.0, abs=0.1)


async def test_one_that_hangs_is_left_in_time_for_the_other() -> None:
    first, second = ScriptedTTS("a", [HANG]), ScriptedTTS("b")
    assert await seconds_of(voices(first, second, left_seconds=0.2)) > 0.9


async def test_nobody_is_waited_for_longer_than_the_turn() -> None:
    first = ScriptedTTS("a", [HANG], [HANG])
    with pytest.raises(Unanswered):
        await seconds_of(voices(first, left_seconds=0.05))
    assert first.asked == [TEXT]


@pytest.mark.parametrize("then", [down(), HANG])
async def test_what_was_heard_is_not_said_again(then: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "STALL_SECONDS", 0.05)
    first, second = ScriptedTTS("a", [0.3, then]), ScriptedTTS("b")
    with pytest.raises(BrokenOff):
        await seconds_of(voices(first, second))
    assert second.asked == []


@pytest.mark.parametrize("text", ["…", " ... ", "?!"])
async def test_a_text_without_a_word_makes_no_request(text: str) -> None:
    first = ScriptedTTS("a")
    assert await seconds_of(voices(first), text) < 0.1
    assert first.asked == []


async def test_an_error_has_none_of_the_words() -> None:
    """It is logged, by LiveKit too."""
    voice = voices(ScriptedTTS("a", [], []))
    with pytest.raises(APIError) as error:
        await seconds_of(voice)
    assert "garage" not in f"{error.value!r} {error.value} {error.value.__cause__!r}"
    assert error.value.__suppress_context__


async def test_its_use_is_told() -> None:
    voice = voices(ScriptedTTS("a"))
    measured: list[metrics.TTSMetrics] = []
    voice.on("metrics_collected", measured.append)
    await seconds_of(voice)
    [one] = measured
    assert (one.input_tokens, one.output_tokens) == (3, 5)


async def test_a_caller_who_cuts_in_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with voices(ScriptedTTS("a", [0.3, HANG])).synthesize(TEXT) as speech:
        await anext(speech)
    assert asyncio.all_tasks() == before

"""Minds of which the next one is asked where one fails, and none is waited for too long."""

import asyncio
from typing import Any

import pytest
from guard_fakes import HANG, ScriptedLLM, down
from livekit.agents import llm, metrics

import agent.models.guarded_llm as guarded
from agent.models.guard import BrokenOff, Guard, Provider, Unanswered
from agent.models.guarded_llm import GuardedLLM
from agent.models.turn_clock import TURN_SECONDS, VOICE_SECONDS, TurnClock


def minds(*models: ScriptedLLM, left_seconds: float | None = None) -> GuardedLLM:
    """With so much of a turn's time left for the mind."""
    now = [0.0]
    clock = TurnClock(lambda: now[0])
    if left_seconds is not None:
        clock.begin("turn")
        now[0] = TURN_SECONDS - VOICE_SECONDS - left_seconds
    return GuardedLLM([Provider(one, f"llm {one.name}") for one in models], Guard(), clock)


async def said(mind: GuardedLLM, heard: list[str] | None = None) -> str:
    """The whole answer; `heard` gets it piece by piece."""
    heard = [] if heard is None else heard
    async with asyncio.timeout(5), mind.chat(chat_ctx=llm.ChatContext.empty()) as reply:
        async for chunk in reply:
            heard.append((chunk.delta and chunk.delta.content) or "")
    return "".join(heard)


@pytest.mark.parametrize("script", [[down()], [], ["", "  "], [ValueError("odd")]])
async def test_the_next_one_answers(script: list[Any]) -> None:
    """Where one fails, or says nothing; each is asked once."""
    first, second = ScriptedLLM("a", script), ScriptedLLM("b", ["Good ", "day."])
    mind = minds(first, second)
    assert await said(mind) == "Good day."
    assert (len(first.asked), len(second.asked)) == (1, 1)
    assert (mind.model, mind.provider) == ("b", "b.example.org")


async def test_one_that_hangs_is_left_in_time_for_the_other() -> None:
    first, second = ScriptedLLM("a", [HANG]), ScriptedLLM("b")
    assert await said(minds(first, second, left_seconds=0.1)) == "Hello."
    assert first.asked[0].is_closed


async def test_nobody_is_waited_for_longer_than_the_turn() -> None:
    """And who was too slow is not asked again."""
    first = ScriptedLLM("a", [HANG], [HANG])
    with pytest.raises(Unanswered):
        await said(minds(first, left_seconds=0.05))
    assert len(first.asked) == 1


async def test_livekit_asks_nobody_by_itself() -> None:
    first = ScriptedLLM("a", *[[down()] for _ in range(9)])
    with pytest.raises(Unanswered):
        await said(minds(first))
    assert len(first.asked) == 2
    assert {one.max_retry for one in first.options} == {0}


@pytest.mark.parametrize("then", [down(), HANG, ValueError("odd")])
async def test_what_has_begun_is_not_begun_again(
    then: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded, "GAP_SECONDS", 0.05)
    first, second = ScriptedLLM("a", ["The capital ", then]), ScriptedLLM("b")
    heard: list[str] = []
    with pytest.raises(BrokenOff):
        await said(minds(first, second), heard)
    assert heard == ["The capital "]
    assert second.asked == []


async def test_what_comes_before_the_first_word_comes_before_it() -> None:
    assert await said(minds(ScriptedLLM("a", [" ", "", "Yes", "."]))) == " Yes."


async def test_the_use_of_a_tool_is_an_answer() -> None:
    call = llm.FunctionToolCall(name="tell_time", arguments="{}", call_id="1")
    used = llm.ChatChunk(id="1", delta=llm.ChoiceDelta(role="assistant", tool_calls=[call]))
    second = ScriptedLLM("b")
    assert await said(minds(ScriptedLLM("a", [used]), second)) == ""
    assert second.asked == []


async def test_a_caller_who_cuts_in_ends_the_request() -> None:
    first = ScriptedLLM("a", ["So ", HANG])
    before = asyncio.all_tasks()
    async with minds(first).chat(chat_ctx=llm.ChatContext.empty()) as reply:
        await anext(reply)
    assert first.asked[0].is_closed
    assert not first.asked[0].is_done
    assert asyncio.all_tasks() == before


async def test_what_is_measured_is_of_who_answered() -> None:
    mind = minds(ScriptedLLM("a", [down()]), ScriptedLLM("b"))
    measured: list[metrics.LLMMetrics] = []
    mind.on("metrics_collected", measured.append)
    await said(mind)
    [one] = measured
    assert one.metadata is not None
    assert one.metadata.model_name == "b"

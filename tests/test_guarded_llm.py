"""Minds, of which the next one answers where one fails, and none is waited for too long."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from guard_fakes import (
    HANG,
    Call,
    Mind,
    MindStep,
    Reply,
    counted,
    flying_time,
    settled,
    told_apart,
    tool_call,
    words,
)
from livekit.agents import APIConnectionError, APIConnectOptions, APIStatusError, llm
from livekit.agents.metrics import LLMMetrics
from structlog.testing import capture_logs

from agent.models.guard import REQUEST_CLOSE_SECONDS, BrokenOff, Guard, Unanswered
from agent.models.guarded_llm import (
    FIRST_TOKEN_SECONDS,
    GAP_SECONDS,
    STEP_SECONDS,
    GuardedLLM,
)
from agent.models.refused import Refused
from agent.models.turn_clock import TURN_SECONDS, VOICE_SECONDS, TurnClock
from session.circuits import FAILURES, OPEN_SECONDS
from session.limits import Decision

MANY = APIConnectOptions(max_retry=5, retry_interval=0.0)


@pytest.fixture(autouse=True)
async def _no_waiting() -> AsyncIterator[None]:
    with flying_time():
        yield


@pytest.fixture
def call() -> Call:
    return Call()


class Turn:
    """One question to these minds."""

    def __init__(self, call: Call, *minds: Mind, clock: TurnClock | None = None) -> None:
        self.guarded = GuardedLLM(told_apart(minds), call.guard, clock or TurnClock())
        self.chunks: list[llm.ChatChunk] = []
        self.seconds = 0.0

    async def run(self, **options: Any) -> list[str]:
        """What was written, also if it then fails; `seconds` is how long it took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with self.guarded.chat(
                chat_ctx=llm.ChatContext.empty(), conn_options=MANY, **options
            ) as reply:
                async for chunk in reply:
                    self.chunks.append(chunk)
        finally:
            self.seconds = loop.time() - began
        return self.written

    @property
    def written(self) -> list[str]:
        return [one.delta.content for one in self.chunks if one.delta and one.delta.content]


def down() -> APIConnectionError:
    return APIConnectionError("down")


async def test_one_that_works_is_asked_once(call: Call) -> None:
    first, second = Mind("a", ["Pa", "ris."]), Mind("b")
    assert await Turn(call, first, second).run() == ["Pa", "ris."]
    assert (len(first.asked), len(second.asked)) == (1, 0)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([down()], id="it is down"),
        pytest.param([APIStatusError("no", status_code=500)], id="500"),
        pytest.param([ValueError("garbage")], id="not LiveKit's error"),
        pytest.param([HANG], id="nothing comes"),
        pytest.param([], id="an empty stream"),
        pytest.param(["", " ", "\n"], id="blanks only"),
        pytest.param([" ", counted(7)], id="a count only"),
        pytest.param([" ", down()], id="a blank, then an error"),
        pytest.param([" ", HANG], id="a blank, then nothing"),
    ],
)
async def test_where_one_fails_the_next_one_answers(call: Call, script: Sequence[MindStep]) -> None:
    """One request each, and nothing is left of the first."""
    first, second = Mind("a", script), Mind("b", ["Paris."])
    turn = Turn(call, first, second)
    assert await turn.run() == ["Paris."]
    assert len(turn.chunks) == 1
    assert (len(first.asked), len(second.asked), first.open) == (1, 1, 0)
    assert call.breakers.told == [("a", "failed")]


async def test_livekit_does_not_ask_again_by_itself(call: Call) -> None:
    """Two requests are made, not six times two; none of them may be repeated below."""
    first, second = Mind("a", [down()]), Mind("b", [down()])
    turn = Turn(call, first, second)
    errors: list[llm.LLMError] = []
    turn.guarded.on("error", errors.append)
    with pytest.raises(Unanswered):
        await turn.run()
    asked = first.asked + second.asked
    assert [one["conn_options"].max_retry for one in asked] == [0, 0]
    assert [error.recoverable for error in errors] == [False]


async def test_each_has_half_of_the_time_for_its_first_word(call: Call) -> None:
    turn = Turn(call, Mind("a", [HANG]), Mind("b", [HANG]), clock=begun())
    with pytest.raises(Unanswered):
        await turn.run()
    assert turn.seconds == pytest.approx(FIRST_TOKEN_SECONDS, abs=0.2)
    alone = Turn(call, Mind("c", [HANG]))
    with pytest.raises(Unanswered):
        await alone.run()
    assert alone.seconds == pytest.approx(FIRST_TOKEN_SECONDS, abs=0.2)


async def test_a_turn_leaves_time_for_the_voice(call: Call) -> None:
    """So much of it is gone already that no mind has its own time."""
    clock = TurnClock(asyncio.get_running_loop().time)
    clock.begin("one")
    await asyncio.sleep(1.0)
    second = Mind("b", [HANG])
    turn = Turn(call, Mind("a", [HANG]), second, clock=clock)
    with pytest.raises(Unanswered):
        await turn.run()
    assert turn.seconds <= TURN_SECONDS - 1.0 - VOICE_SECONDS + 0.1
    assert len(second.asked) == 1


async def test_where_nobody_waits_in_silence_each_has_all_its_time(call: Call) -> None:
    """June speaks already, or nobody has asked her anything."""
    clock = begun()
    clock.heard()
    turn = Turn(call, Mind("a", [FIRST_TOKEN_SECONDS - 0.2, "Paris."]), Mind("b"), clock=clock)
    assert await turn.run() == ["Paris."]


async def test_nobody_is_kept_in_time_for_one_whose_breaker_is_open(call: Call) -> None:
    other = Mind("b", *[[down()]] * FAILURES)
    for _ in range(FAILURES):
        with pytest.raises(Unanswered):
            await Turn(call, other).run()
    turn = Turn(call, Mind("a", [2.5, "Paris."]), other, clock=begun())
    assert await turn.run() == ["Paris."]


async def test_one_that_had_less_than_its_time_is_not_to_blame(call: Call) -> None:
    """A tool, the store or another mind took it."""
    clock = begun()
    await asyncio.sleep(1.5)
    with pytest.raises(Unanswered):
        await Turn(call, Mind("a", [HANG]), clock=clock).run()
    assert call.breakers.told == []
    with pytest.raises(Unanswered):
        await Turn(call, Mind("a", [HANG]), clock=begun()).run()
    assert call.breakers.told == [("a", "failed")]


async def test_a_step_that_comes_late_has_a_little_time(call: Call) -> None:
    clock = begun()
    await asyncio.sleep(TURN_SECONDS)
    assert await Turn(call, Mind("a", [STEP_SECONDS - 0.1, "Paris."]), clock=clock).run() == [
        "Paris."
    ]


async def test_a_request_that_does_not_close_holds_nobody_up(call: Call) -> None:
    turn = Turn(call, Stubborn("a"), Mind("b", ["Paris."]), clock=begun())
    assert await turn.run() == ["Paris."]
    assert turn.seconds <= FIRST_TOKEN_SECONDS / 2 + REQUEST_CLOSE_SECONDS + 0.1
    await call.guard.aclose()


async def test_all_are_closed_though_one_fails() -> None:
    minds = Failing("a"), Mind("b")
    with pytest.raises(RuntimeError):
        await GuardedLLM(told_apart(minds), Guard(), TurnClock()).aclose()
    assert minds[1].is_closed


class Failing(Mind):
    async def aclose(self) -> None:
        raise RuntimeError


class Stubborn(Mind):
    """Whose connections take very long to close."""

    def chat(self, **asked: Any) -> Reply:
        self.asked.append(asked)
        context = {name: asked[name] for name in ("chat_ctx", "tools", "conn_options")}
        return StubbornReply(self, [HANG], **context)


class StubbornReply(Reply):
    async def aclose(self) -> None:
        await asyncio.sleep(30)
        await super().aclose()


def begun() -> TurnClock:
    clock = TurnClock(asyncio.get_running_loop().time)
    clock.begin("one")
    return clock


async def test_without_time_nobody_is_waited_for(call: Call) -> None:
    clock = TurnClock(asyncio.get_running_loop().time)
    clock.begin("one")
    await asyncio.sleep(TURN_SECONDS)
    turn = Turn(call, Mind("a", [HANG]), Mind("b", [HANG]), clock=clock)
    with capture_logs() as logs, pytest.raises(Unanswered):
        await turn.run()
    assert [line["error"] for line in logs] == ["TooSlow", "TooSlow"]
    assert turn.seconds < STEP_SECONDS + 0.2


async def test_blanks_do_not_stop_the_clock(call: Call) -> None:
    """A server that keeps a stream alive and says nothing."""
    second = Mind("b", ["Paris."])
    turn = Turn(call, Mind("a", [0.5, " "] * 20), second, clock=begun())
    assert await turn.run() == ["Paris."]
    assert turn.seconds == pytest.approx(FIRST_TOKEN_SECONDS / 2, abs=0.2)


async def test_what_comes_before_the_first_word_is_kept_in_order(call: Call) -> None:
    before = [words(""), words(" "), words("\n")]
    turn = Turn(call, Mind("a", [*before, "Paris", " ", ".", counted(9)]))
    assert await turn.run() == [" ", "\n", "Paris", " ", "."]
    assert turn.chunks[:3] == before
    assert turn.chunks[-1].usage is not None


async def test_a_tool_call_is_an_answer(call: Call) -> None:
    """Without a word of text."""
    first, second = Mind("a", [tool_call("timer"), down()]), Mind("b", ["Paris."])
    turn = Turn(call, first, second)
    with pytest.raises(BrokenOff):
        await turn.run()
    (chunk,) = turn.chunks
    assert chunk.delta is not None
    assert [one.name for one in chunk.delta.tool_calls] == ["timer"]
    assert second.asked == []


@pytest.mark.parametrize("step", [HANG, down(), ValueError("garbage")])
async def test_what_breaks_off_is_not_asked_again(call: Call, step: MindStep) -> None:
    """The caller has heard the beginning."""
    first, second = Mind("a", ["Once upon", " a time", step]), Mind("b", ["Paris."])
    turn = Turn(call, first, second)
    with pytest.raises(BrokenOff):
        await turn.run()
    assert turn.written == ["Once upon", " a time"]
    assert (len(first.asked), second.asked, first.open) == (1, [], 0)
    assert turn.seconds <= GAP_SECONDS + 0.2
    assert call.breakers.told == [("a", "failed")]


async def test_a_slow_answer_is_one_all_the_same(call: Call) -> None:
    """In the time that each piece has; the turn's own time is over once it has begun."""
    pauses: list[MindStep] = [FIRST_TOKEN_SECONDS - 0.1, "One"]
    for number in range(5):
        pauses += [GAP_SECONDS - 0.1, f" {number}"]
    assert await Turn(call, Mind("a", pauses)).run() == ["One", " 0", " 1", " 2", " 3", " 4"]


async def test_an_answer_that_is_cut_off_leaves_nothing_behind(call: Call) -> None:
    """A barge-in: the request is over, no task is left, and nobody has failed."""
    before = asyncio.all_tasks()
    mind, other = Mind("a", ["Once upon", HANG]), Mind("b")
    guarded = Turn(call, mind, other).guarded
    async with guarded.chat(chat_ctx=llm.ChatContext.empty()) as reply:
        await anext(reply)
        assert mind.open == 1
    await settled()
    assert (mind.open, other.asked, call.breakers.told) == (0, [], [])
    assert asyncio.all_tasks() == before


async def test_an_answer_that_is_cut_off_before_its_first_word_is_no_failure_either(
    call: Call,
) -> None:
    """One that was a probe says that it found nothing, so that another one may try."""
    before = asyncio.all_tasks()
    mind = Mind("a", *[[down()]] * FAILURES, [HANG])
    for _ in range(FAILURES // 2 + 1):
        with pytest.raises(Unanswered):
            await Turn(call, mind).run()
    assert len(mind.asked) == FAILURES
    call.breakers.seconds += OPEN_SECONDS
    call.breakers.told.clear()
    reply = Turn(call, mind).guarded.chat(chat_ctx=llm.ChatContext.empty())
    await settled()
    assert mind.open == 1
    await reply.aclose()
    await settled()
    assert (mind.open, call.breakers.told) == (0, [("a", "nothing")])
    assert asyncio.all_tasks() == before


async def test_one_whose_breaker_is_open_is_not_asked(call: Call) -> None:
    """Until a probe brings a word: that is told before the answer is over."""
    first, second = Mind("a", *[[down()]] * FAILURES, ["Yes", 1.0, "."]), Mind("b", *[["No"]] * 9)
    for _ in range(FAILURES + 2):
        assert await Turn(call, first, second).run() == ["No"]
    assert (len(first.asked), len(second.asked)) == (FAILURES, FAILURES + 2)
    call.breakers.seconds += OPEN_SECONDS
    call.breakers.told.clear()
    async with Turn(call, first, second).guarded.chat(chat_ctx=llm.ChatContext.empty()) as reply:
        await anext(reply)
        await settled()
        assert call.breakers.told == [("a", "useful")]


async def test_without_money_nobody_else_is_asked(call: Call) -> None:
    decision = Decision(allowed=False, reason="out_of_budget")
    first, second = Mind("a", [Refused(decision)]), Mind("b", ["Paris."])
    with pytest.raises(Refused) as raised:
        await Turn(call, first, second).run()
    assert raised.value.decision is decision
    assert (second.asked, call.breakers.told) == ([], [])


async def test_it_looks_as_the_one_that_answered(call: Call) -> None:
    """Name, host and what is measured; before anybody did, as the first."""
    first, second = Mind("a", [down()]), Mind("b", ["Paris.", counted(9)], provider="other.org")
    turn = Turn(call, first, second)
    measured: list[LLMMetrics] = []
    turn.guarded.on("metrics_collected", measured.append)
    assert (turn.guarded.model, turn.guarded.label) == ("a", first.label)
    await turn.run()
    assert (turn.guarded.model, turn.guarded.provider) == ("b", "other.org")
    (one,) = measured
    assert one.metadata is not None
    assert (one.metadata.model_name, one.metadata.model_provider) == ("b", "other.org")
    assert one.total_tokens == 9


async def test_each_is_asked_the_same(call: Call) -> None:
    first, second = Mind("a", [down()]), Mind("b", ["Paris."])
    await Turn(call, first, second).run(tool_choice="none", parallel_tool_calls=False)
    for asked in (first.asked[0], second.asked[0]):
        assert (asked["tool_choice"], asked["parallel_tool_calls"]) == ("none", False)
        assert asked["chat_ctx"].items == []


async def test_the_first_is_warmed_and_all_are_closed(call: Call) -> None:
    minds = Mind("a"), Mind("b")
    guarded = Turn(call, *minds).guarded
    guarded.prewarm()
    assert [one.is_warm for one in minds] == [True, False]
    await guarded.aclose()
    assert [one.is_closed for one in minds] == [True, True]

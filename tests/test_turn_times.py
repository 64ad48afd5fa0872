"""Where the time of a turn went: attempts, steps, typed text, and what nobody measured."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.agents import llm

from agent.turn_times import KEPT_TURNS, TurnTimes
from session.records import Stages

BEGAN = 1_000.0


class Call:
    """A clock, and turns whose messages are named by them: `2 b` is an attempt at the second."""

    def __init__(self) -> None:
        self.now = BEGAN
        self.times = TurnTimes(lambda name: int(name.split()[0]), now=lambda: self.now)

    def at(self, seconds: float) -> TurnTimes:
        self.now = BEGAN + seconds
        return self.times

    def said(self, turn: int, *, ended: float = 0.0) -> None:
        """The caller's speech ended then, its text came 0.3 s later, its end was clear at 0.5 s."""
        message = llm.ChatMessage(
            id=f"{turn} committed",
            role="user",
            content=[],
            metrics={
                "stopped_speaking_at": BEGAN + ended,
                "transcription_delay": 0.3,
                "end_of_turn_delay": 0.5,
            },
        )
        self.times.committed(turn, message)

    def stages(self, turn: int, heard: float | None, **measured: float) -> Stages | None:
        metrics: llm.MetricsReport = {}
        if heard is not None:
            metrics["started_speaking_at"] = BEGAN + heard
        if "ttfs" in measured:
            metrics["llm_node_ttfs"] = measured["ttfs"]
        reply = llm.ChatMessage(role="assistant", content=["Yes."], metrics=metrics)
        return self.times.stages(turn, reply)

    async def clause(self, seconds: float, *pieces: str) -> None:
        async def text() -> AsyncIterator[str]:
            for piece in pieces or ("Yes.",):
                yield piece

        assert "".join([piece async for piece in self.at(seconds).to_voice(text())])


@pytest.fixture
def call() -> Call:
    return Call()


async def test_an_ordinary_turn(call: Call) -> None:
    call.said(1)
    attempt = call.at(0.5).asked("1 committed")
    call.at(0.7).wrote(attempt)
    call.at(0.8).wrote(attempt)
    await call.clause(0.9)
    call.at(1.2).heard()
    assert call.stages(1, 1.2) == Stages(
        final_text=0.3, end_of_turn=0.5, first_token=0.7, first_clause=0.9, first_audio=1.2
    )


async def test_the_attempt_that_was_heard_counts(call: Call) -> None:
    """Of those before it, which nobody heard, nothing does."""
    early = call.at(-0.4).asked("1 a")
    call.at(-0.2).wrote(early)
    await call.clause(-0.1)
    late = call.at(0.2).asked("1 b")
    call.at(0.4).wrote(late)
    call.at(0.45).wrote(early)
    await call.clause(0.6)
    call.said(1)
    call.at(0.8).heard()
    stages = call.stages(1, 0.8)
    assert stages is not None
    assert (stages.first_token, stages.first_clause) == (0.4, 0.6)


async def test_a_tool_after_words_changes_nothing(call: Call) -> None:
    """What came first was heard first."""
    call.said(1)
    attempt = call.at(0.5).asked("1 committed")
    call.at(0.6).wrote(attempt)
    await call.clause(0.7)
    call.at(0.9).heard()
    again = call.at(3.0).asked("1 committed")
    call.at(3.5).wrote(again)
    await call.clause(3.6)
    assert call.stages(1, 0.9) == Stages(
        final_text=0.3, end_of_turn=0.5, first_token=0.6, first_clause=0.7, first_audio=0.9
    )


async def test_what_was_begun_early_is_before_zero(call: Call) -> None:
    """A model may have begun while the caller still spoke."""
    attempt = call.at(-0.3).asked("1 a")
    call.at(-0.1).wrote(attempt)
    call.said(1)
    stages = call.stages(1, 0.6)
    assert stages is not None
    assert stages.first_token == -0.1


async def test_the_voice_knows_best_when_it_could_begin(call: Call) -> None:
    """It waits for a sentence, of which the first piece of text is only the beginning."""
    call.said(1)
    call.at(0.55).wrote(call.at(0.5).asked("1 committed"))
    await call.clause(0.6, " ", "Well", ", yes.")
    stages = call.stages(1, 1.0, ttfs=0.35)
    assert stages is not None
    assert stages.first_clause == 0.85


async def test_the_rest_of_an_answer_is_not_the_next_turns(call: Call) -> None:
    """It still goes to the voice while the next turn's first attempt is under way."""
    call.said(1)
    call.at(0.6).wrote(call.at(0.5).asked("1 committed"))
    await call.clause(0.7)
    call.at(0.9).heard()
    attempt = call.at(3.0).asked("2 a")
    await call.clause(3.1)
    call.at(3.4).wrote(attempt)
    await call.clause(3.5)
    call.said(2, ended=2.8)
    stages = call.stages(2, 4.0)
    assert stages is not None
    assert (stages.first_token, stages.first_clause) == (0.6, 0.7)


def test_typed_text_is_timed_from_when_it_came(call: Call) -> None:
    message = llm.ChatMessage(id="1 typed", role="user", content=["Well?"])
    call.at(5.0).typed(message.id)
    call.at(5.1).committed(1, message)
    attempt = call.at(5.1).asked(message.id)
    call.at(5.3).wrote(attempt)
    assert call.stages(1, 5.5) == Stages(first_token=0.3, first_audio=0.5)


def test_what_nobody_measured_is_not_invented(call: Call) -> None:
    call.said(1)
    assert call.stages(1, None) == Stages(final_text=0.3, end_of_turn=0.5)
    assert call.stages(2, 1.0) is None
    call.at(1.0).heard()


@given(st.lists(st.integers(1, 50), max_size=60))
def test_a_long_call_keeps_little(turns: list[int]) -> None:
    call = Call()
    for turn in sorted(turns):
        call.said(turn)
        call.times.asked(f"{turn} committed")
    assert len(call.times._spoken) <= KEPT_TURNS
    assert len(call.times._attempts) <= KEPT_TURNS
    for turn in sorted(set(turns))[-KEPT_TURNS:]:
        assert call.stages(turn, 1.0) is not None

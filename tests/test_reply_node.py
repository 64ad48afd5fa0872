"""What a turn leaves behind, however it ends: a clock that stands, and nothing open."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import Agent, ModelSettings, llm
from speech_fakes import NoSkills, own_mouth, wide_window

from agent.assistant import June
from agent.lines import ENGLISH
from agent.models.turn_clock import TURN_SECONDS, TurnClock
from agent.turn_times import TurnTimes
from session.limits import ALLOWED, Decision
from session.outcomes import Nothing, Outcome, Spoken

LATER_SECONDS = 20.0


class Gate:
    def __init__(self, decision: Decision) -> None:
        self._decision = decision
        self.times = TurnTimes(lambda _: 1)

    async def reserve(self, _: llm.ChatMessage) -> Decision:
        return self._decision


class Skills(NoSkills):
    def __init__(self, outcome: Outcome | None) -> None:
        self._outcome = outcome

    async def outcome(self, chat_ctx: llm.ChatContext, message: llm.ChatMessage) -> Outcome:
        return self._outcome or await super().outcome(chat_ctx, message)


class Scene:
    """June, and one question to her."""

    def __init__(self, outcome: Outcome | None = None, decision: Decision = ALLOWED) -> None:
        self.now = 0.0
        self.clock = TurnClock(lambda: self.now)
        self.june = June(
            Gate(decision),
            Skills(outcome),
            ENGLISH,
            llm.ChatContext.empty(),
            wide_window(),
            instructions="",
            clock=self.clock,
            mouth=own_mouth(),
            hang_up=lambda *_: None,
        )

    def reply(self) -> AsyncGenerator[Any, None]:
        asked = llm.ChatContext.empty()
        asked.add_message(role="user", content="Hello.")
        return self.june.llm_node(asked, [], ModelSettings())

    @property
    def is_late(self) -> bool:
        """Whether a timer that rings long after would have too little time to be spoken."""
        self.now += LATER_SECONDS
        return self.clock.left_seconds < TURN_SECONDS


async def test_a_turn_that_comes_to_nothing_makes_nobody_late() -> None:
    scene = Scene(Nothing())
    assert [chunk async for chunk in scene.reply()] == []
    assert not scene.is_late


async def test_nor_does_one_whose_refusal_is_said_by_whoever_ends_the_call() -> None:
    scene = Scene(decision=Decision(allowed=False, reason="out_of_budget"))
    async for _ in scene.reply():
        pass
    assert not scene.is_late


async def test_nor_does_one_that_the_caller_cuts_off() -> None:
    scene = Scene(Spoken("Hello."))
    reply = scene.reply()
    await anext(reply)
    await reply.aclose()
    assert not scene.is_late


async def test_a_voice_has_what_the_mind_has_left() -> None:
    scene = Scene(Spoken("Hello."))
    assert [chunk async for chunk in scene.reply()] == ["Hello."]
    scene.now += 1.0
    assert scene.clock.left_seconds == pytest.approx(TURN_SECONDS - 1.0)


async def test_what_is_cut_off_is_closed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []

    async def think(*_: object) -> AsyncIterator[str]:
        try:
            yield "Hello "
            yield "you."
        finally:
            await asyncio.sleep(0)
            closed.append("mind")

    async def speak(*_: object) -> AsyncIterator[rtc.AudioFrame]:
        try:
            while True:
                yield rtc.AudioFrame(bytes(320), 16_000, 1, 160)
        finally:
            await asyncio.sleep(0)
            closed.append("voice")

    async def text() -> AsyncIterator[str]:
        yield "Paris."

    monkeypatch.setattr(Agent.default, "llm_node", think)
    monkeypatch.setattr(Agent.default, "tts_node", speak)
    scene = Scene()
    for node in (scene.reply(), scene.june.tts_node(text(), ModelSettings())):
        await anext(node)
        await node.aclose()
    assert closed == ["mind", "voice"]

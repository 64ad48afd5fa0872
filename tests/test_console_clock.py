"""What a console tells the time by: a hurried clock, a sound card made of one, and silence."""

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.agents import AgentSession, llm

from agent.console.clockwork import TICK_SAMPLES, Clockwork
from agent.console.first import first_of
from agent.console.hurry import HurriedLoop, run_hurried
from agent.console.pcm import RATE
from agent.console.silence import ANSWER_SECONDS, LONGEST_SECONDS, SILENT_SECONDS, Silence


def test_on_a_hurried_clock_a_minute_is_short() -> None:
    """For the loop's timers and for `time.time()` alike; afterwards the time is the real one."""
    real, began = time.time, time.monotonic()

    async def wait() -> int:
        loop_began, time_began = asyncio.get_running_loop().time(), time.time()
        await asyncio.sleep(60)
        loop_took = asyncio.get_running_loop().time() - loop_began
        assert loop_took == pytest.approx(60, abs=10)
        assert time.time() - time_began == pytest.approx(loop_took, abs=5)
        return 7

    assert run_hurried(wait(), factor=200) == 7
    assert time.monotonic() - began < 10
    assert time.time is real


def test_a_hurried_call_that_fails_leaves_the_time_as_it_was() -> None:
    """The error is the call's own."""
    real = time.time

    async def fail() -> int:
        raise ValueError("no sound")

    with pytest.raises(ValueError, match="no sound"):
        run_hurried(fail(), factor=200)
    assert time.time is real


def test_a_card_made_of_a_clock_carries_as_much_sound_as_time_passes() -> None:
    """Both ways alike, and nothing is left out where the loop was held up."""
    heard: list[bytes] = []
    kept: list[bytes] = []

    async def run() -> Clockwork:
        card = Clockwork(
            caller=lambda samples: b"\x01\x00" * samples,
            ears=heard.append,
            june=lambda samples: b"\x02\x00" * samples,
            listener=kept.append,
        )
        running = asyncio.create_task(card.run())
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(1)
        time.sleep(0.02)  # noqa: ASYNC251  the loop is held up on purpose
        await asyncio.sleep(1)
        took = loop.time() - began
        running.cancel()
        assert card.seconds() == pytest.approx(took, abs=TICK_SAMPLES / RATE + 0.5)
        return card

    with asyncio.Runner(loop_factory=lambda: HurriedLoop(50)) as runner:
        card = runner.run(run())
    samples = round(card.seconds() * RATE)
    assert b"".join(heard) == b"\x01\x00" * samples
    assert b"".join(kept) == b"\x02\x00" * samples


async def test_the_first_that_ends_decides() -> None:
    """Its error is raised, and the others are told to end."""
    ended: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("forever")

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("the disk is full")

    with pytest.raises(ValueError, match="the disk is full"):
        await first_of(forever(), fail())
    assert ended == ["forever"]


class Voice:
    """An `AgentSession` by what `Silence` asks of it."""

    def __init__(self) -> None:
        self.user_state = "listening"
        self.current_speech: object | None = None
        self.handlers: dict[str, Callable[[Any], None]] = {}

    def on(self, name: str, handler: Callable[[Any], None]) -> None:
        self.handlers[name] = handler


class Script:
    """Time that passes by what is asked of it, and what happens in it."""

    def __init__(self, happening: dict[float, Callable[[Voice], None]]) -> None:
        self.seconds = 0.0
        self.voice = Voice()
        self.silence = Silence(cast("AgentSession[None]", self.voice), self.sleep)
        self._happening = happening

    async def sleep(self, seconds: float) -> None:
        self.seconds = round(self.seconds + seconds, 3)
        if do := self._happening.get(self.seconds):
            do(self.voice)

    async def ends_after(self) -> float:
        await self.silence.wait()
        return self.seconds


def thinks(voice: Voice) -> None:
    voice.current_speech = object()


def answers(voice: Voice) -> None:
    voice.current_speech = None
    item = llm.ChatMessage(role="assistant", content=["Yes."])
    voice.handlers["conversation_item_added"](SimpleNamespace(item=item))


def speaks(voice: Voice) -> None:
    voice.user_state = "speaking"
    voice.handlers["user_state_changed"](SimpleNamespace(new_state="speaking"))


def is_still(voice: Voice) -> None:
    voice.user_state = "listening"


def is_heard(voice: Voice) -> None:
    voice.handlers["user_input_transcribed"](SimpleNamespace(is_final=True))


async def test_a_call_in_which_nothing_is_said_ends_soon() -> None:
    """After seconds of silence."""
    assert await Script({}).ends_after() == SILENT_SECONDS


async def test_an_answer_is_heard_to_its_end() -> None:
    """The silence counts from there."""
    script = Script({0.1: speaks, 0.5: is_still, 1.0: is_heard, 2.0: thinks, 9.0: answers})
    assert await script.ends_after() == pytest.approx(9.0 + SILENT_SECONDS, abs=0.2)


async def test_an_answer_that_takes_its_time_is_waited_for() -> None:
    """Longer than silence would be; a transcript may be slow, too."""
    script = Script({0.1: speaks, 0.5: is_still, 6.0: thinks, 9.0: answers})
    assert await script.ends_after() == pytest.approx(9.0 + SILENT_SECONDS, abs=0.2)


async def test_a_breath_is_no_question() -> None:
    """What the VAD took for speech may have no words; that wait ends, too."""
    script = Script({0.1: speaks, 0.5: is_still})
    assert await script.ends_after() == pytest.approx(0.4 + ANSWER_SECONDS, abs=0.2)


async def test_a_call_that_never_falls_silent_ends_all_the_same() -> None:
    """In minutes."""
    assert await Script({0.1: thinks}).ends_after() == pytest.approx(LONGEST_SECONDS, abs=0.2)

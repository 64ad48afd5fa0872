"""Alarms ring at their time and at a pause, are not lost, and are told when they were missed."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from livekit.agents import llm

from agent.ringing import LONGEST_TALK_SECONDS, TRIES, Ringing
from session import StoreError
from session.alarms import UserAlarms
from skills import Alarm


class Time:
    """Passes when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []

    async def sleep(self, seconds: float) -> None:
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + timedelta(seconds=seconds), waking))
        await waking

    async def pass_by(self, seconds: float) -> None:
        """In steps of a tenth of a second, in which everybody does what they have to do."""
        for _ in range(round(seconds * 10)):
            self.now += timedelta(seconds=0.1)
            for due, waking in self._sleepers:
                if due <= self.now and not waking.done():
                    waking.set_result(None)
            await settled()


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Memory:
    """What the store keeps of one user."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.is_away = False

    def _reach(self) -> None:
        if self.is_away:
            raise StoreError("away", retryable=True)

    async def put(self, key: str, text: str) -> None:
        self._reach()
        self.kept[key] = text

    async def all(self) -> Mapping[str, str]:
        self._reach()
        return dict(self.kept)

    async def take(self, key: str) -> str | None:
        self._reach()
        return self.kept.pop(key, None)


class Speech:
    """As long as it lasts June speaks; some are talked over."""

    def __init__(self, text: str, *, interrupted: bool, fails: bool) -> None:
        self.interrupted = interrupted
        said = llm.ChatMessage(role="assistant", content=[text], interrupted=interrupted)
        self.chat_items = [] if fails else [said]

    async def wait_for_playout(self) -> None:
        await asyncio.sleep(0)


class Call:
    """Who speaks, and what was said."""

    def __init__(self) -> None:
        self.time = Time()
        self.memory = Memory()
        self.alarms = UserAlarms(self.memory, UTC)
        self.user_state = "listening"
        self.agent_state = "listening"
        self.said: list[str] = []
        self.talked_over = 0
        self.is_closing = False
        self.is_mute = False

    async def say(self, text: str) -> Any:
        if self.is_closing:
            raise RuntimeError("closing")
        self.said.append(text)
        interrupted = self.talked_over > 0
        self.talked_over -= interrupted
        return Speech(text, interrupted=interrupted, fails=self.is_mute)

    async def set(self, seconds: float, name: str = "tea", skill: str = "timers") -> None:
        due = self.time.now + timedelta(seconds=seconds)
        await self.alarms.set(skill, Alarm(name, due, name, f"Your {name} timer is done."))

    @asynccontextmanager
    async def rings(self) -> AsyncIterator[Ringing]:
        voice: Any = self
        ringing = Ringing(
            voice,
            self.alarms,
            say=self.say,
            missed="While you were away:",
            now=lambda: self.time.now,
            sleep=self.time.sleep,
        )
        async with ringing:
            await settled()
            yield ringing


@pytest.fixture
def call() -> Call:
    return Call()


async def test_an_alarm_rings_at_its_time_and_once(call: Call) -> None:
    """Also one that was set before the call, as after a crash."""
    await call.set(5)
    async with call.rings():
        await call.time.pass_by(4.8)
        assert call.said == []
        await call.time.pass_by(10)
    assert call.said == ["Your tea timer is done."]
    assert call.memory.kept == {}


async def test_an_alarm_that_is_set_in_the_call_rings_too(call: Call) -> None:
    """The earlier one first; one that was cancelled not at all."""
    async with call.rings() as ringing:
        await call.set(9)
        await call.set(5, "egg")
        await call.set(7, "rice")
        ringing.look_again()
        await call.time.pass_by(6)
        await call.alarms.take("timers", "rice")
        ringing.look_again()
        await call.time.pass_by(6)
    assert call.said == ["Your egg timer is done.", "Your tea timer is done."]


@pytest.mark.parametrize("who", ["user_state", "agent_state"])
async def test_it_waits_for_a_pause(call: Call, who: str) -> None:
    """Whoever speaks; but not for ever."""
    await call.set(1)
    setattr(call, who, "speaking")
    async with call.rings():
        await call.time.pass_by(10)
        assert call.said == []
        setattr(call, who, "listening")
        await call.time.pass_by(1)
        assert call.said == ["Your tea timer is done."]
        await call.set(1, "egg")
    setattr(call, who, "speaking")
    async with call.rings():
        await call.time.pass_by(LONGEST_TALK_SECONDS + 3)
    assert call.said == ["Your tea timer is done.", "Your egg timer is done."]


async def test_an_alarm_that_is_talked_over_is_said_again(call: Call) -> None:
    """Not more often than people can bear."""
    await call.set(1)
    call.talked_over = 1
    async with call.rings():
        await call.time.pass_by(5)
    assert call.said == ["Your tea timer is done."] * 2
    call.said.clear()
    await call.set(1)
    call.talked_over = 99
    async with call.rings():
        await call.time.pass_by(5)
    assert len(call.said) == TRIES


async def test_what_was_missed_is_told_at_the_next_call(call: Call) -> None:
    """In one sentence, before what is due now."""
    await call.set(5)
    await call.set(6, "egg")
    await call.time.pass_by(60)
    async with call.rings():
        await call.time.pass_by(1)
    assert call.said == ["While you were away: Your tea timer is done. Your egg timer is done."]
    assert call.memory.kept == {}


async def test_an_alarm_at_the_end_of_a_call_is_told_at_the_next_one(call: Call) -> None:
    """What nobody heard has not rung."""
    await call.set(1)
    call.is_closing = True
    async with call.rings():
        await call.time.pass_by(5)
    call.is_closing = False
    async with call.rings():
        await call.time.pass_by(1)
    assert call.said == ["While you were away: Your tea timer is done."]


async def test_what_nobody_can_hear_is_told_at_the_next_call(call: Call) -> None:
    """A voice that fails says nothing, and a caller whose network is lost hears nothing."""
    await call.set(1)
    call.is_mute = True
    async with call.rings():
        await call.time.pass_by(5)
    assert len(call.memory.kept) == 1
    call.is_mute = False
    call.said.clear()
    await call.set(1, "egg")
    async with call.rings() as ringing:
        assert call.said == ["While you were away: Your tea timer is done."]
        ringing.hold()
        await call.time.pass_by(LONGEST_TALK_SECONDS + 5)
        assert (len(call.said), len(call.memory.kept)) == (1, 1)
        ringing.let_go()
        await call.time.pass_by(1)
    assert call.said[1:] == ["Your egg timer is done."]
    assert call.memory.kept == {}


async def test_a_store_that_goes_away_silences_no_alarm(call: Call) -> None:
    """It was read before; and what is damaged silences no other."""
    await call.set(5)
    call.memory.kept["damaged"] = "[1]"
    async with call.rings():
        call.memory.is_away = True
        await call.time.pass_by(6)
        assert call.said == ["Your tea timer is done."]


async def test_an_alarm_of_another_call_is_found(call: Call) -> None:
    """Not at once, but in time to ring."""
    async with call.rings():
        await call.set(90, "far")
        await call.time.pass_by(92)
    assert call.said == ["Your far timer is done."]


async def test_a_store_that_is_away_is_asked_again(call: Call) -> None:
    """One that fails after the ring does not make it ring again in this call."""
    await call.set(2)
    call.memory.is_away = True
    async with call.rings():
        await call.time.pass_by(5)
        assert call.said == []
        call.memory.is_away = False
        await call.time.pass_by(11)
        assert len(call.said) == 1
        call.memory.is_away = False
        await call.time.pass_by(30)
    assert len(call.said) == 1


async def test_a_silent_caller_may_be_waiting_for_an_alarm(call: Call) -> None:
    """For a near one, and no longer than until it has rung."""
    waited = []
    async with call.rings() as ringing:
        waited.append(ringing.is_waited_for)
        for seconds, name in ((3_600, "roast"), (60, "egg")):
            await call.set(seconds, name)
            ringing.look_again()
            await settled()
            waited.append(ringing.is_waited_for)
        await call.time.pass_by(62)
        waited.append(ringing.is_waited_for)
    assert waited == [False, False, True, False]


async def test_alarms_of_two_skills_may_have_one_key(call: Call) -> None:
    """Each is its own skill's."""
    await call.set(5)
    await call.set(6, skill="cooking")
    assert [one.skill for one in await call.alarms.all()] == ["timers", "cooking"]
    assert await call.alarms.take("timers", "tea")
    assert not await call.alarms.take("timers", "tea")
    assert [one.skill for one in await call.alarms.all()] == ["cooking"]

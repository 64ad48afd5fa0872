"""Calls that nobody ends: silence, the longest call, ears or a voice that fail."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import UserStateChangedEvent
from livekit.agents.voice.events import UserState

from agent.idle import Idle
from agent.lines import ENGLISH
from agent.longest import LongestCall
from agent.spoken import SpokenLines
from agent.trouble import Trouble


class Sleep:
    """A clock that goes on only when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self._until: list[tuple[float, asyncio.Future[None]]] = []

    async def __call__(self, seconds: float) -> None:
        over = asyncio.get_running_loop().create_future()
        self._until.append((self.now + seconds, over))
        await over

    async def pass_(self, seconds: float) -> None:
        """Let so much time pass, and let whoever it wakes do their work."""
        await settle()
        self.now += seconds
        for until, over in self._until:
            if until <= self.now and not over.done():
                over.set_result(None)
        await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Said:
    async def wait_for_playout(self) -> None:
        await asyncio.sleep(0)


class Voice(rtc.EventEmitter[Any]):
    """An AgentSession by what these modules ask of it."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def becomes(self, state: UserState) -> None:
        event = UserStateChangedEvent(old_state="listening", new_state=state)
        self.emit("user_state_changed", event)

    def say(self, text: str, *, audio: object = None) -> Said:
        self.said.append(text)
        return Said()


class Caller:
    """A call that is watched for silence."""

    def __init__(self) -> None:
        self.voice = Voice()
        self.sleep = Sleep()
        self.given_up = 0
        as_livekit_speaks: Any = self.voice
        self.idle = Idle(
            as_livekit_speaks,
            patience_seconds=15,
            ask=self._ask,
            give_up=self._give_up,
            sleep=self.sleep,
        )

    async def _ask(self) -> Any:
        return self.voice.say(ENGLISH.still_there)

    def _give_up(self) -> None:
        self.given_up += 1


async def test_a_silent_caller_is_asked_and_then_left() -> None:
    """Fifteen seconds, a question, fifteen more."""
    caller = Caller()
    with caller.idle:
        caller.voice.becomes("away")
        await caller.sleep.pass_(14.9)
        assert (caller.voice.said, caller.given_up) == ([ENGLISH.still_there], 0)
        await caller.sleep.pass_(0.2)
        assert caller.given_up == 1


@pytest.mark.parametrize("sign", ["speaking", "listening"])
async def test_a_sign_of_life_ends_the_wait(sign: UserState) -> None:
    """And the next silence begins anew."""
    caller = Caller()
    with caller.idle:
        caller.voice.becomes("away")
        await caller.sleep.pass_(10)
        caller.voice.becomes(sign)
        await caller.sleep.pass_(100)
        assert caller.given_up == 0
        caller.voice.becomes("away")
        await caller.sleep.pass_(15.1)
        assert caller.voice.said == [ENGLISH.still_there] * 2
        assert caller.given_up == 1


async def test_a_caller_whose_network_is_lost_is_not_taken_for_silent() -> None:
    """They have a grace of their own; back again, their silence counts."""
    caller = Caller()
    with caller.idle:
        caller.voice.becomes("away")
        await caller.sleep.pass_(10)
        caller.idle.hold()
        caller.voice.becomes("away")
        await caller.sleep.pass_(100)
        assert (len(caller.voice.said), caller.given_up) == (1, 0)
        caller.idle.let_go()
        caller.voice.becomes("away")
        await caller.sleep.pass_(15.1)
        assert (len(caller.voice.said), caller.given_up) == (2, 1)


async def test_a_call_that_is_over_is_not_asked() -> None:
    """Closing leaves no task and no listener."""
    caller = Caller()
    with caller.idle:
        caller.voice.becomes("away")
        await settle()
    caller.voice.becomes("away")
    await caller.sleep.pass_(100)
    assert caller.given_up == 0
    assert caller.voice.said == [ENGLISH.still_there]


class Clocked:
    """What happened, and when."""

    def __init__(self, minutes: float) -> None:
        self.sleep = Sleep()
        self.happened: list[tuple[str, float]] = []
        self.longest = LongestCall(
            minutes * 60,
            warn=self._warn,
            end=lambda: self.happened.append(("end", self.sleep.now)),
            sleep=self.sleep,
        )

    async def _warn(self) -> None:
        self.happened.append(("warning", self.sleep.now))


async def test_the_longest_call_is_announced_a_minute_before() -> None:
    """Sixty minutes: a warning after fifty-nine."""
    call = Clocked(60)
    with call.longest:
        for _ in range(60):
            await call.sleep.pass_(60)
    assert call.happened == [("warning", 59 * 60), ("end", 60 * 60)]


async def test_a_call_of_a_minute_has_no_warning() -> None:
    """It would be the first thing that June says."""
    call = Clocked(1)
    with call.longest:
        await call.sleep.pass_(61)
    assert call.happened == [("end", 61)]


async def test_a_call_that_ends_earlier_is_not_ended_again() -> None:
    """Nor is anybody told of a minute that is left."""
    call = Clocked(60)
    with call.longest:
        await call.sleep.pass_(10)
    await call.sleep.pass_(10_000)
    assert call.happened == []


class Broken:
    """A call whose ears or voice fail."""

    def __init__(self, folder: Path) -> None:
        self.voice = Voice()
        self.now = 0.0
        self.given_up = 0
        self.told: list[tuple[str, str]] = []
        self.trouble = Trouble(
            self.voice,
            SpokenLines(folder, voice="none"),
            ENGLISH,
            is_over=lambda: self.given_up > 0,
            give_up=self._give_up,
            now=lambda: self.now,
            on_saying=lambda line, stage: self.told.append((line, stage)),
        )

    def _give_up(self) -> None:
        self.given_up += 1

    async def fails(self, stage: str, *, nobody_hears: bool = False) -> None:
        if stage == "tts":
            self.trouble.on_mute()
        else:
            self.trouble.on_deaf(nobody_hears)
        await asyncio.sleep(0.05)  # a file is looked for, in a thread


@pytest.mark.parametrize("nobody_hears", [False, True])
async def test_ears_that_fail_are_apologised_for(tmp_path: Path, nobody_hears: bool) -> None:
    call = Broken(tmp_path)
    await call.fails("stt", nobody_hears=nobody_hears)
    (line,) = call.voice.said
    assert line == (ENGLISH.cannot_hear if nobody_hears else ENGLISH.not_caught)
    assert call.told == [(line, "stt")]


async def test_each_apology_is_for_its_stage(tmp_path: Path) -> None:
    """Where nobody said a word that could be heard, nothing has failed."""
    call = Broken(tmp_path)
    call.trouble.on_deaf_detector()
    await asyncio.sleep(0.05)
    call.trouble.on_wordless()
    await asyncio.sleep(0.05)
    assert call.voice.said == [ENGLISH.cannot_hear, ENGLISH.not_caught]
    assert call.told == [(ENGLISH.cannot_hear, "vad")]


async def test_a_voice_that_fails_is_not_asked_to_say_so(tmp_path: Path) -> None:
    """Without the sound of it in the cache it would only fail again."""
    call = Broken(tmp_path)
    await call.fails("tts")
    assert (call.voice.said, call.told) == ([], [])


@pytest.mark.parametrize(("seconds_between", "ends"), [(10, 1), (50, 0)])
async def test_a_stage_that_fails_too_often_ends_the_call(
    tmp_path: Path, seconds_between: float, ends: int
) -> None:
    """Three times in a minute, not three times in an hour."""
    call = Broken(tmp_path)
    for _ in range(3):
        await call.fails("stt")
        call.now += seconds_between
    assert call.given_up == ends
    said = len(call.voice.said)
    await call.fails("stt")
    assert (len(call.voice.said) == said) is bool(ends), "nothing is said behind a goodbye"

"""What June lends a skill: whatever the store does, the skill gets a sentence."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from skill_fakes import FakeKeptVoice

from agent.skill_ports import AWAY, FULL, TOO_LONG, CallAlarms, CallMemory, CallPorts
from session import MemoryFull, SessionError, StoreError, TextTooLong
from session.alarms import UserAlarms
from skills import Alarm, SkillError

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
ALARM = Alarm("tea", NOON, "tea", "Your tea timer is done.")


class Kept:
    """A store that fails as it is told to."""

    def __init__(self, error: SessionError | None = None) -> None:
        self.texts: dict[str, str] = {}
        self.error = error

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error

    async def put(self, key: str, text: str) -> None:
        self._fail()
        self.texts[key] = text

    async def all(self) -> Mapping[str, str]:
        self._fail()
        return dict(self.texts)

    async def take(self, key: str) -> str | None:
        self._fail()
        return self.texts.pop(key, None)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MemoryFull(), FULL),
        (TextTooLong("text", 4_000), TOO_LONG),
        (StoreError("away", retryable=True), AWAY),
    ],
)
async def test_what_cannot_be_kept_is_said(error: SessionError, sentence: str) -> None:
    """To the caller, or to the model."""
    memory = CallMemory(Kept(error))
    alarms = CallAlarms("timers", UserAlarms(Kept(error), UTC), lambda: None)
    for keeping in (memory.put("1", "text"), alarms.set(ALARM)):
        with pytest.raises(SkillError) as raised:
            await keeping
        assert str(raised.value) == sentence


async def test_a_call_without_a_store_keeps_nothing_and_says_so() -> None:
    """It would be gone with the call, and a promise broken."""
    memory, alarms = CallMemory(None), CallAlarms("timers", None, lambda: None)
    for asked in (memory.put("1", "text"), memory.all(), memory.take("1")):
        with pytest.raises(SkillError, match="memory"):
            await asked
    for asked_too in (alarms.set(ALARM), alarms.all(), alarms.cancel("tea")):
        with pytest.raises(SkillError, match="memory"):
            await asked_too


async def test_each_skill_sees_its_own_alarms() -> None:
    """And whoever rings them hears of each change."""
    kept, changes = UserAlarms(Kept(), UTC), []
    timers = CallAlarms("timers", kept, lambda: changes.append(1))
    cooking = CallAlarms("cooking", kept, lambda: changes.append(1))
    await timers.set(ALARM)
    assert (await timers.all(), await cooking.all()) == ([ALARM], [])
    assert not await cooking.cancel("tea")
    assert await timers.cancel("tea")
    assert len(changes) == 3


async def test_a_skill_that_speaks_while_the_call_ends_is_let_be() -> None:
    """Nobody listens any more."""

    async def over(_: str) -> None:
        raise RuntimeError("the call is ending")

    async def no_answer(_: str) -> str:
        return ""

    ports = CallPorts(
        language="en",
        skills=(),
        has_model=False,
        memory=CallMemory(None),
        alarms=CallAlarms("timers", None, lambda: None),
        voice=FakeKeptVoice(),
        clock=lambda: NOON,
        says=over,
        asks=no_answer,
        hangs_up=lambda: None,
    )
    await ports.say("One moment.")
    assert ports.now() == NOON

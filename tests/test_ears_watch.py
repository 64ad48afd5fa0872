"""June notices that she is deaf: somebody has spoken, and no text comes of it."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any, Literal, cast

import pytest
from guard_fakes import flying_time
from livekit import rtc
from livekit.agents import UserStateChangedEvent

import agent.ears_watch
from agent.ears_watch import LOCAL_PATIENCE, MOST_WORDLESS, EarsWatch
from agent.models.owed_speech import OwedSpeech

HUSH_SECONDS = 0.02
"""Of silence, until the VAD takes it for the end."""


class Ears:
    """As far as the watch asks them."""

    def __init__(self) -> None:
        self.owed = OwedSpeech()
        self.is_resting = False
        self.can_switch = False
        self.rebuilt: list[bool] = []
        """Whether what was said was to be forgotten."""

    def begin_speech(self) -> None:
        self.owed.begin()

    def rebuild(self, *, forget: bool) -> None:
        self.rebuilt.append(forget)
        if forget:
            self.owed.close()


class Stt:
    def __init__(self, ears: Ears, provider: str) -> None:
        self.ears = ears
        self.provider = provider


class Scene:
    """A caller, and what June would say."""

    def __init__(self, provider: str = "example.org") -> None:
        self.ears = Ears()
        self.said: list[str] = []
        self.is_over = False
        self.voice = cast(Any, rtc.EventEmitter[Literal["user_state_changed"]]())
        stt: Any = Stt(self.ears, provider)
        self.watch = EarsWatch(
            self.voice,
            stt,
            lambda nobody: self.said.append("nobody hears" if nobody else "not caught"),
            lambda: self.said.append("wordless"),
            is_over=lambda: self.is_over,
        )

    def _becomes(self, old: Any, new: Any) -> None:
        self.voice.emit(
            "user_state_changed",
            UserStateChangedEvent(old_state=old, new_state=new, created_at=time.time()),
        )

    def begins(self) -> None:
        self._becomes("listening", "speaking")

    async def speaks(self, seconds: float, *, words: str | None = None) -> None:
        """`words` None: the ears say nothing of it; empty: that there are none."""
        self.begins()
        self.watch._began_at -= seconds + HUSH_SECONDS
        self._becomes("speaking", "listening")
        if words is not None:
            self.ears.owed.tell(has_words=bool(words))
        await self.settle()

    async def settle(self) -> None:
        if self.watch._waiting is not None:
            await asyncio.wait({self.watch._waiting}, timeout=5)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent.ears_watch, "TEXT_SECONDS", 0.06)
    monkeypatch.setattr(agent.ears_watch, "SWITCH_SECONDS", 0.04)
    monkeypatch.setattr(agent.ears_watch, "AGAIN_SECONDS", 0.02)
    monkeypatch.setattr(agent.ears_watch, "SILENCE_SECONDS", HUSH_SECONDS)


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    with scene.watch:
        yield scene


async def test_who_is_understood_is_not_asked_again(scene: Scene) -> None:
    await scene.speaks(2.0, words="Hello.")
    assert (scene.said, scene.ears.rebuilt) == ([], [])


async def test_who_is_not_understood_is_asked_to_repeat_it(scene: Scene) -> None:
    """The ears are rebuilt, and what was said to them is not heard a second time."""
    await scene.speaks(2.0)
    assert (scene.said, scene.ears.rebuilt) == (["not caught"], [True])


async def test_who_was_understood_before_may_not_be_now(scene: Scene) -> None:
    """Each speech has an answer of its own."""
    await scene.speaks(2.0, words="Hello.")
    await scene.speaks(2.0)
    assert (scene.said, scene.ears.rebuilt) == (["not caught"], [True])


async def test_the_silence_after_a_cough_is_no_speech(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The VAD tells of its end so much later."""
    monkeypatch.setattr(agent.ears_watch, "SILENCE_SECONDS", 0.5)
    scene.begins()
    scene.watch._began_at -= 0.8
    scene._becomes("speaking", "listening")
    await scene.settle()
    assert scene.said == []


@pytest.mark.parametrize(("provider", "times"), [("example.org", 1), ("local", LOCAL_PATIENCE)])
async def test_ears_of_this_machine_are_waited_for_longer(
    provider: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the end of speech, which the VAD told of later."""
    monkeypatch.setattr(agent.ears_watch, "TEXT_SECONDS", 2.0)
    scene, loop = Scene(provider), asyncio.get_running_loop()
    with flying_time(), scene.watch:
        began = loop.time()
        await scene.speaks(2.0)
        assert loop.time() - began == pytest.approx(2.0 * times - HUSH_SECONDS, abs=0.2)
    assert scene.said == ["not caught"]


async def test_a_cough_is_nothing(scene: Scene) -> None:
    await scene.speaks(0.3)
    assert (scene.said, scene.ears.rebuilt) == ([], [])


async def test_words_that_are_never_final_are_words_however_few(scene: Scene) -> None:
    scene.begins()
    scene.ears.owed.has_words = True
    scene._becomes("speaking", "listening")
    await scene.settle()
    assert scene.said == ["not caught"]


async def test_somebody_else_is_asked_first(scene: Scene) -> None:
    """With what was said; the caller is asked only if they say nothing either."""
    scene.ears.can_switch = True
    await scene.speaks(2.0)
    assert (scene.said, scene.ears.rebuilt) == (["not caught"], [False, True])
    await scene.speaks(0.3)
    assert scene.ears.rebuilt == [False, True]


async def test_where_nobody_listens_it_is_said_at_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent.ears_watch, "TEXT_SECONDS", 600.0)
    scene.ears.is_resting = True
    await scene.speaks(2.0)
    assert scene.said == ["nobody hears"]


async def test_who_speaks_on_is_heard_out(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait begins anew at the end of it."""
    monkeypatch.setattr(agent.ears_watch, "TEXT_SECONDS", 600.0)
    scene.begins()
    scene._becomes("speaking", "listening")
    waiting = scene.watch._waiting
    assert waiting is not None
    scene.begins()
    await asyncio.wait({waiting}, timeout=5)
    assert waiting.cancelled()
    assert scene.said == []


async def test_speech_without_words_is_answered_and_a_television_is_not(scene: Scene) -> None:
    """Twice in a row; once there are words, again."""
    for _ in range(MOST_WORDLESS + 3):
        await scene.speaks(2.0, words="")
    assert scene.said == ["wordless"] * MOST_WORDLESS
    assert scene.ears.rebuilt == []
    await scene.speaks(2.0, words="Hello.")
    await scene.speaks(2.0, words="")
    assert scene.said == ["wordless"] * (MOST_WORDLESS + 1)


async def test_ears_of_this_machine_know_noise_themselves() -> None:
    scene = Scene("local")
    with scene.watch:
        await scene.speaks(2.0, words="")
    assert scene.said == []


async def test_a_call_that_ends_leaves_no_task(scene: Scene) -> None:
    scene.begins()
    scene._becomes("speaking", "listening")
    waiting = scene.watch._waiting
    assert waiting is not None
    scene.watch.__exit__(None, None, None)
    await asyncio.wait({waiting}, timeout=5)
    assert waiting.cancelled()
    scene.begins()
    assert scene.watch._waiting is None

"""A voice detector that dies, or goes deaf, is followed by another one in the same call."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

import pytest
from guard_fakes import flying_time
from livekit import rtc
from livekit.agents import vad
from livekit.agents.vad import VADEvent, VADEventType
from structlog.testing import capture_logs

from agent.models import guarded_vad
from agent.models.guarded_vad import (
    DEAF_SECONDS,
    FAIR_MOMENTS,
    MOMENT_SECONDS,
    GuardedVAD,
    GuardedVADStream,
)

RATE = 16_000
FRAME_SECONDS = 1 / 32
"""Adds up without rounding."""

DEAF_FRAMES = int(DEAF_SECONDS / FRAME_SECONDS)

START, JUDGED, END = (
    VADEventType.START_OF_SPEECH,
    VADEventType.INFERENCE_DONE,
    VADEventType.END_OF_SPEECH,
)

CYCLES = 30
"""Of the event loop: enough for whatever needs no time."""


def sound(number: int = 0) -> rtc.AudioFrame:
    """One that can be told from others."""
    samples = int(RATE * FRAME_SECONDS)
    return rtc.AudioFrame(number.to_bytes(2, "little") * samples, RATE, 1, samples)


def event(kind: VADEventType, frames: list[rtc.AudioFrame] | None = None) -> VADEvent:
    return VADEvent(
        type=kind,
        samples_index=0,
        timestamp=1.0,
        speech_duration=0.5,
        silence_duration=0.0,
        frames=frames or [],
        speaking=kind is START,
    )


Script = list[VADEventType | Exception | Literal["ends", "goes deaf"]]
"""What is made of one frame after the other. All later ones are judged."""

DEAF: Script = ["goes deaf"]
"""It takes what it is given and says nothing."""


class Detector(vad.VAD):
    """Each stream of it follows the next of these scripts, and all after the last are well."""

    def __init__(self, *scripts: Script) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=0.032))
        self._label = "the detector"
        self.min_silence_duration = 0.4
        self.scripts = list(scripts)
        self.streams: list[Inner] = []
        self.kind: type[Inner] = Inner

    @property
    def model(self) -> str:
        return "fake"

    @property
    def provider(self) -> str:
        return "nobody"

    def stream(self) -> "Inner":
        script = self.scripts.pop(0) if self.scripts else []
        self.streams.append(self.kind(self, script))
        return self.streams[-1]


class Inner(vad.VADStream):
    def __init__(self, owner: Detector, script: Script) -> None:
        self.script = script
        self.numbers: list[int] = []
        self.flushes = 0
        self.closed = False
        self.fails_to_close = False
        super().__init__(owner)

    async def _main_task(self) -> None:
        async for item in self._input_ch:
            if not isinstance(item, rtc.AudioFrame):
                self.flushes += 1
                continue
            self.numbers.append(int(item.data[0]))
            match self.script.pop(0) if self.script else JUDGED:
                case "ends":
                    return
                case "goes deaf":
                    await asyncio.Event().wait()
                case Exception() as error:
                    raise error
                case VADEventType() as kind:
                    self._event_ch.send_nowait(event(kind, [item]))

    async def aclose(self) -> None:
        await super().aclose()
        self.closed = True
        if self.fails_to_close:
            raise ValueError("cannot even close")


def died() -> Exception:
    return ValueError("the detector is broken")


class Scene:
    """A call whose sound is judged by it."""

    def __init__(self, *scripts: Script) -> None:
        self.tasks = asyncio.all_tasks()
        self.detector = Detector(*map(list, scripts))
        self.guarded = GuardedVAD(self.detector)
        self.guarded.on_rebuilt = self._on_rebuilt
        self.rebuilt = 0
        self.heard: list[VADEvent] = []
        self.pushed = 0
        self.stream: GuardedVADStream = self.guarded.stream()
        self.listening = asyncio.create_task(self._listen())

    def _on_rebuilt(self) -> None:
        self.rebuilt += 1

    async def _listen(self) -> None:
        async for one in self.stream:
            self.heard.append(one)

    @property
    def kinds(self) -> list[VADEventType]:
        return [one.type for one in self.heard]

    async def settles(self) -> None:
        for _ in range(CYCLES):
            await asyncio.sleep(0)

    async def hear(self, frames: int = 1) -> None:
        """So many, one after the other, each as it is spoken and as soon as all else is done."""
        for _ in range(frames):
            self.pushed += 1
            self.stream.push_frame(sound(self.pushed))
            await self.settles()
            await asyncio.sleep(FRAME_SECONDS)

    async def waits(self) -> None:
        """Until one that says nothing was given every chance."""
        await asyncio.sleep((FAIR_MOMENTS + 1) * MOMENT_SECONDS)
        await self.settles()

    async def ends(self) -> list[VADEventType]:
        """What was heard in all of it."""
        self.stream.end_input()
        await self.listening
        return self.kinds

    async def close(self) -> set[asyncio.Task[object]]:
        """Tasks that are left."""
        await self.stream.aclose()
        await self.listening
        return asyncio.all_tasks() - self.tasks


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_vad, "PAUSE_SECONDS", 0)


@pytest.fixture(autouse=True)
async def _no_real_time() -> AsyncIterator[None]:
    with flying_time():
        yield


@pytest.fixture
async def call() -> AsyncIterator[Callable[..., Scene]]:
    """Makes scenes, which are over when the test is."""
    scenes: list[Scene] = []

    def begin(*scripts: Script) -> Scene:
        scenes.append(Scene(*scripts))
        return scenes[-1]

    yield begin
    for scene in scenes:
        await scene.close()


Call = Callable[..., Scene]


async def test_one_that_is_well_is_left_alone(call: Call) -> None:
    """Whatever it says is passed on as it is, and it ends with its input."""
    scene = call([START, JUDGED, END])
    await scene.hear(4)
    assert await scene.ends() == [START, JUDGED, END, JUDGED]
    assert [int(one.frames[0].data[0]) for one in scene.heard] == [1, 2, 3, 4]
    assert (scene.rebuilt, len(scene.detector.streams)) == (0, 1)
    assert scene.detector.streams[0].closed


@pytest.mark.parametrize("last", [died(), "ends"])
async def test_one_that_dies_is_followed_by_another(call: Call, last: Any) -> None:
    """With an error, or without a word; what is said next is judged."""
    scene = call([JUDGED, last])
    with capture_logs() as logs:
        await scene.hear(4)
    assert await scene.ends() == [JUDGED, JUDGED, JUDGED]
    assert scene.rebuilt == 1
    first, second = scene.detector.streams
    assert (first.numbers, second.numbers) == ([1, 2], [3, 4])
    assert first.closed
    events = [entry["event"] for entry in logs]
    assert events == ([] if last == "ends" else ["vad.failed"]) + ["vad.rebuilt"]
    assert "broken" not in str(logs)


async def test_it_is_made_anew_as_often_as_it_dies(call: Call) -> None:
    """It is for others to say when that is too often."""
    scene = call(*([died()] for _ in range(5)))
    await scene.hear(7)
    assert await scene.ends() == [JUDGED, JUDGED]
    assert (scene.rebuilt, len(scene.detector.streams)) == (5, 6)
    assert all(stream.closed for stream in scene.detector.streams)


async def test_one_that_cannot_close_is_followed_all_the_same(call: Call) -> None:
    scene = call([died()])
    await scene.settles()
    scene.detector.streams[0].fails_to_close = True
    await scene.hear(2)
    assert await scene.ends() == [JUDGED]
    assert scene.rebuilt == 1


async def test_one_that_says_nothing_is_followed_by_another(call: Call) -> None:
    """Of that much sound, and no less."""
    scene = call(DEAF)
    await scene.hear(DEAF_FRAMES)
    await scene.waits()
    assert scene.rebuilt == 0
    await scene.hear()
    await scene.waits()
    assert scene.rebuilt == 1
    assert scene.detector.streams[0].closed
    await scene.hear(2)
    assert await scene.ends() == [JUDGED, JUDGED]


async def test_each_one_has_that_much_sound_to_say_something(call: Call) -> None:
    """What the one before it said nothing of does not count."""
    scene = call(DEAF, DEAF)
    await scene.hear(2 * DEAF_FRAMES + 1)
    await scene.waits()
    assert scene.rebuilt == 1
    await scene.hear()
    await scene.waits()
    assert scene.rebuilt == 2


async def test_whatever_it_says_shows_that_it_hears(call: Call) -> None:
    """A caller may be silent for long."""
    scene = call([])
    await scene.hear(2 * DEAF_FRAMES)
    await scene.waits()
    assert scene.rebuilt == 0


async def test_without_sound_there_is_nothing_to_say(call: Call) -> None:
    """A microphone that is off sends none."""
    scene = call(DEAF)
    for _ in range(200):
        scene.stream.flush()
    await scene.settles()
    assert scene.rebuilt == 0


@pytest.mark.parametrize("last", [died(), "ends"])
async def test_who_was_speaking_has_ended(call: Call, last: Any) -> None:
    """Once; else LiveKit would wait for the end of it for ever."""
    scene = call([START, JUDGED, last], [last])
    await scene.hear(5)
    assert await scene.ends() == [START, JUDGED, END, JUDGED]
    assert scene.rebuilt == 2
    assert not scene.heard[2].speaking
    assert scene.heard[0].speaking  # and what was said before stays true


async def test_who_was_speaking_to_a_deaf_one_has_ended(call: Call) -> None:
    """It heard the beginning, and nothing after that."""
    scene = call([START, "goes deaf"])
    await scene.hear(1 + DEAF_FRAMES)
    await scene.waits()
    assert scene.kinds == [START]
    await scene.hear()
    await scene.waits()
    assert scene.kinds == [START, END]
    await scene.hear()
    assert scene.kinds == [START, END, JUDGED]


@pytest.mark.parametrize("script", [[JUDGED, died()], [START, END, died()]])
async def test_who_was_not_speaking_has_not_ended(call: Call, script: Script) -> None:
    """Or ended before."""
    scene = call(script)
    await scene.hear(3)
    assert scene.rebuilt == 1
    assert scene.kinds.count(END) == script.count(END)


async def test_it_ends_with_its_input_even_if_the_detector_does_not(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = call(DEAF)
    await scene.hear()
    monkeypatch.setattr(guarded_vad, "DEAF_SECONDS", 0)
    assert await scene.ends() == []
    assert scene.rebuilt == 0
    assert scene.detector.streams[0].closed


async def test_flushes_are_passed_on(call: Call) -> None:
    """LiveKit flushes after each turn; and the end of its input is one more."""
    scene = call()
    await scene.hear()
    scene.stream.flush()
    await scene.ends()
    assert scene.detector.streams[0].flushes >= 2


async def test_sound_of_the_pause_is_judged_after_it(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller does not know of it."""
    monkeypatch.setattr(guarded_vad, "PAUSE_SECONDS", 0.01)
    scene = call([died()])
    await scene.hear()
    for number in (2, 3, 4):
        scene.stream.push_frame(sound(number))
    assert await scene.ends() == [JUDGED] * 3
    assert scene.detector.streams[1].numbers == [2, 3, 4]


@pytest.mark.parametrize("script", [[], DEAF, [died()], [START]])
@pytest.mark.parametrize("frames", [0, 1])
@pytest.mark.parametrize("pause_seconds", [0, 3_600])
async def test_who_closes_it_leaves_nothing_behind(
    script: Script, frames: int, pause_seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it judges, while it is deaf, before it has begun, and before it is made anew."""
    monkeypatch.setattr(guarded_vad, "PAUSE_SECONDS", pause_seconds)
    scene = Scene(script)
    await scene.hear(frames)
    assert not await scene.close()
    assert all(stream.closed for stream in scene.detector.streams)


async def test_who_closes_it_at_once_leaves_nothing_behind() -> None:
    scene = Scene()
    assert not await scene.close()


async def test_two_calls_may_share_a_detector(call: Call) -> None:
    """The death of one stream is no matter of the other's."""
    scene = call([died()])
    other = GuardedVAD(scene.detector).stream()
    await scene.hear(2)
    other.push_frame(sound())
    other.end_input()
    assert [one.type async for one in other] == [JUDGED]
    await other.aclose()
    assert scene.rebuilt == 1


async def test_livekit_sees_the_detector_itself() -> None:
    detector = Detector()
    guarded = GuardedVAD(detector)
    assert guarded.capabilities == detector.capabilities
    assert (guarded.model, guarded.provider) == ("fake", "nobody")
    assert guarded._label == "the detector"
    assert guarded.min_silence_duration == 0.4


@pytest.mark.parametrize("last", [died(), "ends"])
@pytest.mark.parametrize("cycles", range(12))
async def test_sound_may_come_at_any_moment_of_its_death(
    call: Call, last: Any, cycles: int
) -> None:
    scene = call([last])
    await scene.settles()
    scene.stream.push_frame(sound(1))
    for _ in range(cycles):
        await asyncio.sleep(0)
    scene.stream.push_frame(sound(2))
    await scene.settles()
    await scene.hear()
    assert JUDGED in await scene.ends()
    assert scene.rebuilt == 1


@pytest.mark.parametrize("last", [died(), "ends"])
@pytest.mark.parametrize("cycles", range(12))
async def test_the_input_may_end_at_any_moment_of_its_death(
    call: Call, last: Any, cycles: int
) -> None:
    """Also while it is being flushed."""
    scene = call([last])
    await scene.settles()
    scene.stream.push_frame(sound(1))
    for _ in range(cycles):
        await asyncio.sleep(0)
    scene.stream.flush()
    assert await scene.ends() == []
    assert not await scene.close()


def cannot_be_made(scene: Scene, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """So often; then it can."""
    real, failures = scene.detector.stream, iter(range(times))

    def make() -> Inner:
        if next(failures, None) is not None:
            raise MemoryError
        return real()

    monkeypatch.setattr(scene.detector, "stream", make)


async def test_one_that_cannot_be_made_is_tried_again(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time is told, for somebody has to end a call that stays deaf."""
    monkeypatch.setattr(guarded_vad, "PAUSE_SECONDS", FRAME_SECONDS)
    scene = call([died()])
    await scene.settles()
    cannot_be_made(scene, monkeypatch, 3)
    await scene.hear(6)
    assert await scene.ends() == [JUDGED] * 5
    assert scene.rebuilt == 4


async def test_it_ends_with_its_input_even_if_none_can_be_made(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = call([died()])
    await scene.settles()
    cannot_be_made(scene, monkeypatch, 1_000_000)
    await scene.hear()
    assert await scene.ends() == []


class Slow(Inner):
    """Works in another thread, which takes its time."""

    async def _main_task(self) -> None:
        async for item in self._input_ch:
            if isinstance(item, rtc.AudioFrame):
                await asyncio.sleep(0.01 if self.numbers else 0.3)
                self.numbers.append(int(item.data[0]))
                self._event_ch.send_nowait(event(JUDGED))


@pytest.mark.parametrize("kind", [Inner, Slow])
@pytest.mark.parametrize("frames", [100, 1_000])
async def test_sound_that_comes_all_at_once_is_no_deafness(
    call: Call, kind: type[Inner], frames: int
) -> None:
    """After a standstill of this process, or where one was made anew late."""
    scene = call()
    scene.detector.kind = kind
    for _ in range(frames):
        scene.stream.push_frame(sound())
    await asyncio.sleep(frames * FRAME_SECONDS)
    assert (len(scene.heard), scene.rebuilt) == (frames, 0)


async def test_one_that_is_deaf_to_all_that_comes_at_once_is_deaf(call: Call) -> None:
    scene = call(DEAF)
    for number in range(100):
        scene.stream.push_frame(sound(number))
    await scene.waits()
    assert scene.rebuilt == 1

"""Sound as a caller can use it: speech, in time, at the call's rate."""

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit import rtc

from agent.models.audible import SURE_SECONDS, at_rate, audible, can_be_said, in_time
from agent.models.guard import TooSlow, Useless

PAGE = (
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>"
    b"<center><h1>502 Bad Gateway</h1></center><hr></body></html>\r\n"
)
RATES = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000]
FOREVER = 3600.0


def tone(seconds: float, rate: int = 24_000, peak: int = 8_000) -> bytes:
    steps = np.arange(int(seconds * rate)) * (2 * np.pi * 220 / rate)
    return bytes((np.sin(steps) * peak).astype(np.int16).tobytes())


def silence(seconds: float, rate: int = 24_000) -> bytes:
    return bytes(2 * int(seconds * rate))


def cut(data: bytes, rate: int = 24_000, frame_seconds: float = 0.02) -> list[rtc.AudioFrame]:
    step = max(2, 2 * int(rate * frame_seconds))
    pieces = (data[start : start + step] for start in range(0, len(data) // 2 * 2, step))
    return [
        rtc.AudioFrame(piece[: len(piece) // 2 * 2], rate, 1, len(piece) // 2) for piece in pieces
    ]


class Voice:
    """Speaks these frames; then it ends, fails, or says nothing more until it is released."""

    def __init__(
        self,
        frames: Sequence[rtc.AudioFrame],
        *,
        fails: Exception | None = None,
        hangs: bool = False,
    ) -> None:
        self.frames = frames
        self.fails = fails
        self.hangs = hangs
        self.given = 0
        self.closed = False
        self.released = asyncio.Event()

    async def sound(self) -> AsyncGenerator[rtc.AudioFrame, None]:
        try:
            for frame in self.frames:
                self.given += 1
                yield frame
            if self.hangs:
                await self.released.wait()
            if self.fails is not None:
                raise self.fails
        finally:
            self.closed = True


def joined(frames: Sequence[rtc.AudioFrame]) -> bytes:
    return b"".join(bytes(frame.data.cast("b")) for frame in frames)


async def pass_on(
    sound: AsyncGenerator[rtc.AudioFrame, None], passed: list[rtc.AudioFrame]
) -> None:
    """What comes before an error counts too."""
    async for frame in sound:
        passed.append(frame)  # noqa: PERF401


async def heard(voice: Voice, text: str = "Hello there.") -> bytes:
    return joined([frame async for frame in audible(voice.sound(), text)])


@pytest.mark.parametrize("text", ["", "  ", "…", "🎉", "--- **", "?!"])
def test_there_is_nothing_to_pronounce(text: str) -> None:
    assert not can_be_said(text)


@pytest.mark.parametrize("text", ["a", "7", "„Ja“", "你好", "…and"])
def test_there_is_something_to_pronounce(text: str) -> None:
    assert can_be_said(text)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frame_seconds", [0.001, 0.02, 0.2, 5.0])
@pytest.mark.parametrize("silent_seconds", [0.0, 0.05, 0.3])
async def test_speech_passes_whole_and_unchanged(
    rate: int, frame_seconds: float, silent_seconds: float
) -> None:
    """Also with silence before it, in it, and after it."""
    data = silence(silent_seconds, rate) + tone(0.3, rate) + silence(0.3, rate) + tone(0.2, rate)
    data += silence(0.3, rate)
    voice = Voice(cut(data, rate, frame_seconds))
    assert await heard(voice) == data
    assert voice.closed


@given(st.lists(st.binary(max_size=300), max_size=30), st.booleans())
async def test_all_of_it_or_an_error(pieces: list[bytes], has_tone: bool) -> None:
    """Whatever bytes a server sends, in frames of whatever sizes: nothing is lost or made up."""
    if has_tone:
        pieces = [tone(0.11), *pieces]
    frames = [rtc.AudioFrame(one[: len(one) // 2 * 2], 24_000, 1, len(one) // 2) for one in pieces]
    try:
        passed = await heard(Voice(frames), "Hi")
    except Useless:
        assert not has_tone
    else:
        assert passed == joined(frames)


@pytest.mark.parametrize("silent_seconds", [0.0, 0.4])
async def test_nothing_passes_before_it_is_sure(silent_seconds: float) -> None:
    """A voice that fails until then can be followed by another one."""
    voice = Voice(cut(silence(silent_seconds) + tone(0.5)))
    sound = audible(voice.sound(), "Hello there.")
    await anext(sound)
    wanted = max(SURE_SECONDS, silent_seconds + 0.02)
    assert voice.given * 0.02 == pytest.approx(wanted, abs=1e-6)
    await sound.aclose()
    assert voice.closed


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.5, 3.0])
async def test_silence_is_no_speech(seconds: float) -> None:
    """Nor is an answer without any sound, or noise that no caller hears."""
    with pytest.raises(Useless, match="silence"):
        await heard(Voice(cut(silence(seconds))))
    with pytest.raises(Useless, match="silence"):
        await heard(Voice(cut(tone(seconds, peak=20))))


async def test_silence_that_comes_with_an_error_ends_with_that() -> None:
    """It says more about the provider."""
    with pytest.raises(ValueError, match="cut"):
        await heard(Voice(cut(silence(0.5)), fails=ValueError("cut")))


async def test_the_loudest_there_is_counts_as_loud() -> None:
    """-32,768 has no positive counterpart in 16 bits."""
    data = b"\x00\x80" * 4_800
    assert await heard(Voice(cut(data)), "Hi") == data


async def test_next_to_nothing_is_no_speech() -> None:
    """As is left of a stream that breaks off at once."""
    with pytest.raises(Useless, match="next to nothing"):
        await heard(Voice(cut(tone(0.04))), "The capital of France is Paris.")


async def test_a_short_word_may_be_short() -> None:
    data = tone(0.09)
    assert await heard(Voice(cut(data)), "Hi") == data


@pytest.mark.parametrize("times", [1, 5, 500])
@pytest.mark.parametrize("frame_seconds", [0.0001, 0.02, 1.0])
async def test_a_web_page_is_no_speech(times: int, frame_seconds: float) -> None:
    """It would be heard as a burst of noise."""
    voice = Voice(cut(PAGE * times, frame_seconds=frame_seconds))
    with pytest.raises(Useless, match="text"):
        await heard(voice, "Hi")
    assert voice.closed


async def test_fine_sound_may_have_letters_in_it() -> None:
    """One byte that is none shows that it is sound."""
    data = PAGE * 50 + tone(0.3)
    whole = cut(data, frame_seconds=5.0)
    assert await heard(Voice(whole)) == data


async def test_letters_with_silence_between_them_are_sound() -> None:
    """A text has no zeros in it; soft sound is made of them."""
    data = tone(0.3, peak=100).replace(b"\xff", b"\x00").replace(b"\xfe", b"\x00")
    data = bytes(byte & 0x7F for byte in data)
    assert data.isascii()
    assert await heard(Voice(cut(data))) == data


async def test_sound_without_a_silent_step_is_no_text() -> None:
    """Loud sound of a tenth of a second need not have a zero in it."""
    data = tone(0.3, peak=30_000).replace(b"\x00", b"\x81")
    assert 0 not in data
    assert await heard(Voice(cut(data))) == data


async def test_a_failure_after_it_is_sure_comes_after_the_sound() -> None:
    voice = Voice(cut(tone(0.3)), fails=ValueError("cut"))
    passed: list[rtc.AudioFrame] = []
    with pytest.raises(ValueError, match="cut"):
        await pass_on(audible(voice.sound(), "Hello there."), passed)
    assert joined(passed) == tone(0.3)


async def test_sound_in_time_is_left_as_it_is() -> None:
    voice = Voice(cut(tone(0.3)))
    sound = in_time(voice.sound(), first_seconds=FOREVER, stall_seconds=FOREVER)
    assert joined([frame async for frame in sound]) == tone(0.3)
    assert voice.closed


@pytest.mark.parametrize("first_seconds", [0.0, 0.001])
async def test_a_first_sound_that_does_not_come_is_not_waited_for(first_seconds: float) -> None:
    voice = Voice([], hangs=True)
    with pytest.raises(TooSlow):
        await anext(in_time(voice.sound(), first_seconds=first_seconds, stall_seconds=FOREVER))
    assert voice.closed


async def test_what_is_there_already_needs_no_time() -> None:
    """A turn whose time is up still takes a voice that is instant."""
    sound = in_time(Voice(cut(tone(0.1))).sound(), first_seconds=0.0, stall_seconds=FOREVER)
    assert joined([frame async for frame in sound]) == tone(0.1)


async def test_a_voice_that_stalls_is_not_waited_for() -> None:
    """What came before is passed on; the first deadline has no say any more."""
    voice = Voice(cut(tone(0.002), frame_seconds=0.001), hangs=True)
    passed: list[rtc.AudioFrame] = []
    sound = in_time(voice.sound(), first_seconds=FOREVER, stall_seconds=0.001)
    with pytest.raises(TooSlow):
        await pass_on(sound, passed)
    assert joined(passed) == tone(0.002)
    assert voice.closed


async def test_a_pause_that_is_short_enough_is_no_stall() -> None:
    """With all played that has come, there is still that much time for more."""
    voice = Voice(cut(tone(0.002), frame_seconds=0.001), hangs=True)
    sound = in_time(voice.sound(), first_seconds=FOREVER, stall_seconds=FOREVER)
    for _ in voice.frames:
        await anext(sound)
    loop = asyncio.get_running_loop()
    played = loop.time() + 0.002
    more = asyncio.ensure_future(anext(sound, None))
    while loop.time() < played + 0.002:
        await asyncio.sleep(0)
    assert not more.done()
    voice.released.set()
    assert await more is None


@pytest.mark.parametrize("first_seconds", [FOREVER, math.inf])
async def test_where_nobody_waits_there_is_no_hurry(first_seconds: float) -> None:
    """The turn's clock says that with an infinity."""
    voice = Voice([], hangs=True)
    sound = in_time(voice.sound(), first_seconds=first_seconds, stall_seconds=0.0)
    first = asyncio.ensure_future(anext(sound, None))
    for _ in range(9):
        await asyncio.sleep(0)
    assert not first.done()
    voice.released.set()
    assert await first is None


async def test_a_stall_is_not_heard_while_there_is_sound_to_play() -> None:
    """A second has come at once: for that long nothing more is needed."""
    voice = Voice(cut(tone(1.0)), hangs=True)
    sound = in_time(voice.sound(), first_seconds=FOREVER, stall_seconds=0.0)
    for _ in voice.frames:
        await anext(sound)
    more = asyncio.ensure_future(anext(sound, None))
    for _ in range(9):  # a deadline that is over ends it in two
        await asyncio.sleep(0)
    assert not more.done()
    voice.released.set()
    assert await more is None


async def test_a_voice_that_fails_says_so_itself() -> None:
    sound = Voice([], fails=ValueError("cut")).sound()
    with pytest.raises(ValueError, match="cut"):
        await anext(in_time(sound, first_seconds=FOREVER, stall_seconds=FOREVER))


async def test_who_is_cancelled_has_closed_the_voice() -> None:
    """The caller cuts in: that is no failure, and nothing speaks on."""
    voice = Voice(cut(tone(0.2)), hangs=True)

    async def listen() -> None:
        timed = in_time(audible(voice.sound(), "Hi"), first_seconds=FOREVER, stall_seconds=FOREVER)
        async for _ in at_rate(timed, 48_000):
            pass

    listening = asyncio.create_task(listen())
    while voice.given < len(voice.frames):
        await asyncio.sleep(0)
    listening.cancel()
    await asyncio.wait({listening})
    assert listening.cancelled()
    assert voice.closed


async def test_who_stops_early_has_closed_the_voice() -> None:
    voice = Voice(cut(tone(2.0)))
    timed = in_time(audible(voice.sound(), "Hi"), first_seconds=FOREVER, stall_seconds=FOREVER)
    sound = at_rate(timed, 48_000)
    await anext(sound)
    await sound.aclose()
    assert voice.closed


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("wanted", [16_000, 24_000, 48_000])
async def test_it_is_as_long_at_another_rate(rate: int, wanted: int) -> None:
    """And as loud."""
    voice = Voice(cut(tone(1.0, rate), rate))
    frames = [frame async for frame in at_rate(voice.sound(), wanted)]
    assert {frame.sample_rate for frame in frames} == {wanted}
    assert sum(frame.duration for frame in frames) == pytest.approx(1.0, abs=0.02)
    peak = np.abs(np.frombuffer(joined(frames), np.int16).astype(np.int32)).max()
    assert peak == pytest.approx(8_000, rel=0.1)
    assert voice.closed


async def test_the_same_rate_is_left_as_it_is() -> None:
    frames = cut(tone(0.3))
    passed = [frame async for frame in at_rate(Voice(frames).sound(), 24_000)]
    assert all(one is other for one, other in zip(passed, frames, strict=True))


async def test_no_sound_is_none_at_any_rate() -> None:
    assert [frame async for frame in at_rate(Voice([]).sound(), 48_000)] == []


PAGES = [
    ("<p>Störung.\tBitte später noch einmal.</p>\r\n", "utf-8"),
    ("<p>服务器暂时不可用</p>\n", "utf-8"),
    ("<p>Störung. Bitte später noch einmal.</p>", "latin-1"),
    ("<p>サーバーエラー</p>", "shift-jis"),
]


@pytest.mark.parametrize(("page", "encoding"), PAGES)
@pytest.mark.parametrize("frame_seconds", [0.02, 0.1, 0.0333])
async def test_a_page_in_another_language_is_no_speech(
    page: str, encoding: str, frame_seconds: float
) -> None:
    """Wherever it is cut: in the middle of a letter too."""
    for letters_before in ("", "a"):
        data = (letters_before + page * 500).encode(encoding)
        with pytest.raises(Useless, match="text"):
            await heard(Voice(cut(data, frame_seconds=frame_seconds)), "Hi")


@given(st.integers(100, 4_000), st.integers(-8_000, 8_000), st.integers(100, 24_000))
async def test_no_sound_is_taken_for_a_page(hertz: int, offset: int, peak: int) -> None:
    """Loud or soft, high or low, and around whatever zero."""
    steps = np.arange(int(SURE_SECONDS * 24_000)) * (2 * np.pi * hertz / 24_000)
    wave = np.sin(steps) * peak + offset + np.random.default_rng(hertz).normal(0, 20, len(steps))
    data = bytes(wave.astype(np.int16).tobytes())
    assert await heard(Voice(cut(data)), "Hi") == data


async def test_a_moment_of_sound_is_not_a_long_sentence() -> None:
    """It has ended well, but early; what there was of it has been heard by then."""
    passed: list[rtc.AudioFrame] = []
    with pytest.raises(Useless, match="next to nothing"):
        await pass_on(audible(Voice(cut(tone(0.2))).sound(), "word " * 120), passed)
    assert joined(passed) == tone(0.2)


async def test_only_what_is_pronounced_needs_time() -> None:
    assert await heard(Voice(cut(tone(0.3))), f"Hi {'-' * 300} {'🎉' * 300}") == tone(0.3)


async def test_silence_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """4,000 frames of it took 25 s of the event loop."""
    looks = 0

    def look(frame: rtc.AudioFrame) -> bool:
        nonlocal looks
        looks += 1
        return not any(frame.data)

    monkeypatch.setattr("agent.models.audible._is_silent", look)
    with pytest.raises(Useless):
        await heard(Voice(cut(silence(30.0))))
    assert looks == 1_500

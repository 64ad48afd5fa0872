"""From words to sound: June's own lines from the cache, and an apology where her voice fails."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit import rtc
from livekit.agents import Agent, APIConnectionError, APIError, ModelSettings, llm
from livekit.agents.utils import log_exceptions
from speech_fakes import NoSkills, wide_window
from structlog.testing import capture_logs

from agent.assistant import June
from agent.lines import ENGLISH, GERMAN, LINES, Lines
from agent.models.refused import Refused
from agent.models.turn_clock import TurnClock
from agent.mouth import Mouth
from agent.spoken import SpokenLines
from agent.turn_times import TurnTimes
from session.limits import ALLOWED, Decision

RATE = 16_000
SYNTHESISED = rtc.AudioFrame(b"\x07\x00" * 160, RATE, 1, 160)


class CachedSound(SpokenLines):
    """A cache that is no file: each line of it sounds like its place in it."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(Path("nowhere"), voice="none")
        self.texts = list(texts)

    def of(self, text: str) -> bytes:
        return (100 + self.texts.index(text)).to_bytes(2, "little") * 1_700

    async def sound_of(self, text: str) -> rtc.AudioFrame | None:
        if text not in self.texts:
            return None
        return rtc.AudioFrame(self.of(text), RATE, 1, 1_700)


class Voice:
    """Says so many frames of what it is given; then it ends, fails, or hangs."""

    def __init__(
        self, *, frames: int = 2, fails: Exception | None = None, hangs: bool = False
    ) -> None:
        self.frames = frames
        self.fails = fails
        self.hangs = hangs
        self.was_asked = False
        self.text = ""
        self.closed = False

    async def synthesise(self, text: AsyncIterable[str]) -> AsyncGenerator[rtc.AudioFrame, None]:
        self.was_asked = True
        try:
            async for piece in text:
                self.text += piece
            for _ in range(self.frames):
                yield SYNTHESISED
            if self.hangs:
                await asyncio.Event().wait()
            if self.fails is not None:
                raise self.fails
        finally:
            await asyncio.sleep(0)  # a stream needs a moment to close
            self.closed = True


class AnyTurn:
    """May be answered."""

    times = TurnTimes(lambda _: 1)

    async def reserve(self, _: llm.ChatMessage) -> Decision:
        return ALLOWED


class Scene:
    """A call in which June speaks, with all her lines in the cache."""

    def __init__(self, voice: Voice | None = None, lines: Lines = ENGLISH) -> None:
        self.voice = voice or Voice()
        self.lines = lines
        self.cache = CachedSound(lines.all())
        self.is_own = True
        self.reply = object()
        self.mutes = self.losses = 0
        self.sound = b""
        self.mouth = Mouth(
            self.cache,
            lines,
            is_own=lambda: self.is_own,
            on_mute=self._on_mute,
            on_lost_words=self._on_lost_words,
        )

    def _on_mute(self) -> None:
        self.mutes += 1

    def _on_lost_words(self) -> None:
        self.losses += 1

    def speaking(self, *pieces: str) -> AsyncGenerator[rtc.AudioFrame, None]:
        return self.mouth.speak(written(*pieces), self.voice.synthesise, reply=self.reply)

    async def speak(self, *pieces: str) -> bytes:
        async for frame in self.speaking(*pieces):
            self.sound += bytes(frame.data.cast("b"))
        return self.sound


async def written(*pieces: str) -> AsyncIterator[str]:
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


def refused() -> Refused:
    return Refused(Decision(allowed=False, reason="out_of_budget"))


def broken() -> APIError:
    return APIConnectionError("down", retryable=False)


SPOKEN = bytes(SYNTHESISED.data.cast("b")) * 2


@pytest.mark.parametrize("lines", LINES.values(), ids=lambda lines: lines.tag)
async def test_a_line_of_her_own_comes_from_the_cache(lines: Lines) -> None:
    """Each of them, and nobody is asked for it."""
    for line in lines.all():
        scene = Scene(lines=lines)
        assert await scene.speak(line) == scene.cache.of(line)
        assert not scene.voice.was_asked


async def test_the_cache_is_played_in_short_frames() -> None:
    """A caller who cuts in is not talked at for a whole sentence."""
    durations = [frame.duration async for frame in Scene().speaking(ENGLISH.trouble)]
    assert max(durations) <= 0.05
    assert sum(durations) == pytest.approx(1_700 / RATE)


@pytest.mark.parametrize(
    "pieces",
    [
        list(ENGLISH.trouble),
        ENGLISH.trouble.partition(" "),
        ["", ENGLISH.trouble],
        [" ", ENGLISH.trouble],
        [f" {ENGLISH.trouble}"],
        [ENGLISH.trouble, "", "  ", "\n"],
        [f"{ENGLISH.trouble} \n"],
    ],
)
async def test_a_line_is_known_however_it_comes(pieces: Sequence[str]) -> None:
    """In pieces, with blanks around it."""
    scene = Scene()
    assert await scene.speak(*pieces) == scene.cache.of(ENGLISH.trouble)
    assert not scene.voice.was_asked


@pytest.mark.parametrize(
    "pieces",
    [
        ["The capital of France is Paris."],
        ["Are you still", " there"],
        ["Are you still there? ", "I am."],
        [ENGLISH.still_there, " ", ENGLISH.goodbye],
        ["Yes. ", ENGLISH.still_there],
        [GERMAN.still_there],
        ["I'm sorry, ", "I", " don't know."],
        ["  two  ", "\n\n", " blanks "],
        ["I"],
    ],
)
async def test_all_else_is_spoken_by_the_voice_and_whole(pieces: list[str]) -> None:
    """Also what begins like a line, or ends like one, or goes on after one."""
    scene = Scene()
    assert await scene.speak(*pieces) == SPOKEN
    assert scene.voice.text.strip() == "".join(pieces).strip()
    assert scene.voice.closed


@pytest.mark.parametrize("pieces", [[], [""], ["  ", "\n"]])
async def test_no_text_is_no_line(pieces: list[str]) -> None:
    """The voice knows what to do with nothing."""
    scene = Scene(Voice(frames=0))
    assert await scene.speak(*pieces) == b""
    assert scene.voice.text.strip() == ""
    assert scene.mutes == 0


LIKE_LINES = st.lists(
    st.one_of(
        st.sampled_from(ENGLISH.all()),
        st.sampled_from(ENGLISH.all()).flatmap(
            lambda line: st.integers(0, 99).map(lambda at: line[:at])
        ),
        st.text(max_size=9),
        st.sampled_from(["", " ", "\n"]),
    ),
    max_size=4,
)


@given(LIKE_LINES, st.integers(1, 9))
async def test_nothing_is_lost_and_nothing_said_twice(parts: list[str], size: int) -> None:
    """It is a line, which the cache says, or the voice is given all of it."""
    text = "".join(parts)
    scene = Scene()
    sound = await scene.speak(*(text[at : at + size] for at in range(0, len(text), size)))
    if text.strip() in ENGLISH.all():
        assert sound == scene.cache.of(text.strip())
        assert not scene.voice.was_asked
    else:
        assert sound == SPOKEN
        assert scene.voice.text.strip() == text.strip()


async def test_the_voice_begins_before_the_text_has_ended() -> None:
    """As soon as it is clear that it is no line of hers."""
    ends = asyncio.Event()

    async def text() -> AsyncIterator[str]:
        yield "The capital "
        yield "of France"
        await ends.wait()

    given_to_voice: list[str] = []

    async def synthesise(words: AsyncIterable[str]) -> AsyncGenerator[rtc.AudioFrame, None]:
        async for word in words:
            given_to_voice.append(word)
            yield SYNTHESISED

    said = Scene().mouth.speak(text(), synthesise, reply=object())
    await anext(said)
    await anext(said)
    assert given_to_voice == ["The capital ", "of France"]
    ends.set()
    assert await anext(said, None) is None


async def test_another_voice_says_her_lines_itself() -> None:
    """A line in her own would betray that it is not hers."""
    scene = Scene()
    scene.is_own = False
    assert await scene.speak(ENGLISH.still_there) == SPOKEN
    assert scene.voice.text == ENGLISH.still_there


async def test_a_line_that_is_not_cached_is_spoken_by_the_voice() -> None:
    scene = Scene()
    scene.cache.texts.clear()
    assert await scene.speak(ENGLISH.still_there) == SPOKEN
    assert scene.voice.text == ENGLISH.still_there


async def test_a_voice_that_fails_before_a_sound_is_apologised_for() -> None:
    """By whoever is told of it; LiveKit is told that nothing was heard."""
    scene = Scene(Voice(frames=0, fails=broken()))
    with capture_logs() as logs, pytest.raises(APIConnectionError):
        await scene.speak("Paris.")
    assert (scene.sound, scene.mutes) == (b"", 1)
    assert [(entry["event"], entry["has_sound"]) for entry in logs] == [("voice.failed", False)]
    assert "Paris" not in str(logs)


async def test_a_voice_that_fails_later_has_lost_its_words() -> None:
    """In June's own voice, whichever failed; and LiveKit keeps only what was heard."""
    for is_own in (True, False):
        scene = Scene(Voice(fails=broken()))
        scene.is_own = is_own
        with pytest.raises(APIConnectionError):
            await scene.speak("The capital of France is Paris.")
        assert scene.sound == SPOKEN + scene.cache.of(ENGLISH.lost_words)
        assert (scene.mutes, scene.losses) == (0, 1)
        assert scene.voice.closed


async def test_words_that_are_lost_without_a_cache_end_in_the_error() -> None:
    scene = Scene(Voice(fails=broken()))
    scene.cache.texts.clear()
    with pytest.raises(APIConnectionError):
        await scene.speak("The capital of France is Paris.")
    assert (scene.sound, scene.mutes, scene.losses) == (SPOKEN, 0, 0)


@pytest.mark.parametrize("frames", [0, 2])
async def test_a_voice_without_money_is_not_apologised_for(frames: int) -> None:
    """The call ends with the reason."""
    scene = Scene(Voice(frames=frames, fails=refused()))
    with pytest.raises(Refused):
        await scene.speak("Paris.")
    assert (scene.sound, scene.mutes) == (SPOKEN[: 320 * frames], 0)


@pytest.mark.parametrize("frames", [0, 2])
async def test_a_caller_who_cuts_in_is_no_failure(frames: int) -> None:
    scene = Scene(Voice(frames=frames, hangs=True))
    speaking = asyncio.create_task(scene.speak("The capital of France is Paris."))
    while not scene.voice.was_asked or len(scene.sound) < 320 * frames:
        await asyncio.sleep(0)
    speaking.cancel()
    await asyncio.wait({speaking})
    assert speaking.cancelled()
    assert scene.voice.closed
    assert scene.mutes == 0


async def test_who_stops_listening_has_closed_the_voice() -> None:
    scene = Scene()
    said = scene.speaking("The capital of France is Paris.")
    await anext(said)
    await said.aclose()
    assert scene.voice.closed
    assert scene.mutes == 0


async def test_a_text_that_fails_is_not_the_voice_s_failure() -> None:
    async def text() -> AsyncIterator[str]:
        yield "Are you"
        raise ValueError("cut")

    scene = Scene()
    with pytest.raises(ValueError, match="cut"):
        await anext(scene.mouth.speak(text(), scene.voice.synthesise, reply=object()))
    assert scene.mutes == 0


async def test_her_lines_are_told_apart() -> None:
    """Else one would be played for the other; and an empty one for a text without words."""
    for lines in LINES.values():
        assert len(set(lines.all())) == len(lines.all())
        assert all(line == line.strip() != "" for line in lines.all())


@pytest.mark.parametrize("frames", [0, 2])
async def test_an_error_that_nobody_foresaw_is_one_of_the_voice(
    frames: int, caplog: pytest.LogCaptureFixture
) -> None:
    """LiveKit logs it with where it happened; what it says may be the caller's words."""
    said = "Pa" + "ris"
    scene = Scene(Voice(frames=frames, fails=ValueError(f"cannot say {said}")))

    @log_exceptions(logger=logging.getLogger("livekit.agents"))
    async def node() -> None:
        await scene.speak("The capital of France is what it is.")

    with pytest.raises(APIError, match="ValueError") as caught:
        await node()
    assert not caught.value.retryable
    assert scene.sound == (SPOKEN + scene.cache.of(ENGLISH.lost_words) if frames else b"")
    assert scene.mutes == (0 if frames else 1)
    assert "in synthesise" in caplog.text
    assert said not in caplog.text


@pytest.mark.parametrize("first", ["The capital of France is Paris,", ENGLISH.still_there])
async def test_a_later_part_of_a_reply_that_fails_is_no_silence(first: str) -> None:
    """LiveKit asks anew after a flush. Something was heard, whoever said it: her words are lost."""
    scene = Scene()
    heard = await scene.speak(first)
    scene.voice = Voice(frames=0, fails=broken())
    with pytest.raises(APIError):
        await scene.speak("and of Italy Rome.")
    assert scene.sound == heard + scene.cache.of(ENGLISH.lost_words)
    assert scene.mutes == 0


async def test_another_reply_that_fails_is_silence() -> None:
    """Whatever was heard before it."""
    scene = Scene()
    heard = await scene.speak("The capital of France is Paris.")
    scene.reply, scene.voice = object(), Voice(frames=0, fails=broken())
    with pytest.raises(APIError):
        await scene.speak("And of Italy Rome.")
    assert (scene.sound, scene.mutes) == (heard, 1)


async def test_a_reply_is_known_by_the_settings_that_its_parts_have_in_common(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Equal ones are those of another reply."""
    scene = Scene()

    def speak(_: Agent, text: AsyncIterable[str], __: ModelSettings) -> object:
        return scene.voice.synthesise(text)

    monkeypatch.setattr(Agent.default, "tts_node", speak)
    june = June(
        AnyTurn(),
        NoSkills(),
        ENGLISH,
        llm.ChatContext.empty(),
        wide_window(),
        instructions="",
        clock=TurnClock(),
        mouth=scene.mouth,
        hang_up=lambda *_: None,
    )

    async def says(words: str, settings: ModelSettings) -> None:
        async for _ in june.tts_node(written(words), settings):
            pass

    first = ModelSettings()
    await says("The capital of France ", first)
    scene.voice = Voice(frames=0, fails=broken())
    for settings, mutes in ((first, 0), (ModelSettings(), 1)):
        with pytest.raises(APIError):
            await says("is Paris.", settings)
        assert scene.mutes == mutes

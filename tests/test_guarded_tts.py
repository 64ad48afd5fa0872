"""Voices, of which the next one speaks where one fails: in time, and nothing twice."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest
from guard_fakes import (
    HANG,
    Call,
    Sound,
    Tokens,
    Voice,
    VoiceStep,
    flying_time,
    settled,
    told_apart,
)
from livekit import rtc
from livekit.agents import APIConnectionError, APIConnectOptions, APIError, APIStatusError, tts
from livekit.agents.metrics import TTSMetrics
from structlog.testing import capture_logs

from agent.models.guard import BrokenOff, Unanswered
from agent.models.guarded_tts import (
    FIRST_SOUND_SECONDS,
    LOCAL_PATIENCE,
    STALL_SECONDS,
    GuardedTTS,
)
from agent.models.refused import Refused
from agent.models.turn_clock import TURN_SECONDS, VOICE_SECONDS, TurnClock
from session.circuits import FAILURES, OPEN_SECONDS
from session.limits import Decision

TEXT = "Hello there, it is a lovely day."
SPEECH = Sound(1.0)
SILENCE = Sound(1.0, peak=0)


@pytest.fixture(autouse=True)
async def _no_waiting() -> AsyncIterator[None]:
    with flying_time():
        yield


@pytest.fixture
def call() -> Call:
    return Call()


class Sentence:
    """One text for these voices."""

    def __init__(self, call: Call, *voices: Voice, clock: TurnClock | None = None) -> None:
        self.guarded = GuardedTTS(told_apart(voices), call.guard, clock or TurnClock())
        self.frames: list[rtc.AudioFrame] = []
        self.seconds = 0.0
        """Until it was over."""

    async def say(self, text: str = TEXT) -> float:
        """Seconds of sound, also if it then fails."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        options = APIConnectOptions(max_retry=5, retry_interval=0.0)
        try:
            async with self.guarded.synthesize(text, conn_options=options) as speech:
                async for sound in speech:
                    self.frames.append(sound.frame)
        finally:
            self.seconds = loop.time() - began
        return self.said_seconds

    @property
    def said_seconds(self) -> float:
        return sum(frame.duration for frame in self.frames)

    @property
    def peak(self) -> int:
        data = b"".join(bytes(frame.data.cast("b")) for frame in self.frames)
        return int(np.abs(np.frombuffer(data, np.int16).astype(np.int32)).max(initial=0))


def down() -> APIConnectionError:
    return APIConnectionError("down")


async def test_one_that_works_is_asked_once(call: Call) -> None:
    first, second = Voice("a", [SPEECH, SPEECH]), Voice("b")
    assert await Sentence(call, first, second).say() == pytest.approx(2.0, abs=0.01)
    assert (first.asked, second.asked) == ([TEXT], [])


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([down()], id="it is down"),
        pytest.param([APIStatusError("no", status_code=500)], id="500"),
        pytest.param([ValueError("garbage")], id="not LiveKit's error"),
        pytest.param([HANG], id="nothing comes"),
        pytest.param([], id="no sound"),
        pytest.param([SILENCE], id="silence"),
        pytest.param([SILENCE, HANG], id="silence, then nothing"),
        pytest.param([SILENCE, down()], id="silence, then an error"),
        pytest.param([Sound(0.05), down()], id="too little to tell, then an error"),
        pytest.param([Sound(0.05)], id="next to nothing"),
    ],
)
async def test_where_one_fails_the_next_one_speaks(call: Call, script: Sequence[VoiceStep]) -> None:
    """One request each; of the first nothing is heard, and nothing is left."""
    first, second = Voice("a", script), Voice("b", [Sound(2.0, peak=4_000)])
    sentence = Sentence(call, first, second)
    assert await sentence.say() == pytest.approx(2.0, abs=0.01)
    assert sentence.peak == pytest.approx(4_000, abs=10)
    assert (first.asked, second.asked, first.open) == ([TEXT], [TEXT], 0)
    assert call.breakers.told == [("a", "failed")]


async def test_livekit_does_not_ask_again_by_itself(call: Call) -> None:
    first, second = Voice("a", [down()]), Voice("b", [down()])
    sentence = Sentence(call, first, second)
    errors: list[tts.TTSError] = []
    sentence.guarded.on("error", errors.append)
    with pytest.raises(Unanswered):
        await sentence.say()
    assert first.retries + second.retries == [0, 0]
    assert [error.recoverable for error in errors] == [False]


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 48_000])
async def test_another_rate_becomes_the_calls_own(call: Call, rate: int) -> None:
    """That of the first voice; LiveKit has been told of no other."""
    first, second = Voice("a", [down()]), Voice("b", [SPEECH, SPEECH], rate=rate)
    sentence = Sentence(call, first, second)
    assert await sentence.say() == pytest.approx(2.0, abs=0.05)
    assert {frame.sample_rate for frame in sentence.frames} == {sentence.guarded.sample_rate}
    assert sentence.guarded.sample_rate == 24_000
    assert sentence.peak == pytest.approx(8_000, rel=0.05)


@pytest.mark.parametrize("step", [HANG, down(), ValueError("garbage")])
async def test_what_breaks_off_is_not_said_again(call: Call, step: VoiceStep) -> None:
    """The caller has heard the beginning."""
    first, second = Voice("a", [SPEECH, step]), Voice("b", [SPEECH])
    sentence = Sentence(call, first, second)
    with pytest.raises(BrokenOff):
        await sentence.say()
    assert 0 < sentence.said_seconds <= 1.0
    assert (first.asked, second.asked, first.open) == ([TEXT], [], 0)
    assert call.breakers.told == [("a", "failed")]
    assert sentence.seconds <= 1.0 + STALL_SECONDS + 0.1


async def test_two_voices_share_the_time_for_the_first_sound(call: Call) -> None:
    """The next one has what it needs; where nobody waits, each has all of it."""
    clock = TurnClock(asyncio.get_running_loop().time)
    clock.begin("one")
    await asyncio.sleep(1.4)
    sentence = Sentence(call, Voice("a", [HANG]), Voice("b", [HANG]), clock=clock)
    with pytest.raises(Unanswered):
        await sentence.say()
    assert sentence.seconds == pytest.approx(TURN_SECONDS - 1.4, abs=0.2)
    assert call.breakers.told == [("a", "failed")]
    clock.heard()
    later = Sentence(call, Voice("a", [FIRST_SOUND_SECONDS - 0.2, SPEECH]), Voice("b"), clock=clock)
    await later.say()


async def test_one_whose_turn_has_no_time_left_is_not_waited_for(call: Call) -> None:
    clock = TurnClock(asyncio.get_running_loop().time)
    clock.begin("one")
    await asyncio.sleep(TURN_SECONDS)
    sentence = Sentence(call, Voice("a", [HANG]), Voice("b", [HANG]), clock=clock)
    with capture_logs() as logs, pytest.raises(Unanswered):
        await sentence.say()
    assert [line["error"] for line in logs] == ["TooSlow", "TooSlow"]
    assert sentence.seconds < VOICE_SECONDS + 0.2
    assert call.breakers.told == []  # they are not to blame


async def test_silence_does_not_stop_the_clock(call: Call) -> None:
    """It takes its time, and then its place is somebody else's."""
    first = Voice("a", [0.3, Sound(0.1, peak=0)] * 20)
    sentence = Sentence(call, first, Voice("b", [SPEECH]))
    await sentence.say()
    assert sentence.seconds <= FIRST_SOUND_SECONDS + 0.2


async def test_a_voice_of_this_machine_is_waited_for_longer(call: Call) -> None:
    slow = FIRST_SOUND_SECONDS * LOCAL_PATIENCE - 0.5
    local = Voice("b", [slow, SPEECH], provider="local")
    sentence = Sentence(call, Voice("a", [down(), down()]), local)
    assert await sentence.say() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("text", ["...", ".. ..", "  ", "—", "?!"])
async def test_for_a_text_without_a_word_nobody_is_asked(call: Call, text: str) -> None:
    """LiveKit takes no sound for a failure, so there is a little silence."""
    voice = Voice("a", [down()])
    sentence = Sentence(call, voice)
    assert 0 < await sentence.say(text) < 0.2
    assert (sentence.peak, voice.asked) == (0, [])


async def test_the_tokens_of_whoever_spoke_are_told(call: Call) -> None:
    first, second = Voice("a", [Tokens(9, 9), down()]), Voice("b", [SPEECH, Tokens(7, 80)])
    sentence = Sentence(call, first, second)
    measured: list[TTSMetrics] = []
    sentence.guarded.on("metrics_collected", measured.append)
    await sentence.say()
    (one,) = measured
    assert (one.input_tokens, one.output_tokens) == (7, 80)
    assert one.metadata is not None
    assert one.metadata.model_name == "b"


SECRET = "The code of my door is 4711, and my name is Ann Smith."


@pytest.mark.parametrize(
    "script",
    [
        [],
        [SILENCE],
        [APIError(f"no audio frames were pushed for text: {SECRET}")],
        [ValueError(SECRET)],
        [SPEECH, ValueError(SECRET)],
    ],
)
async def test_an_error_tells_nothing_of_the_text(call: Call, script: Sequence[VoiceStep]) -> None:
    """LiveKit writes it into its own; those are in logs, and in events."""
    sentence = Sentence(call, Voice("a", script, list(script)))
    errors: list[tts.TTSError] = []
    sentence.guarded.on("error", errors.append)
    with capture_logs() as logs, pytest.raises(APIError) as raised:
        await sentence.say(SECRET)
    (event,) = errors
    assert isinstance(raised.value, Unanswered | BrokenOff)
    for error in (raised.value, event.error, event):
        assert "4711" not in f"{error} {error!r}"
    assert "4711" not in str(logs)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


async def test_a_probe_that_can_be_heard_is_told_at_once(call: Call) -> None:
    """All others wait for it; the sentence goes on."""
    voice = Voice("a", *[[down()]] * FAILURES, [SPEECH, HANG])
    for _ in range(FAILURES // 2 + 1):
        with pytest.raises(Unanswered):
            await Sentence(call, voice).say()
    assert len(voice.asked) == FAILURES
    call.breakers.seconds += OPEN_SECONDS
    call.breakers.told.clear()
    async with Sentence(call, voice).guarded.synthesize(TEXT) as speech:
        await anext(speech)
        await settled()
        assert (voice.open, call.breakers.told) == (1, [("a", "useful")])


async def test_without_money_nobody_else_is_asked(call: Call) -> None:
    decision = Decision(allowed=False, reason="out_of_budget")
    first, second = Voice("a", [Refused(decision)]), Voice("b", [SPEECH])
    with pytest.raises(Refused):
        await Sentence(call, first, second).say()
    assert (second.asked, call.breakers.told) == ([], [])


async def test_a_sentence_that_is_cut_off_leaves_nothing_behind(call: Call) -> None:
    """A barge-in: the request is over, no task is left, and nobody has failed."""
    before = asyncio.all_tasks()
    first, second = Voice("a", [SPEECH, HANG]), Voice("b", [SPEECH])
    async with Sentence(call, first, second).guarded.synthesize(TEXT) as speech:
        await anext(speech)
        assert first.open == 1
    await settled()
    assert (first.open, second.asked, call.breakers.told) == (0, [], [])
    assert asyncio.all_tasks() == before


async def test_a_sentence_that_nobody_waits_for_is_never_asked(call: Call) -> None:
    before = asyncio.all_tasks()
    voice = Voice("a", [SPEECH])
    await Sentence(call, voice).guarded.synthesize(TEXT).aclose()
    await settled()
    assert voice.asked == []
    assert asyncio.all_tasks() == before


async def test_the_first_is_warmed_and_all_are_closed(call: Call) -> None:
    voices = Voice("a"), Voice("b")
    guarded = Sentence(call, *voices).guarded
    assert (guarded.model, guarded.provider, guarded.label) == (
        "a",
        voices[0].provider,
        voices[0].label,
    )
    guarded.prewarm()
    assert [one.is_warm for one in voices] == [True, False]
    await guarded.aclose()
    assert [one.is_closed for one in voices] == [True, True]

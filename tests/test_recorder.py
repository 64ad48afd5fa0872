"""What is kept of a caller's sound: speech, and only while it is wanted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from livekit import rtc
from speech_fakes import WINDOW, WINDOW_SECONDS, ScriptedVAD, sound

from agent.voices import recorder as limits
from agent.voices.recorder import CallRecorder
from agent.voices.tap import Tap
from skills import VoiceTrouble
from skills.sound import Sound
from skills.voice import Why

SPEECH, SILENCE = 900, 100
"""Levels that the scripted VAD takes for it."""


class Hearing:
    """A recorder, shown sound at once; what it is judged by is scripted."""

    def __init__(self) -> None:
        self.june_speaks = False
        self.problems: list[Why] = []
        self.judged: list[tuple[Sound, Sound | None]] = []
        self.recorder = CallRecorder(
            ScriptedVAD(),
            is_june_speaking=lambda: self.june_speaks,
            problem_of=self._judge,
        )

    def _judge(self, speech: Sound, silence: Sound | None) -> Why | None:
        self.judged.append((speech, silence))
        return self.problems.pop(0) if self.problems else None

    async def sampled(self, task: "asyncio.Task[Sound]") -> Sound:
        """A moment later the words of it are a turn."""
        assert not task.done()
        self.recorder.end_turn()
        return await taken(task)

    async def show(self, seconds: float, level: int) -> None:
        for _ in range(round(seconds / WINDOW_SECONDS)):
            self.recorder.show(sound(WINDOW_SECONDS, level))
            for _ in range(8):  # the VAD's task, and the recorder's
                await asyncio.sleep(0)

    @asynccontextmanager
    async def sampling(self) -> AsyncIterator["asyncio.Task[Sound]"]:
        taking = asyncio.create_task(self.recorder.sample())
        await asyncio.sleep(0)
        yield taking
        taking.cancel()
        with suppress(asyncio.CancelledError, VoiceTrouble):
            await taking


@pytest.fixture
async def hearing() -> AsyncIterator[Hearing]:
    hearing = Hearing()
    yield hearing
    await hearing.recorder.aclose()


async def taken(task: "asyncio.Task[Sound]") -> Sound:
    async with asyncio.timeout(2):
        return await task


async def test_nothing_is_kept_before_it_listens(hearing: Hearing) -> None:
    await hearing.show(3, SPEECH)
    with pytest.raises(VoiceTrouble) as trouble:
        await hearing.recorder.said()
    assert trouble.value.why == Why.SILENT


async def test_what_was_said_is_the_speech_without_its_pauses(hearing: Hearing) -> None:
    hearing.recorder.listen()
    await hearing.show(2, SILENCE)
    await hearing.show(1.6, SPEECH)
    await hearing.show(3, SILENCE)
    await hearing.show(1.6, SPEECH)
    said = await hearing.recorder.said()
    assert said.seconds == pytest.approx(3.2 + limits.PADDING_SECONDS, abs=0.1)
    assert said.sample_rate == 16_000


async def test_what_is_heard_while_june_speaks_is_not_the_callers(hearing: Hearing) -> None:
    hearing.recorder.listen()
    hearing.june_speaks = True
    await hearing.show(2, SPEECH)
    hearing.june_speaks = False
    await hearing.show(1.6, SPEECH)
    assert (await hearing.recorder.said()).seconds == pytest.approx(1.6, abs=0.05)


async def test_listening_anew_drops_what_was_kept(hearing: Hearing) -> None:
    hearing.recorder.listen()
    await hearing.show(2, SPEECH)
    hearing.recorder.listen()
    await hearing.show(1.6, SPEECH)
    assert (await hearing.recorder.said()).seconds == pytest.approx(1.6, abs=0.05)


async def test_after_stop_nothing_is_there(hearing: Hearing) -> None:
    hearing.recorder.listen()
    await hearing.show(2, SPEECH)
    hearing.recorder.stop()
    await hearing.show(2, SPEECH)
    with pytest.raises(VoiceTrouble):
        await hearing.recorder.said()


async def test_a_sample_ends_with_the_sentence_in_which_it_is_long_enough(hearing: Hearing) -> None:
    async with hearing.sampling() as taking:
        await hearing.show(5, SPEECH)
        await hearing.show(2, SILENCE)
        await hearing.show(4, SPEECH)
        assert not taking.done()
        await hearing.show(limits.PAUSE_SECONDS + 0.1, SILENCE)
        sample = await hearing.sampled(taking)
    assert sample.seconds == pytest.approx(9 + limits.PADDING_SECONDS, abs=0.2)


async def test_the_longest_sample(hearing: Hearing) -> None:
    async with hearing.sampling() as taking:
        await hearing.show(limits.MOST_SECONDS + 1, SPEECH)
        sample = await hearing.sampled(taking)
    assert sample.seconds <= limits.MOST_SECONDS + 1


async def test_who_stops_after_the_least_is_not_kept_waiting(hearing: Hearing) -> None:
    async with hearing.sampling() as taking:
        await hearing.show(limits.LEAST_SECONDS + 0.5, SPEECH)
        await hearing.show(limits.ENOUGH_PAUSE_SECONDS + 0.1, SILENCE)
        assert (await hearing.sampled(taking)).seconds >= limits.LEAST_SECONDS


@pytest.mark.parametrize(
    ("speech_seconds", "silence_seconds", "why"),
    [(0, 15.1, Why.SILENT), (2, 5.1, Why.TOO_SHORT), (3.8, 5.1, Why.TOO_SHORT)],
)
async def test_too_little(
    hearing: Hearing, speech_seconds: float, silence_seconds: float, why: Why
) -> None:
    async with hearing.sampling() as taking:
        await hearing.show(speech_seconds, SPEECH)
        await hearing.show(silence_seconds - 0.3, SILENCE)
        hearing.recorder.end_turn()
        assert not taking.done()
        await hearing.show(0.4, SILENCE)
        with pytest.raises(VoiceTrouble) as trouble:
            await taken(taking)
    assert trouble.value.why == why


async def test_waiting_begins_when_june_has_asked(hearing: Hearing) -> None:
    async with hearing.sampling() as taking:
        hearing.june_speaks = True
        await hearing.show(20, SILENCE)
        assert not taking.done()


async def test_a_sample_is_judged_with_the_room_around_it(hearing: Hearing) -> None:
    hearing.problems = [Why.NOISY]
    async with hearing.sampling() as taking:
        await hearing.show(1, SILENCE)
        await hearing.show(9, SPEECH)
        await hearing.show(1, SILENCE)
        with pytest.raises(VoiceTrouble) as trouble:
            await hearing.sampled(taking)
    assert trouble.value.why == Why.NOISY
    [(_, silence)] = hearing.judged
    assert silence is not None
    assert silence.seconds > 1


async def test_the_tap_hands_every_frame_on() -> None:
    """As it was, whether the recorder listens or not."""

    class Source(Tap):
        def __init__(self) -> None:
            self.left = [sound(0.05, level) for level in (1, 2, 3)]

        async def __anext__(self) -> rtc.AudioFrame:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop(0)

    source = Source()
    shown: list[rtc.AudioFrame] = []
    given = list(source.left)
    got = [frame async for frame in Tap(source, shown.append)]
    assert got == given == shown
    assert WINDOW == 512


async def test_a_sample_waits_for_its_words(hearing: Hearing) -> None:
    """Or June would answer them afterwards, in the caller's voice."""
    async with hearing.sampling() as taking:
        await hearing.show(9, SPEECH)
        await hearing.show(3, SILENCE)
        assert not taking.done()
        hearing.recorder.end_turn()
        assert (await taken(taking)).seconds >= limits.WANTED_SECONDS


async def test_words_that_came_before_its_end_are_not_waited_for(hearing: Hearing) -> None:
    async with hearing.sampling() as taking:
        await hearing.show(9, SPEECH)
        hearing.recorder.end_turn()
        await hearing.show(3, SILENCE)
        await taken(taking)


async def test_words_and_sound_of_a_turn_belong_together(hearing: Hearing) -> None:
    """A turn that was refused, say, leaves nothing of its sound for the one that consents."""
    hearing.recorder.listen()
    await hearing.show(12, SPEECH)
    await hearing.show(1, SILENCE)
    hearing.recorder.end_turn()
    await hearing.show(3.2, SPEECH)
    hearing.recorder.end_turn()
    assert (await hearing.recorder.said()).seconds == pytest.approx(3.2, abs=0.1)


async def test_who_says_far_more_than_the_sentence_has_not_said_it(hearing: Hearing) -> None:
    hearing.recorder.listen()
    await hearing.show(limits.LONGEST_SAID_SECONDS + 5, SPEECH)
    with pytest.raises(VoiceTrouble) as trouble:
        await hearing.recorder.said()
    assert trouble.value.why == Why.NOT_SPEECH

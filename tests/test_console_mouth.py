"""June's voice in a console, by LiveKit's rules for an `AudioOutput`."""

import asyncio

import pytest
from livekit import rtc
from livekit.agents.voice.io import PlaybackFinishedEvent

from agent.console.mouth import AHEAD_SECONDS, Mouth
from agent.console.pcm import RATE, frame

SECOND = frame(b"\x01\x00" * RATE)


async def settled() -> None:
    """What was passed on to the loop has been told."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_sentence_that_is_played_is_finished_where_it_ends() -> None:
    """Not when it was given, and not interrupted."""
    mouth = Mouth()
    started: list[object] = []
    mouth.on("playback_started", started.append)
    await mouth.capture_frame(SECOND)
    mouth.flush()
    await settled()
    assert not started
    playing = asyncio.create_task(mouth.wait_for_playout())
    mouth.pull(RATE - 1)
    await settled()
    assert len(started) == 1
    assert not playing.done()
    mouth.pull(1)
    assert await playing == PlaybackFinishedEvent(playback_position=1.0, interrupted=False)


async def test_an_interruption_says_how_much_was_heard() -> None:
    """As LiveKit does it: the rest is flushed, then cleared; it may clear twice."""
    mouth = Mouth()
    await mouth.capture_frame(SECOND)
    mouth.pull(RATE // 4)
    mouth.flush()
    mouth.clear_buffer()
    mouth.clear_buffer()
    heard = await mouth.wait_for_playout()
    assert heard == PlaybackFinishedEvent(playback_position=0.25, interrupted=True)
    assert not any(mouth.pull(RATE))


async def test_after_a_pause_june_goes_on_where_she_stopped() -> None:
    """A cough is no interruption."""
    mouth = Mouth()
    await mouth.capture_frame(SECOND)
    mouth.flush()
    mouth.pull(RATE // 2)
    mouth.pause()
    assert not any(mouth.pull(RATE))
    mouth.resume()
    mouth.pull(RATE // 2)
    assert (await mouth.wait_for_playout()).playback_position == 1.0


async def test_minutes_of_sound_are_not_taken_at_once() -> None:
    """The voice waits until there is room, and loses nothing by it."""
    mouth = Mouth()

    async def speak() -> None:
        for _ in range(60):
            await mouth.capture_frame(SECOND)
        mouth.flush()

    speaking = asyncio.create_task(speak())
    heard = 0.0
    for second in range(60):
        await settled()
        assert speaking.done() == (second >= 60 - AHEAD_SECONDS)
        heard += mouth.pull(RATE).count(b"\x01\x00") / RATE
    await speaking
    assert heard == 60
    assert (await mouth.wait_for_playout()).playback_position == 60.0


async def test_a_voice_that_is_interrupted_while_it_waits_is_counted_out() -> None:
    """Nothing waits for the frame that was never taken."""
    mouth = Mouth()
    for _ in range(int(AHEAD_SECONDS)):
        await mouth.capture_frame(SECOND)
    speaking = asyncio.create_task(mouth.capture_frame(SECOND))
    await settled()
    speaking.cancel()
    mouth.flush()
    mouth.clear_buffer()
    assert (await mouth.wait_for_playout()).interrupted


async def test_sound_of_another_kind_is_refused_by_name() -> None:
    """LiveKit converts it, as it is told the rate; anything else is a mistake in June."""
    with pytest.raises(ValueError, match="mono at 24000 Hz"):
        await Mouth().capture_frame(rtc.AudioFrame(bytes(200), 16_000, 1, 100))

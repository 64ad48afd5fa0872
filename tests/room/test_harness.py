"""The mouth, the ears and the eyes of the callers here, before June is asked anything."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit import rtc

from agent.models.local.engine import HEARING_RATE, LocalSpeech
from room.caller import FINAL, TRANSCRIPTION
from room.conftest import Call
from room.ears import loud_windows, understand, word_error_rate
from room.voices import RATE, recording, synthetic

sentences = st.lists(st.sampled_from(["one", "two", "three", "four"]), min_size=1, max_size=8)


def at_hearing_rate(frame: rtc.AudioFrame) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    resampler = rtc.AudioResampler(RATE, HEARING_RATE, quality=rtc.AudioResamplerQuality.HIGH)
    heard = rtc.combine_audio_frames([*resampler.push(frame), *resampler.flush()])
    return np.frombuffer(heard.data, np.int16)


@pytest.mark.parametrize(
    ("said", "voice"),
    [
        ("What time is it?", "slt"),
        ("What time is it?", "rms"),
        ("What did I just say?", "kal16"),
        ("What can you do?", "slt"),
        ("My favourite colour is green.", "rms"),
    ],
)
async def test_what_the_voices_say_the_ears_understand(
    ears: LocalSpeech, said: str, voice: str
) -> None:
    """To a word in four: Moonshine does not always read the same sound alike."""
    understood = await understand(ears, at_hearing_rate(await synthetic(said, voice)))
    american = said.replace("favourite", "favorite").replace("colour", "color")
    assert word_error_rate(american, understood) <= 0.25, understood


async def test_silence_is_understood_as_nothing(ears: LocalSpeech) -> None:
    """The model itself would make words up."""
    assert await understand(ears, np.zeros(3 * HEARING_RATE, np.int16)) == ""


def test_a_recording_is_as_long_as_it_was() -> None:
    """Resampled, and not played faster."""
    sound = at_hearing_rate(recording("beckett"))
    assert len(sound) / HEARING_RATE == pytest.approx(9.96, abs=0.05)
    assert loud_windows(sound).any()


@given(sentences)
def test_words_heard_rightly_are_no_error(words: list[str]) -> None:
    """However they are written."""
    assert word_error_rate(" ".join(words), ", ".join(words).upper() + ".") == 0


@given(sentences, sentences)
def test_errors_are_counted_in_words_said(said: list[str], heard: list[str]) -> None:
    """One missing, added or wrong word is one error; and each word can be wrong only once."""
    errors = word_error_rate(" ".join(said), " ".join(heard)) * len(said)
    assert errors == pytest.approx(round(errors))
    assert abs(len(said) - len(heard)) <= round(errors) <= max(len(said), len(heard))
    missing_one = " ".join(said[1:]) or "-"
    assert round(word_error_rate(" ".join(said), missing_one) * len(said)) == 1


async def test_a_transcript_is_kept_as_it_was_streamed(call: Call) -> None:
    """Each stream with its segment, its parts, and whether it was the final one."""
    reader = await call(room="transcripts").join(with_microphone=False)
    writer = await call(room="transcripts").join(with_microphone=False)
    for text, final in [("what", "false"), ("what time", "false"), ("What time is it?", "true")]:
        await writer.room.local_participant.send_text(
            text, topic=TRANSCRIPTION, attributes={"lk.segment_id": "one", FINAL: final}
        )
    stream = await writer.room.local_participant.stream_text(
        topic=TRANSCRIPTION, attributes={"lk.segment_id": "two", FINAL: "false"}
    )
    await stream.write("It is ")
    await stream.write("noon.")
    await stream.aclose(attributes={FINAL: "true"})

    await reader.until(lambda: len(reader.finals(writer.identity)) == 2, 5, "two final transcripts")
    assert [(one.segment_id, one.text, one.final) for one in reader.transcripts] == [
        ("one", "what", False),
        ("one", "what time", False),
        ("one", "What time is it?", True),
        ("two", "It is noon.", True),
    ]
    assert reader.finals() == []


async def test_what_is_typed_arrives(call: Call) -> None:
    """On the topic that LiveKit's own clients use."""
    writer = await call(room="chat").join(with_microphone=False)
    reader = await call(room="chat").join(with_microphone=False)
    texts: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    reading: set[asyncio.Task[None]] = set()

    async def read(stream: rtc.TextStreamReader, identity: str) -> None:
        texts.put_nowait((identity, await stream.read_all()))

    def on_stream(stream: rtc.TextStreamReader, identity: str) -> None:
        reading.add(asyncio.create_task(read(stream, identity)))

    reader.room.register_text_stream_handler("lk.chat", on_stream)
    await writer.type("Who are you?")
    assert await asyncio.wait_for(texts.get(), 5) == (writer.identity, "Who are you?")

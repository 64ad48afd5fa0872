"""A call whose caller is a recording: what June heard, what she said, and how it sounds."""

import asyncio
import re
import signal
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from livekit import rtc
from numpy.typing import NDArray
from test_console_text import start

from agent.lines import ENGLISH
from agent.models import brain
from agent.models.local.engine import HEARING_RATE, LocalSpeech
from room.ears import understand, word_error_rate
from room.voices import RECORDINGS, recording, synthetic


@dataclass(frozen=True)
class Talk:
    """What one call printed."""

    written: str
    complaints: str
    code: int

    def said_by(self, who: str) -> list[str]:
        return [text for _, speaker, text in self.lines if speaker == who]

    @property
    def lines(self) -> list[tuple[float, str, str]]:
        """Seconds, speaker, words."""
        found = re.findall(r"^ *(\d+\.\d\d)  (\w+): +(.*)$", self.written, re.MULTILINE)
        return [(float(at), who, text) for at, who, text in found]

    @property
    def lengths(self) -> tuple[float, float]:
        """Of the call, and of the wait for it, in seconds."""
        found = re.search(r"a call of (\S+) s, in (\S+) s", self.complaints)
        assert found, self.complaints
        return float(found[1]), float(found[2])


def write(path: Path, *sounds: rtc.AudioFrame) -> Path:
    """One after the other, as a stereo file of an unusual rate: nothing here is June's own kind."""
    one = rtc.combine_audio_frames(list(sounds))
    resampler = rtc.AudioResampler(one.sample_rate, 22_050)
    mono = rtc.combine_audio_frames([*resampler.push(one), *resampler.flush()])
    samples = np.frombuffer(mono.data.cast("b"), np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(mono.sample_rate)
        file.writeframes(np.stack([samples, samples // 2], axis=1).tobytes())
    return path


def pause(seconds: float) -> rtc.AudioFrame:
    samples = int(48_000 * seconds)
    return rtc.AudioFrame(bytes(2 * samples), 48_000, 1, samples)


async def talk(folder: Path, *words: str) -> Talk:
    """`in.wav` of the folder is played; June's voice gets into `out.wav`."""
    (folder / "data").mkdir(exist_ok=True)
    call = start(folder, "--wav", "in.wav", "--out", "out.wav", *words)
    written, complaints = await asyncio.to_thread(call.communicate, timeout=150)
    return Talk(written.decode(), complaints.decode(), call.returncode)


def recorded(folder: Path) -> NDArray[np.int16]:
    """June's voice, as ears take it."""
    with wave.open(str(folder / "out.wav")) as file:
        data, rate = file.readframes(file.getnframes()), file.getframerate()
    resampler = rtc.AudioResampler(rate, HEARING_RATE, quality=rtc.AudioResamplerQuality.HIGH)
    sound = rtc.AudioFrame(data, rate, 1, len(data) // 2)
    heard = rtc.combine_audio_frames([*resampler.push(sound), *resampler.flush()])
    return np.frombuffer(bytes(heard.data.cast("b")), np.int16)


async def test_a_person_is_heard_and_answered_with_a_voice_that_is_understood(
    tmp_path: Path,
) -> None:
    """Faster than they speak; what June says is in the file at the time that is printed."""
    write(tmp_path / "in.wav", recording("beckett"))
    done = await talk(tmp_path, "--fast", "-v")
    assert done.code == 0
    assert word_error_rate(RECORDINGS["beckett"], " ".join(done.said_by("you"))) <= 0.35
    assert done.said_by("june")[0] == ENGLISH.greeting
    assert done.said_by("june")[-1] == brain.UNKNOWN
    assert " ms" not in done.written
    assert "no timings are shown" in done.complaints
    call_seconds, wait_seconds = done.lengths
    assert wait_seconds < call_seconds
    voice = recorded(tmp_path)
    assert len(voice) / HEARING_RATE == pytest.approx(call_seconds, abs=0.1)
    answered = int((done.lines[-1][0] - 0.5) * HEARING_RATE)
    async with LocalSpeech(threads=1) as ears:
        assert word_error_rate(brain.UNKNOWN, await understand(ears, voice[answered:])) <= 0.2


def test_a_call_that_is_interrupted_keeps_what_was_said(tmp_path: Path) -> None:
    """Ctrl-C: no traceback, and the file holds the greeting so far."""
    write(tmp_path / "in.wav", pause(30))
    (tmp_path / "data").mkdir()
    call = start(tmp_path, "--wav", "in.wav", "--out", "out.wav", "--fast")
    assert call.stdout is not None
    while not call.stdout.read(1).strip():
        pass  # the clock, before June's first word
    call.send_signal(signal.SIGINT)
    _, complaints = call.communicate(timeout=30)
    assert call.returncode == 130
    assert b"Traceback" not in complaints
    assert b"June's voice is in `out.wav`" in complaints
    assert recorded(tmp_path).any()
    assert {path.name for path in tmp_path.iterdir()} == {"in.wav", "out.wav", "data"}


@pytest.mark.slow
async def test_a_minute_is_heard_alike_at_both_speeds(tmp_path: Path) -> None:
    """And with `--fast` in less time than it takes to say."""
    write(tmp_path / "in.wav", recording("two_cities"))
    spoken_seconds = 44.0
    at_speech, hurried = await talk(tmp_path, "-v"), await talk(tmp_path, "--fast")
    assert at_speech.lengths[1] > at_speech.lengths[0] > spoken_seconds > hurried.lengths[1]
    for done in (at_speech, hurried):
        assert done.code == 0
        heard = " ".join(done.said_by("you"))
        assert word_error_rate(RECORDINGS["two_cities"], heard) <= 0.15
        assert done.said_by("june")[-1] == brain.UNKNOWN
    assert re.search(r"^ +.*reply \d+ ms$", at_speech.written, re.MULTILINE)


CAN = (
    "I can tell the time, set timers, keep notes, tell stories, and translate. "
    "For anything else I need a language model."
)


@pytest.mark.slow
async def test_a_caller_who_speaks_over_june_is_listened_to(tmp_path: Path) -> None:
    """Her sentence is cut in what is printed as in what is heard, and the new question answered."""
    question, other = await synthetic("What can you do?"), await synthetic("What is your name?")
    write(tmp_path / "in.wav", question, pause(4.0), other)
    done = await talk(tmp_path, "-v")
    greeting, cut, whole = done.said_by("june")
    assert greeting == ENGLISH.greeting
    assert CAN.startswith(cut)
    assert 10 < len(cut) < len(CAN) - 20
    assert whole == brain.WHO
    assert "interrupted" in done.written
    async with LocalSpeech(threads=1) as ears:
        heard = await understand(ears, recorded(tmp_path))
    assert word_error_rate(f"{greeting} {cut} {whole}", heard) <= 0.3


@pytest.mark.slow
async def test_a_goodbye_ends_the_call(tmp_path: Path) -> None:
    """June's, and before the recording is over."""
    write(tmp_path / "in.wav", await synthetic("Please hang up now."), pause(60))
    done = await talk(tmp_path, "--fast", "-v")
    assert done.code == 0
    assert "end_call" in done.written
    assert "oodbye" in done.said_by("june")[-1]
    assert done.lengths[0] < 30


@pytest.mark.slow
async def test_a_recording_without_words_is_said_to_have_none(tmp_path: Path) -> None:
    """June greets, waits, and that is all."""
    write(tmp_path / "in.wav", pause(1))
    done = await talk(tmp_path, "--fast")
    assert done.code == 0
    assert done.said_by("june") == [ENGLISH.greeting]
    assert "June heard no words in `in.wav`" in done.written

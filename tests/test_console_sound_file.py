"""Recordings that June is given, and the ones that she makes."""

import errno
import io
import os
import struct
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.console.pcm import RATE, seconds
from agent.console.recording import Recording, UnusablePlace
from agent.console.sound_file import UnusableSound, read_sound


def tone(
    path: Path, *, rate: int = 16_000, channels: int = 1, on: int = 0, long: float = 0.5
) -> Path:
    """A wav with a tone of 440 Hz on one of its channels."""
    samples = np.zeros((int(rate * long), channels), np.int16)
    samples[:, on] = (16_000 * np.sin(2 * np.pi * 440 * np.arange(len(samples)) / rate)).astype(
        np.int16
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def pitch_and_peak(pcm: bytes) -> tuple[float, float]:
    samples = np.frombuffer(pcm, np.int16).astype(float)
    spectrum = np.abs(np.fft.rfft(samples))
    return float(spectrum.argmax() * RATE / len(samples)), float(np.abs(samples).max())


@settings(max_examples=25, deadline=None)
@given(
    rate=st.integers(4_000, 192_000),
    channels=st.integers(1, 64),
    data=st.data(),
)
def test_any_rate_and_any_channels_become_junes_own(
    tmp_path_factory: pytest.TempPathFactory, rate: int, channels: int, data: st.DataObject
) -> None:
    """The same length, the same pitch, and no channel is lost: a caller may be on any of them."""
    on = data.draw(st.integers(0, channels - 1))
    path = tmp_path_factory.mktemp("sound") / "in.wav"
    pcm = read_sound(tone(path, rate=rate, channels=channels, on=on))
    pitch, peak = pitch_and_peak(pcm)
    assert seconds(pcm) == pytest.approx(0.5, abs=0.01)
    assert pitch == pytest.approx(440, abs=4)
    assert peak == pytest.approx(16_000 / channels, rel=0.1, abs=3)


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("pcm_u8", "a.wav"),
        ("pcm_mulaw", "a.wav"),
        ("pcm_s24le", "a.wav"),
        ("pcm_f32le", "a.wav"),
        ("libmp3lame", "a.mp3"),
        ("flac", "a.flac"),
        ("libopus", "a.ogg"),
        ("aac", "a.m4a"),
    ],
)
def test_what_people_record_with_is_read(tmp_path: Path, codec: str, name: str) -> None:
    """`--help` says so."""
    path = tmp_path / name
    source = tone(tmp_path / "source.wav", rate=48_000, long=1.0)
    with av.open(str(source)) as read, av.open(str(path), "w") as written:
        stream = written.add_stream(codec, rate=48_000)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        resampler = av.AudioResampler(
            format=stream.format, layout="mono", rate=48_000, frame_size=stream.frame_size or None
        )
        for frame in [*read.decode(audio=0), None]:
            for part in resampler.resample(frame):
                written.mux(stream.encode(part))
        written.mux(stream.encode(None))
    pcm = read_sound(path)
    assert seconds(pcm) == pytest.approx(1.0, abs=0.05)
    assert pitch_and_peak(pcm)[0] == pytest.approx(440, abs=4)


def whole(tmp_path: Path) -> bytes:
    return tone(tmp_path / "whole.wav").read_bytes()


def test_a_wav_that_is_truncated_is_not_taken_for_a_short_one(tmp_path: Path) -> None:
    """The rest of the question would be lost, and the answer would be to something else."""
    path = tmp_path / "in.wav"
    path.write_bytes(whole(tmp_path)[:8_044])
    with pytest.raises(UnusableSound, match=r"in\.wav` is truncated: the last 8,000 bytes"):
        read_sound(path)


@pytest.mark.parametrize("length", [0, 0x7FFF_F024, 0xFFFF_FFFF])
def test_a_wav_from_a_pipe_is_whole_without_a_length(tmp_path: Path, length: int) -> None:
    """Who writes it cannot know how long it gets."""
    data = bytearray(whole(tmp_path))
    data[40:44] = struct.pack("<I", length)
    path = tmp_path / "in.wav"
    path.write_bytes(data)
    assert seconds(read_sound(path)) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"What time is it?\n" * 50, "is not a sound file"),
        (bytes(5_000), "is not a sound file"),
        (b"RIFF\x24\x00\x00\x00WAVE", "is not a sound file"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "is not a sound file"),
    ],
)
def test_what_is_no_sound_is_said_to_be_none(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    """By its name, with what to type next."""
    path = tmp_path / "in.wav"
    path.write_bytes(content)
    with pytest.raises(UnusableSound, match=rf"in\.wav` {complaint}(.|\n)*hint: .*--wav"):
        read_sound(path)


def test_a_wav_with_no_samples_holds_no_sound(tmp_path: Path) -> None:
    """A header is not a question."""
    with pytest.raises(UnusableSound, match="holds no sound"):
        read_sound(tone(tmp_path / "in.wav", long=0))


def test_what_is_not_a_file_is_said_to_be_none(tmp_path: Path) -> None:
    """Missing, or a folder."""
    with pytest.raises(UnusableSound, match="does not exist"):
        read_sound(tmp_path / "in.wav")
    with pytest.raises(UnusableSound, match="is a folder"):
        read_sound(tmp_path)


def refuse(*_: object, **__: object) -> None:
    """What the system says to anybody but root, who runs tests in a container."""
    raise PermissionError(errno.EACCES, "Permission denied")


def test_what_may_not_be_read_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the system's own reason."""
    path = tone(tmp_path / "in.wav")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnusableSound, match="cannot be read: Permission denied"):
        read_sound(path)


def recorded(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        sound: bytes = file.readframes(file.getnframes())
        return sound


def test_june_is_recorded_to_the_sample(tmp_path: Path) -> None:
    """Over whole seconds and what is left of one."""
    path = tmp_path / "out.wav"
    sound = os.urandom(2 * (3 * RATE + 77))
    with Recording(path) as recording:
        for start in range(0, len(sound), 960):
            recording.write(sound[start : start + 960])
    assert recorded(path) == sound
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_call_is_kept_so_far(tmp_path: Path) -> None:
    """Whatever ends it."""
    path = tmp_path / "out.wav"

    def call() -> None:
        with Recording(path) as recording:
            recording.write(b"\x01\x00" * 100)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call()
    assert recorded(path) == b"\x01\x00" * 100


def test_a_call_that_does_not_take_place_costs_no_earlier_recording(tmp_path: Path) -> None:
    """The models may fail to load; the answer of yesterday stays."""
    path = tmp_path / "out.wav"
    path.write_bytes(b"of yesterday")
    with Recording(path):
        pass
    assert path.read_bytes() == b"of yesterday"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("none/out.wav", "there is no folder `.*none`"),
        ("folder", "is a folder"),
        ("out.mp3", "should end in `.wav`"),
    ],
)
def test_a_place_that_cannot_be_written_is_found_before_the_call(
    tmp_path: Path, name: str, complaint: str
) -> None:
    """Not after it, when the answer is lost."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnusablePlace, match=complaint), Recording(tmp_path / name):
        pytest.fail("the call began")


def test_a_device_is_no_place_for_a_recording() -> None:
    """It could not take the file's place."""
    with pytest.raises(UnusablePlace, match="is not a file"), Recording(Path("/dev/null")):
        pytest.fail("the call began")


def test_a_place_that_may_not_be_written_is_found_before_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder, and a file that somebody has made read-only."""
    old = tmp_path / "old.wav"
    old.touch()
    with monkeypatch.context() as changed:
        changed.setattr(os, "access", lambda *_: False)
        with pytest.raises(UnusablePlace, match="read-only"), Recording(old):
            pytest.fail("the call began")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnusablePlace, match="Permission denied"), Recording(tmp_path / "out.wav"):
        pytest.fail("the call began")


class SmallDisk(io.FileIO):
    """Takes two seconds of sound."""

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > 44 + 4 * RATE:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_a_disk_that_gets_full_costs_only_what_came_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence, not a traceback; what was written by then can be heard."""
    path = tmp_path / "out.wav"
    sound = b"\x01\x00" * RATE

    def on_small_disk(path: Path, mode: str) -> SmallDisk:
        return SmallDisk(path, mode)

    def record() -> None:
        monkeypatch.setattr(Path, "open", on_small_disk)
        with Recording(path) as recording:
            for _ in range(5):
                recording.write(sound)

    with pytest.raises(UnusablePlace, match="No space left on device"):
        record()
    assert recorded(path) == 2 * sound

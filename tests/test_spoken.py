"""The cache of spoken lines."""

import asyncio
from pathlib import Path

import pytest
from livekit.agents import APIConnectionError
from speech_fakes import ScriptedSpeech
from structlog.testing import capture_logs

from agent.models.local.tts import LocalTTS
from agent.spoken import SpokenLines, frames


async def test_a_line_is_spoken_once_and_kept(tmp_path: Path) -> None:
    """The second start of June speaks nothing anew."""
    lines = SpokenLines(tmp_path / "lines", voice="a")
    voice = LocalTTS(ScriptedSpeech())
    assert await lines.prepare(["Hello there.", "Bye."], voice) == 2
    assert await lines.prepare(["Hello there.", "Bye."], voice) == 0
    sound = await lines.sound_of("Hello there.")
    assert sound is not None
    assert sound.sample_rate == 22_050
    assert sound.duration == pytest.approx(1.2, abs=0.1)


async def test_another_voice_is_another_sound(tmp_path: Path) -> None:
    """A change of voice must not greet with the old one."""
    await SpokenLines(tmp_path, voice="a").prepare(["Hello."], LocalTTS(ScriptedSpeech()))
    assert await SpokenLines(tmp_path, voice="b").sound_of("Hello.") is None


async def test_frames_are_short_and_together_the_whole(tmp_path: Path) -> None:
    """50 ms each, nothing lost at the end."""
    lines = SpokenLines(tmp_path, voice="a")
    await lines.prepare(["Hello there."], LocalTTS(ScriptedSpeech()))
    sound = await lines.sound_of("Hello there.")
    assert sound is not None
    pieces = [frame async for frame in frames(sound)]
    assert all(piece.duration <= 0.0501 for piece in pieces)
    assert sum(piece.samples_per_channel for piece in pieces) == sound.samples_per_channel


@pytest.mark.parametrize("broken", [b"", b"RIFF", b"not sound at all" * 100])
async def test_a_broken_file_is_spoken_anew(tmp_path: Path, broken: bytes) -> None:
    """A disk that was full once must not silence the greeting."""
    lines = SpokenLines(tmp_path, voice="a")
    voice = LocalTTS(ScriptedSpeech())
    await lines.prepare(["Hello."], voice)
    (file,) = await asyncio.to_thread(lambda: list(tmp_path.iterdir()))
    file.write_bytes(broken)
    assert await lines.sound_of("Hello.") is None
    assert await lines.prepare(["Hello."], voice) == 1


async def test_a_voice_that_fails_does_not_stop_june(tmp_path: Path) -> None:
    """The line is then synthesised when it is said."""
    speech = ScriptedSpeech()
    speech.fail_with = APIConnectionError("down", retryable=False)
    lines = SpokenLines(tmp_path, voice="a")
    with capture_logs() as logs:
        assert await lines.prepare(["Hello."], LocalTTS(speech)) == 0
    assert [entry["event"] for entry in logs] == ["line.not_cached"]
    assert await lines.sound_of("Hello.") is None

"""What callers say, as sound: Debian's `flite` voices, and recordings of people."""

import asyncio
import shutil
import subprocess
import tempfile
import wave
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from numpy.typing import NDArray

from agent.models.local.engine import HEARING_RATE

RATE = 48_000


def _read(path: Path) -> rtc.AudioFrame:
    """Mono sound of a wav file at `RATE`."""
    with wave.open(str(path)) as file:
        assert file.getnchannels() == 1
        assert file.getsampwidth() == 2
        rate, data = file.getframerate(), file.readframes(file.getnframes())
    frame = rtc.AudioFrame(data, rate, 1, len(data) // 2)
    if rate == RATE:
        return frame
    resampler = rtc.AudioResampler(rate, RATE, quality=rtc.AudioResamplerQuality.HIGH)
    return rtc.combine_audio_frames([*resampler.push(frame), *resampler.flush()])


async def synthetic(text: str, voice: str = "slt") -> rtc.AudioFrame:
    """A sentence by flite. A little slower than usual, Moonshine understands `slt` best."""
    return await asyncio.to_thread(by_flite, text, voice)


def by_flite(text: str, voice: str) -> rtc.AudioFrame:
    """The same, where nobody waits for an event loop."""
    flite = shutil.which("flite")
    if flite is None:
        pytest.fail("`flite` is not installed, whose voices call June\nhint: apt install flite")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        subprocess.run(
            [flite, "-voice", voice, "--setf", "duration_stretch=1.1", "-t", text, path], check=True
        )
        return _read(path)


@cache
def _piper() -> Any:
    from agent.models.local.engine import _load_voice

    return _load_voice()


async def piper(text: str) -> rtc.AudioFrame:
    """A sentence by June's own local voice."""
    chunks = await asyncio.to_thread(lambda: list(_piper().synthesize(text)))
    data = b"".join(chunk.audio_int16_bytes for chunk in chunks)
    frame = rtc.AudioFrame(data, chunks[0].sample_rate, 1, len(data) // 2)
    resampler = rtc.AudioResampler(frame.sample_rate, RATE, quality=rtc.AudioResamplerQuality.HIGH)
    return rtc.combine_audio_frames([*resampler.push(frame), *resampler.flush()])


RECORDINGS = {
    "two_cities": (
        "It was the best of times, it was the worst of times, it was the age of wisdom, it was "
        "the age of foolishness, it was the epoch of belief, it was the epoch of incredulity, it "
        "was the season of Light, it was the season of Darkness, it was the spring of hope, it was "
        "the winter of despair, we had everything before us, we had nothing before us, we were "
        "all going direct to Heaven, we were all going direct the other way, in short, the period "
        "was so far like the present period, that some of its noisiest authorities insisted on its "
        "being received, for good or for evil, in the superlative degree of comparison only."
    ),
    "beckett": "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.",
}
"""Read by people, with what they read."""


def recording(name: str) -> rtc.AudioFrame:
    from moonshine_voice.utils import get_assets_path

    return _read(Path(get_assets_path()) / f"{name}.wav")


def heard_at_once(sound: rtc.AudioFrame) -> NDArray[np.int16]:
    """The sound as ears take it, without a room."""
    resampler = rtc.AudioResampler(
        sound.sample_rate, HEARING_RATE, quality=rtc.AudioResamplerQuality.HIGH
    )
    frame = rtc.combine_audio_frames([*resampler.push(sound), *resampler.flush()])
    return np.frombuffer(bytes(frame.data.cast("b")), np.int16)

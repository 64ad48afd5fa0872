"""Sound as numbers, at the one rate that June measures voices at."""

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from agent.voices.mel import RATE
from skills.sound import BYTES_A_SAMPLE, Sound

FULL_SCALE = np.float32(32_768)


def samples_of(sound: Sound) -> NDArray[np.float32]:
    """At 16 kHz, from -1 to 1; may be one sample longer or shorter than its time says."""
    pcm = sound.pcm if sound.sample_rate == RATE else _resampled(sound)
    return np.frombuffer(pcm, "<i2").astype(np.float32) / FULL_SCALE


def frame_of(sound: Sound) -> rtc.AudioFrame:
    """As LiveKit has it; a byte that is half a sample is left out."""
    count = len(sound.pcm) // BYTES_A_SAMPLE
    return rtc.AudioFrame(sound.pcm[: count * BYTES_A_SAMPLE], sound.sample_rate, 1, count)


def _resampled(sound: Sound) -> bytes:
    resampler = rtc.AudioResampler(sound.sample_rate, RATE, quality=rtc.AudioResamplerQuality.HIGH)
    frames = [
        *resampler.push(frame_of(sound)),
        *resampler.flush(),
    ]
    return b"".join(bytes(frame.data.cast("b")) for frame in frames)

"""What a caller says to the page: a person's recording, as a clip for Chromium's microphone."""

import io
import wave
from pathlib import Path

from livekit import rtc

SILENCE_BEFORE = 12.0
"""Seconds; a clip starts when the microphone opens, and June greets first."""

SILENCE_AFTER = 15.0


def wav_of(sound: rtc.AudioFrame, *, before: float = 0, after: float = 0) -> bytes:
    """A mono file, with seconds of silence around it."""
    rate = sound.sample_rate
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(2 * int(before * rate)))
        file.writeframes(bytes(sound.data.cast("b")))
        file.writeframes(bytes(2 * int(after * rate)))
    return kept.getvalue()


def clip(
    path: Path,
    sound: rtc.AudioFrame,
    *,
    before: float = SILENCE_BEFORE,
    after: float = SILENCE_AFTER,
) -> Path:
    """For `Browser.page(microphone=…)`."""
    path.write_bytes(wav_of(sound, before=before, after=after))
    return path


def beginning(sound: rtc.AudioFrame, *, seconds: float) -> rtc.AudioFrame:
    """Its first seconds, where a test needs a voice and no sentence."""
    count = int(seconds * sound.sample_rate)
    return rtc.AudioFrame(bytes(sound.data.cast("b"))[: 2 * count], sound.sample_rate, 1, count)

"""Sound as it is inside a console: mono, 16 bits, 24,000 samples a second, as in a room."""

from livekit import rtc

RATE = 24_000

SAMPLE_BYTES = 2


def frame(pcm: bytes, rate: int = RATE) -> rtc.AudioFrame:
    return rtc.AudioFrame(pcm, rate, 1, len(pcm) // SAMPLE_BYTES)


def silence(samples: int) -> bytes:
    return bytes(samples * SAMPLE_BYTES)


def seconds(pcm: bytes | bytearray) -> float:
    return len(pcm) / SAMPLE_BYTES / RATE

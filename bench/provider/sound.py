"""Sound between OpenAI's formats and the local models'."""

import io
import struct
import wave
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

from livekit import rtc

from agent.models.local.engine import HEARING_RATE

RATE = 24_000
"""Samples per second of OpenAI's `pcm`: mono, 16 bits, little-endian."""

CHUNK_SECONDS = 0.1
CHUNK_BYTES = int(RATE * CHUNK_SECONDS) * 2


class UnknownSound(Exception):
    """A file that is not mono 16-bit wav; the message is for the client."""


def frame(pcm: bytes, rate: int) -> rtc.AudioFrame:
    return rtc.AudioFrame(pcm, rate, 1, len(pcm) // 2)


def seconds_of(pcm: bytes, rate: int = RATE) -> float:
    return len(pcm) / 2 / rate


async def as_openai_speaks(
    sounds: AsyncIterator[bytes], rate: int, wanted_rate: int = RATE
) -> AsyncGenerator[bytes, None]:
    """Mono sound in OpenAI's chunks, and at its rate unless another one is wanted."""
    resampler = rtc.AudioResampler(rate, wanted_rate, quality=rtc.AudioResamplerQuality.HIGH)
    waiting = bytearray()
    async for sound in sounds:
        for part in resampler.push(frame(sound, rate)):
            waiting += part.data.cast("b")
        while len(waiting) >= CHUNK_BYTES:
            yield bytes(waiting[:CHUNK_BYTES])
            del waiting[:CHUNK_BYTES]
    for part in resampler.flush():
        waiting += part.data.cast("b")
    for chunk in chunks(bytes(waiting)):
        yield chunk


async def in_odd_chunks(sounds: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The sound without its last byte, in chunks of an odd number of bytes."""
    waiting = bytearray()
    async for sound in sounds:
        waiting += sound
        while len(waiting) > CHUNK_BYTES:
            yield bytes(waiting[: CHUNK_BYTES - 1])
            del waiting[: CHUNK_BYTES - 1]
    yield bytes(waiting[:-1])


def chunks(pcm: bytes) -> Iterator[bytes]:
    for start in range(0, len(pcm), CHUNK_BYTES):
        yield pcm[start : start + CHUNK_BYTES]


def for_hearing(file: bytes) -> bytes:
    """The sound of a wav file at `HEARING_RATE`. Raises `UnknownSound`."""
    try:
        with wave.open(io.BytesIO(file)) as wav:
            if wav.getnchannels() != 1 or wav.getsampwidth() != 2:
                raise UnknownSound("Only mono wav files of 16 bits are supported here.")
            rate = wav.getframerate()
            pcm: bytes = wav.readframes(wav.getnframes())
    except (wave.Error, EOFError) as error:
        raise UnknownSound("Invalid file format. Supported formats: ['wav']") from error
    if rate == HEARING_RATE:
        return pcm
    resampler = rtc.AudioResampler(rate, HEARING_RATE, quality=rtc.AudioResamplerQuality.HIGH)
    parts = [*resampler.push(frame(pcm, rate)), *resampler.flush()]
    return b"".join(bytes(part.data.cast("b")) for part in parts)


def endless_wav_header() -> bytes:
    """As OpenAI sends it: how long the sound will be is not known when it begins."""
    unknown = 0xFFFF_FFFF
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", unknown, b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16, b"data", unknown),
    )

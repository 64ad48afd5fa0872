"""Sound as a caller can use it: that is speech, comes in time, and has the call's rate."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import numpy as np
from livekit import rtc

from agent.models.guard import TooSlow, Useless

SURE_SECONDS = 0.1
"""So much is looked at before any of it is passed on."""

SILENT_PEAK = 32
"""Of 32,768: -60 dB, which no caller hears."""

FASTEST_CHARACTERS_PER_SECOND = 60
"""Nobody speaks half as fast; what is shorter is not what was asked for."""

TEXT_BYTES = bytes({*range(0x20, 0x100), *b"\t\n\v\f\r\x1b"})
"""All that a page is made of, in UTF-8 and in older encodings, wherever it is cut. Of the low bytes
of 16-bit speech every tenth is another one, and of the high bytes of soft speech every second."""

Frames = AsyncGenerator[rtc.AudioFrame, None]


def can_be_said(text: str) -> bool:
    """Whether there is anything to pronounce in it."""
    return any(letter.isalnum() for letter in text)


async def audible(frames: Frames, text: str) -> Frames:
    """The same, once it is clear that this is speech. Raises `Useless` where it is not.

    A server that is broken sends silence, an empty answer, or a web page as if it were sound; or
    it ends early as if that were all, which is clear only after what there was of it.
    """
    held: list[rtc.AudioFrame] = []
    held_seconds = 0.0
    is_silent, is_sure = True, False
    async with aclosing(frames):
        async for frame in frames:
            held_seconds += frame.duration
            if is_sure:
                yield frame
                continue
            held.append(frame)
            is_silent = is_silent and _is_silent(frame)
            if is_sure := held_seconds >= SURE_SECONDS and not is_silent:
                _refuse_text(held)
                for waiting in held:
                    yield waiting
    if not is_sure:
        if is_silent:
            raise Useless("silence instead of speech")
        _refuse_text(held)
    if held_seconds * FASTEST_CHARACTERS_PER_SECOND < sum(map(str.isalnum, text)):
        raise Useless("next to nothing instead of speech")
    if not is_sure:
        for waiting in held:
            yield waiting


async def in_time(
    frames: Frames, *, first_seconds: float, stall_seconds: float, is_fair: bool = True
) -> Frames:
    """The same; raises `TooSlow` where the caller would wait longer than that for the first of it,
    or, with all played that has come, for more. Unless it `is_fair`, a late first is not its fault.
    """
    loop = asyncio.get_running_loop()
    end, began, passed_seconds = loop.time() + first_seconds, 0.0, 0.0
    async with aclosing(frames):
        while True:
            try:
                async with asyncio.timeout_at(end):
                    frame = await anext(frames, None)
            except TimeoutError:
                raise TooSlow(is_its_fault=is_fair or began > 0) from None
            if frame is None:
                return
            began = began or loop.time()
            passed_seconds += frame.duration
            end = began + passed_seconds + stall_seconds
            yield frame


async def at_rate(frames: Frames, sample_rate: int) -> Frames:
    """The same sound with this rate."""
    resampler: rtc.AudioResampler | None = None
    async with aclosing(frames):
        async for frame in frames:
            if frame.sample_rate == sample_rate:
                yield frame
                continue
            if resampler is None:
                resampler = rtc.AudioResampler(frame.sample_rate, sample_rate)
            for resampled in resampler.push(frame):
                yield resampled
    for resampled in [] if resampler is None else resampler.flush():
        yield resampled


def _is_silent(frame: rtc.AudioFrame) -> bool:
    samples = np.frombuffer(frame.data, np.int16).astype(np.int32)
    return int(np.abs(samples).max(initial=0)) < SILENT_PEAK


def _refuse_text(frames: list[rtc.AudioFrame]) -> None:
    data = b"".join(bytes(frame.data.cast("b")) for frame in frames)
    if not data.translate(None, TEXT_BYTES):
        raise Useless("a text instead of speech")

"""What a caller speaks into: a published track that plays in real time."""

import asyncio
from typing import Self

from livekit import rtc

from room.voices import RATE

PIECE = RATE // 50


class Microphone:
    """A published track that plays what it is given, in real time, and silence between."""

    def __init__(self, source: rtc.AudioSource) -> None:
        self._source = source
        self._to_play: asyncio.Queue[bytes] = asyncio.Queue()
        self._task = asyncio.create_task(self._run())

    @classmethod
    async def of(cls, room: rtc.Room) -> Self:
        source = rtc.AudioSource(RATE, 1, queue_size_ms=100)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await room.local_participant.publish_track(track, options)
        return cls(source)

    async def _run(self) -> None:
        silence = bytes(2 * PIECE)
        while True:
            piece = silence if self._to_play.empty() else self._to_play.get_nowait()
            await self._source.capture_frame(rtc.AudioFrame(piece, RATE, 1, PIECE))

    async def play(self, sound: rtc.AudioFrame) -> None:
        """Until its last sample is on its way."""
        data = bytes(sound.data.cast("b"))
        for start in range(0, len(data), 2 * PIECE):
            piece = data[start : start + 2 * PIECE]
            self._to_play.put_nowait(piece + bytes(2 * PIECE - len(piece)))
        while not self._to_play.empty():
            await asyncio.sleep(0.01)

    def close(self) -> None:
        self._task.cancel()

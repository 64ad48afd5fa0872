"""June's voice in a console, as LiveKit's `AudioOutput`: whoever plays it pulls."""

import asyncio
import time

from livekit import rtc
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities

from agent.console.pcm import RATE
from agent.console.reel import Finished, Happening, HasRoom, Reel, Started

AHEAD_SECONDS = 10.0
"""Sound that is taken before it can be played. The words on the screen keep step with the sound by
the length of what has been synthesised, so a sentence or two must fit."""


class Mouth(AudioOutput):
    """Lives as long as one call; made and used in its event loop, pulled from any thread."""

    def __init__(self) -> None:
        super().__init__(
            label="console",
            capabilities=AudioOutputCapabilities(pause=True),
            sample_rate=RATE,
        )
        self._loop = asyncio.get_running_loop()
        self._reel = Reel(self._pass_on, longest_samples=int(AHEAD_SECONDS * RATE))
        self._has_room = asyncio.Event()

    def pull(self, samples: int) -> bytes:
        """What is to be heard next."""
        return self._reel.pull(samples)

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        if frame.sample_rate != RATE or frame.num_channels != 1:
            raise ValueError(f"sound must be mono at {RATE} Hz (got {frame})")
        while self._reel.is_full:
            self._has_room.clear()
            await self._has_room.wait()
        # Nothing is awaited from here on: a frame is counted and kept, or neither.
        await super().capture_frame(frame)
        self._reel.add(bytes(frame.data.cast("b")))

    def flush(self) -> None:
        super().flush()
        self._reel.close()

    def clear_buffer(self) -> None:
        self._reel.cut()

    def pause(self) -> None:
        super().pause()
        self._reel.pause()

    def resume(self) -> None:
        super().resume()
        self._reel.resume()

    def _pass_on(self, happening: Happening) -> None:
        # Also from the loop's own thread, so that what happens is heard of in its order.
        self._loop.call_soon_threadsafe(self._on, happening, time.time())

    def _on(self, happening: Happening, at: float) -> None:
        match happening:
            case Started():
                self.on_playback_started(created_at=at)
            case Finished(samples, is_cut):
                self.on_playback_finished(playback_position=samples / RATE, interrupted=is_cut)
            case HasRoom():
                self._has_room.set()

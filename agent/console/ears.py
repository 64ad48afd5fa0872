"""The caller's sound in a console, as LiveKit's `AudioInput`: whoever records it pushes."""

import asyncio

from livekit import rtc
from livekit.agents.voice.io import AudioInput

from agent.console.pcm import frame


class Ears(AudioInput):
    """Lives as long as one call; pushed to in its event loop."""

    def __init__(self) -> None:
        super().__init__(label="console")
        self._frames: asyncio.Queue[rtc.AudioFrame] = asyncio.Queue()

    def push(self, pcm: bytes) -> None:
        self._frames.put_nowait(frame(pcm))

    async def __anext__(self) -> rtc.AudioFrame:
        return await self._frames.get()

"""Hands the caller's sound on, and shows it to the recorder on the way."""

from collections.abc import Callable

from livekit import rtc
from livekit.agents.voice.io import AudioInput


class Tap(AudioInput):
    """Stands in front of a call's audio input, in a room and in a console alike.

    Speech recognition gets every frame as it was: in `stt_node` it would be silence while June
    may not be interrupted.
    """

    def __init__(self, source: AudioInput, show: Callable[[rtc.AudioFrame], None]) -> None:
        super().__init__(label="june.tap", source=source)
        self._show = show

    async def __anext__(self) -> rtc.AudioFrame:
        frame = await super().__anext__()
        self._show(frame)
        return frame

"""The cache of spoken lines: sound of what June says on her own account, one wav a sentence.

Her first word must not wait for a provider, and an apology must not need the one that failed.
"""

import asyncio
import os
import tempfile
import wave
from collections.abc import AsyncIterator, Iterable
from hashlib import blake2b
from pathlib import Path

import structlog
from livekit import rtc
from livekit.agents import APIConnectOptions, tts

log = structlog.get_logger(__name__)

FRAME_SECONDS = 0.05

AT_ONCE = 4
"""Lines that a voice is asked for at the same time: a hosted one takes a second for each."""

NO_RETRY = APIConnectOptions(max_retry=0)
"""What is not spoken now is spoken when it is said."""


class SpokenLines:
    """Sentences in one voice, on disk. The folder outlives calls, workers and restarts.

    `voice` names provider, model and voice, so that a change of any of them speaks anew.
    """

    def __init__(self, folder: Path, *, voice: str) -> None:
        self._folder = folder
        self._voice = voice

    def _path(self, text: str) -> Path:
        key = blake2b(f"{self._voice}\0{text}".encode(), digest_size=16).hexdigest()
        return self._folder / f"{key}.wav"

    async def prepare(self, texts: Iterable[str], voice: tts.TTS[str]) -> int:
        """Speak to disk what is not there yet, and say how many sentences that were.

        A line that fails is logged: it is then synthesised when it is said.
        """
        free = asyncio.Semaphore(AT_ONCE)

        async def speak(text: str) -> bool:
            async with free:
                try:
                    sound = await voice.synthesize(text, conn_options=NO_RETRY).collect()
                    await asyncio.to_thread(_write, self._path(text), sound)
                except Exception as error:  # noqa: BLE001  whatever it is, June starts
                    log.warning("line.not_cached", error=type(error).__name__)
                    return False
                return True

        missing = [text for text in texts if _read(self._path(text)) is None]
        return sum(await asyncio.gather(*map(speak, missing)))

    async def sound_of(self, text: str) -> rtc.AudioFrame | None:
        """The whole sentence, or None where it was never spoken in this voice."""
        return await asyncio.to_thread(_read, self._path(text))


async def frames(sound: rtc.AudioFrame) -> AsyncIterator[rtc.AudioFrame]:
    """The sound in frames of 50 ms, as `AgentSession.say(audio=…)` takes it."""
    step = int(sound.sample_rate * FRAME_SECONDS)
    data = bytes(sound.data.cast("b"))
    for start in range(0, sound.samples_per_channel, step):
        piece = data[start * 2 : (start + step) * 2]
        yield rtc.AudioFrame(piece, sound.sample_rate, 1, len(piece) // 2)


def _read(path: Path) -> rtc.AudioFrame | None:
    try:
        with wave.open(str(path), "rb") as file:
            data = file.readframes(file.getnframes())
            if file.getsampwidth() != 2 or file.getnchannels() != 1 or not data:
                return None
            return rtc.AudioFrame(data, file.getframerate(), 1, len(data) // 2)
    except (OSError, EOFError, ValueError, wave.Error):
        return None


def _write(path: Path, sound: rtc.AudioFrame) -> None:
    """Whole or not at all: another process may be reading."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as raw, wave.open(raw, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(sound.sample_rate)
            file.writeframes(bytes(sound.data.cast("b")))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

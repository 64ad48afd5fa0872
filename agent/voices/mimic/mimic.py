"""`mimic`: a clone that is 71 numbers, and needs no network.

It is computed in threads: `pyworld` lets the event loop run meanwhile. Whoever stops listening
leaves a piece of a sentence to be computed in vain, a fifth of a second at most on an idle machine.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from livekit.agents import APIConnectOptions, APIError, tts
from pydantic import BaseModel, ConfigDict, ValidationError

from agent.voices.cloner import CloneFailed
from agent.voices.mimic.likeness import likeness_of
from agent.voices.mimic.moving import Move, moved
from agent.voices.mimic.pieces import Pieces
from agent.voices.mimic.tract import fitted
from skills.sound import BYTES_A_SAMPLE, Sound

PATIENCE = APIConnectOptions(max_retry=1, retry_interval=0.5, timeout=10.0)
"""With June's own voice."""

MEASURED = (
    "Early in the morning, four boys and a girl took the yellow bus to the old harbour. "
    "They watched the ships, shared some food, and thought about what the day would bring."
)
"""Said by June when a voice is made, so that her own is known: most sounds of English are in it."""

YIELDED_SECONDS = 0.1


class _Clone(BaseModel):
    """As it is kept."""

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = 1
    june: str
    """Her own voice: moved from another one, the caller's would be missed."""
    move: Move


class Mimic:
    """`june` is her own voice, whatever it is; it stays its owner's to close."""

    def __init__(self, june: tts.TTS[str], own_voice: str) -> None:
        """`own_voice` names it: a clone that was made from another one is not spoken with."""
        self._june = june
        self._own_voice = own_voice

    @property
    def provider(self) -> str:
        return "local"

    @property
    def model(self) -> str:
        return "mimic"

    @property
    def sample_rate(self) -> int:
        return self._june.sample_rate

    @property
    def phrases(self) -> Sequence[str]:
        return ()

    async def clone(self, name: str, sample: Sound, phrases: Sequence[Sound]) -> str:
        """Measures the sample and June, and tries some ways from the one to the other.

        Nothing of it is anywhere but in what is returned, so `name` is not needed.
        """
        said = bytearray()
        with _as_a_failed_clone():
            async with self._june.synthesize(MEASURED, conn_options=PATIENCE) as speech:
                async for sound in speech:
                    said += sound.frame.data.cast("b")
        move = await asyncio.to_thread(_from_to, Sound(bytes(said), self.sample_rate), sample)
        return _Clone(june=self._own_voice, move=move).model_dump_json()

    async def speak(self, clone: str, text: str) -> AsyncGenerator[bytes, None]:
        move = self._read(clone)
        if not any(map(str.isalnum, text)):
            return
        pieces = Pieces(self.sample_rate)
        with _as_a_failed_clone():
            async with self._june.synthesize(text, conn_options=PATIENCE) as speech:
                async for sound in speech:
                    for piece in pieces.add(bytes(sound.frame.data.cast("b"))):
                        for pcm in await self._moved(piece, move):
                            yield pcm
        for piece in pieces.rest():
            for pcm in await self._moved(piece, move):
                yield pcm

    async def delete(self, name: str) -> None:
        """There is nothing of it here."""

    async def aclose(self) -> None:
        """There is nothing to close."""

    async def _moved(self, piece: Sound, move: Move) -> list[bytes]:
        pcm = (await asyncio.to_thread(moved, piece, move)).pcm
        size = round(YIELDED_SECONDS * self.sample_rate) * BYTES_A_SAMPLE
        return [pcm[start : start + size] for start in range(0, len(pcm), size)]

    def _read(self, clone: str) -> Move:
        try:
            kept = _Clone.model_validate_json(clone)
        except ValidationError:
            raise CloneFailed("the clone is not one of this version of `mimic`") from None
        if kept.june != self._own_voice:
            raise CloneFailed("the clone was made from another voice of June's")
        return kept.move


@contextmanager
def _as_a_failed_clone() -> Iterator[None]:
    """The faults of June's own voice."""
    try:
        yield
    except APIError as error:
        raise CloneFailed(f"June's own voice failed: {type(error).__name__}") from None


def _from_to(june: Sound, sample: Sound) -> Move:
    """Blocks for two or three seconds; other threads run."""
    return fitted(june, likeness_of(june), sample, likeness_of(sample))

"""Sound that is heard is paid for by the minute, before the minute begins."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from livekit.agents import stt

from agent.models.metered import count_of, reserve
from session.prices import HEARD_TOKENS_PER_SECOND, WRITTEN_TOKENS_PER_SECOND
from session.usage import Held, ModelUsed, Purse, Usage

BLOCK_SECONDS = 60.0


@dataclass
class Block:
    """One reservation, and what has been used of it."""

    held: Held
    seconds: float = 0.0
    untold_seconds: float = 0.0
    """Of sound since the model last told what it had used."""
    input_tokens: int = 0
    output_tokens: int = 0
    is_told: bool = False

    def used(self, *, is_cut_short: bool) -> Usage:
        read, written = self.input_tokens, self.output_tokens
        # What the model would have told of the rest; without tokens its seconds are the price.
        if is_cut_short and read + written:
            read += math.ceil(self.untold_seconds * HEARD_TOKENS_PER_SECOND)
            written += math.ceil(self.untold_seconds * WRITTEN_TOKENS_PER_SECOND)
        return Usage(input_tokens=read, output_tokens=written, audio_seconds=self.seconds)


class Minutes:
    """Lives as long as one stream of sound; to be used inside `settling`."""

    def __init__(self, purse: Purse, model: Callable[[], ModelUsed]) -> None:
        self._purse = purse
        self._model = model
        self._block: Block | None = None

    async def pay_for(self, seconds: float) -> None:
        """Before so much sound is given away; waits only where a minute begins.

        Raises:
            Refused: there is no money for another minute.
        """
        block = self._block
        if block is None or block.seconds + seconds > BLOCK_SECONDS:
            held = await reserve(self._purse, self._model(), Usage(audio_seconds=BLOCK_SECONDS))
            # Only now: what the model tells in the meantime belongs to the minute before.
            self._settle(is_cut_short=False)
            block = self._block = Block(held)
        block.seconds += seconds
        block.untold_seconds += seconds

    def note(self, told: stt.RecognitionUsage) -> None:
        """What the model says that it has used since it last did."""
        if self._block is None:
            return
        self._block.input_tokens += count_of(told.input_tokens)
        self._block.output_tokens += count_of(told.output_tokens)
        self._block.untold_seconds = 0.0
        self._block.is_told = True

    @contextmanager
    def settling(self) -> Iterator[None]:
        """At its end the last minute is settled, however it came."""
        is_cut_short = True
        try:
            yield
            is_cut_short = False
        finally:
            self._settle(is_cut_short=is_cut_short)

    def _settle(self, *, is_cut_short: bool) -> None:
        block, self._block = self._block, None
        if block is not None:
            self._purse.settle(
                block.held,
                block.used(is_cut_short=is_cut_short),
                is_estimate=is_cut_short or not block.is_told,
            )

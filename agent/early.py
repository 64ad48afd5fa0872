"""An answer that is written slowly is spoken before its first sentence is complete."""

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import aclosing

from livekit.agents import FlushSentinel

from agent.models.audible import can_be_said
from agent.models.turn_clock import VOICE_SECONDS, TurnClock
from agent.reply import Chunk, text_of

MARGIN_SECONDS = 0.5
"""Of what the voice needs, for a sentence in the middle of which a machine is busy."""


async def said_early(
    chunks: AsyncGenerator[Chunk, None], clock: TurnClock
) -> AsyncGenerator[Chunk, None]:
    """The same; what is there is flushed to the voice once the turn's time runs out."""

    def spare_seconds() -> float:
        return max(0.0, clock.left_seconds - VOICE_SECONDS - MARGIN_SECONDS)

    has_words = is_flushed = False
    async with aclosing(chunks):
        while True:
            coming = asyncio.ensure_future(anext(chunks, None))
            try:
                while not is_flushed and has_words:
                    spare = spare_seconds()
                    # A clock that stands now goes on with the next reply only.
                    timeout = None if spare == math.inf else spare
                    done, _ = await asyncio.wait({coming}, timeout=timeout)
                    if done:
                        break
                    if spare_seconds() > 0:
                        continue  # meanwhile June was heard, or the turn has come to nothing
                    is_flushed = True
                    yield FlushSentinel()
                chunk = await coming
            finally:
                if not coming.done():
                    coming.cancel()
                    await asyncio.wait({coming})
                if not coming.cancelled():
                    coming.exception()  # nobody else looks at it where the call has moved on
            if chunk is None:
                return
            has_words = has_words or can_be_said(text_of(chunk))
            yield chunk

"""A model's answer on its way to the voice: whatever it does, the caller hears a sentence."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog
from livekit.agents import APIError, FlushSentinel, llm

from agent.lines import Lines
from agent.models.audible import can_be_said
from agent.models.refused import Refused

log = structlog.get_logger(__name__)

Chunk = llm.ChatChunk | str | FlushSentinel

LONGEST_CHARACTERS = 2_000
"""About two minutes of speech; a model that ignores `max_output_tokens` writes on for ever."""

LAST_SENTENCE_CHARACTERS = 400
"""How much longer it may be, to end with a sentence."""


async def made_sayable(
    chunks: AsyncGenerator[Chunk, None], lines: Lines, *, may_use_tools: bool = True
) -> AsyncGenerator[Chunk, None]:
    """The answer; what is missing of it is said in June's own words.

    An answer with nothing to pronounce (empty, only markup or emoji) and one that fails before
    its first word become a sentence; one that breaks off, or does not end, ends with one. Without
    `may_use_tools` the use of one leads to nothing: LiveKit has stopped a model that used too many.
    """
    said = 0
    has_words = has_tool = False
    async with aclosing(chunks):
        try:
            async for chunk in chunks:
                text = text_of(chunk)
                said += len(text)
                has_words = has_words or can_be_said(text)
                has_tool = has_tool or (may_use_tools and uses_tool(chunk))
                yield chunk
                if _is_enough(said, text):
                    log.info("reply.cut", characters=said)
                    yield f" {lines.more_to_say}"
                    return
        except Refused:
            return  # the call ends with the reason
        except APIError as error:
            log.warning("reply.failed", error=type(error).__name__, after_characters=said)
            if has_tool and not has_words:
                return  # the tool works already; what it did is told in the next step
            yield f" {lines.lost_words}" if has_words else lines.trouble
            return
    if not has_words and not has_tool:
        log.info("reply.empty", characters=said)
        yield lines.not_understood


def text_of(chunk: Chunk) -> str:
    match chunk:
        case str():
            return chunk
        case llm.ChatChunk(delta=llm.ChoiceDelta(content=str(content))):
            return content
        case _:
            return ""


def uses_tool(chunk: Chunk) -> bool:
    return isinstance(chunk, llm.ChatChunk) and bool(chunk.delta and chunk.delta.tool_calls)


def _is_enough(said: int, newest: str) -> bool:
    if said >= LONGEST_CHARACTERS + LAST_SENTENCE_CHARACTERS:
        return True
    return said >= LONGEST_CHARACTERS and newest.rstrip().endswith((".", "!", "?"))

"""Whatever ends a call that nobody ends: its length, and a stage that fails."""

import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from livekit.agents import AgentSession
from livekit.agents.voice import SpeechHandle

from agent.config import Config
from agent.ending import Ending
from agent.lines import Lines
from agent.longest import LongestCall
from agent.spoken import SpokenLines
from agent.trouble import Trouble
from session import CloseReason


def watched(
    voice: AgentSession[None],
    *,
    spoken: SpokenLines,
    ending: Ending,
    lines: Lines,
    config: Config,
    say: Callable[[str], Awaitable[SpeechHandle]],
) -> ExitStack:
    """From now until what is returned is closed."""
    stack = ExitStack()

    async def warn() -> None:
        if ending.reason is None:
            await say(lines.one_minute_left)

    stack.enter_context(
        LongestCall(
            config.call.max_minutes * 60,
            warn=warn,
            end=lambda: ending.begin(CloseReason.TOO_LONG, lines.call_too_long),
        )
    )
    trouble = Trouble(
        voice,
        spoken,
        lines,
        is_over=lambda: ending.reason is not None,
        give_up=lambda: ending.begin(CloseReason.ERROR, lines.broken),
        now=time.monotonic,
    )
    voice.on("error", trouble.on_error)
    stack.callback(voice.off, "error", trouble.on_error)
    return stack

"""A call that takes place on this machine: the same `Call` as in a room, with other ends."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import structlog
from livekit.agents.voice.io import AudioInput, AudioOutput, TextOutput

from agent.assistant import June
from agent.call import Call, Place
from agent.config import STAGES, Config
from agent.models.build import build_models, local_speech
from agent.models.check import say_problems
from agent.turns import load_vad
from session import CloseReason, open_sessions

log = structlog.get_logger(__name__)

USER = "console"

CLOSE_SECONDS = 10.0
"""How long the voice may take to close; a provider that hangs must not keep a terminal."""


@dataclass(frozen=True)
class Ends:
    """What a call hears and speaks with. Without sound it is a call that is typed."""

    words: TextOutput
    """Gets what June says, as she says it."""
    ears: AudioInput | None = None
    mouth: AudioOutput | None = None


@dataclass(frozen=True)
class HereCall:
    """A call that has not begun yet; `begin` it once whoever listens is ready."""

    call: Call
    over: asyncio.Event
    """Set when June has hung up, after her last word."""
    ends: Ends

    async def begin(self) -> None:
        """Until June has greeted."""
        greeting = await self.call.begin(self._start)
        await greeting.wait_for_playout()

    async def _start(self, june: June) -> None:
        voice = self.call.voice
        voice.input.audio = self.ends.ears
        voice.output.audio = self.ends.mouth
        voice.output.transcription = self.ends.words
        await voice.start(june, session_host=False, record=False)

    async def hang_up(self) -> None:
        """From the caller's side."""
        self.call.ending.begin(CloseReason.CALLER_LEFT)
        await self.over.wait()


@asynccontextmanager
async def call_here(config: Config, ends: Ends) -> AsyncIterator[HereCall]:
    """June, ready to talk; at the end the call is closed in order.

    Nothing is kept: the memory lives as long as the call.
    """
    is_typed = ends.ears is None
    over = asyncio.Event()
    async with AsyncExitStack() as stack:
        await say_problems(config, strict=False, stages=("llm",) if is_typed else STAGES)
        speech = None
        if config.needs_local_speech and not is_typed:
            speech = await asyncio.to_thread(local_speech, None)
            stack.push_async_callback(speech.aclose)
        detector = await asyncio.to_thread(load_vad)
        sessions = await stack.enter_async_context(
            open_sessions(replace(config.session, store_url="memory:"))
        )
        models = build_models(
            config,
            language=config.agent.language,
            speech=speech,
            detector=detector,
            typed_only=is_typed,
        )
        call = Call(
            config,
            models,
            detector,
            Place(
                room="console",
                channel="console",
                call_id=f"console-{secrets.token_hex(4)}",
                shut_down=lambda _: over.set(),
            ),
            language=config.agent.language,
        )
        await call.open(sessions, USER)
        stack.push_async_callback(_close, call)
        yield HereCall(call, over, ends)


async def _close(call: Call) -> None:
    """In a room LiveKit closes the voice; here nobody else does."""
    call.ending.begin(CloseReason.CALLER_LEFT)
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await call.voice.aclose()
    except TimeoutError:
        log.warning("voice.not_closed", seconds=CLOSE_SECONDS)
    await call.aclose()

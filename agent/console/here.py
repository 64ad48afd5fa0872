"""A call that takes place on this machine: the same `Call` as in a room, with other ends."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from random import Random

import structlog
from livekit.agents.utils import http_context
from livekit.agents.voice import SpeechHandle
from livekit.agents.voice.io import AudioInput, AudioOutput, TextOutput
from livekit.agents.voice.transcription import TranscriptSynchronizer

from agent.assistant import June
from agent.call import Call
from agent.config import STAGES, Config
from agent.console.progress import progress
from agent.models.build import build_models, local_speech
from agent.models.check import say_problems
from agent.place import Place
from agent.skills_found import skills_of
from agent.turns import load_vad
from session import CloseReason, SessionConfig, open_sessions
from session.prices import load_public_prices

log = structlog.get_logger(__name__)

USER = "console"

CLOSE_SECONDS = 10.0
"""How long the voice may take to close; a provider that hangs must not keep a terminal."""


@dataclass(frozen=True)
class Ends:
    """What a call hears and speaks with. Without sound it is a call that is typed."""

    words: TextOutput
    """Gets what June says, as it is heard."""
    ears: AudioInput | None = None
    mouth: AudioOutput | None = None


@dataclass(frozen=True)
class HereCall:
    """A call that has not begun yet; `begin` it once whoever listens is ready."""

    call: Call
    over: asyncio.Event
    """Set when June has hung up, after her last word."""
    ends: Ends

    async def begin(self) -> SpeechHandle | None:
        """June listens, and her greeting has begun; None where she may not take the call."""
        return await self.call.begin(self._start)

    async def _start(self, june: June) -> None:
        voice = self.call.voice
        voice.input.audio = self.ends.ears
        if self.ends.mouth is None:
            voice.output.transcription = self.ends.words
        else:
            # As in a room: words keep step with their sound, and of a sentence that is
            # interrupted only what was heard is shown, remembered and stored.
            in_step = TranscriptSynchronizer(
                next_in_chain_audio=self.ends.mouth, next_in_chain_text=self.ends.words
            )
            self.call.stack.push_async_callback(in_step.aclose)
            voice.output.audio = in_step.audio_output
            voice.output.transcription = in_step.text_output
        await voice.start(june, session_host=False, record=False)

    @property
    def exit_code(self) -> int:
        """1 when it was a fault that ended the call; the log has said which."""
        return int(self.call.reason in (CloseReason.ERROR, CloseReason.CRASH))

    async def hang_up(self) -> None:
        """From the caller's side."""
        self.call.ending.begin(CloseReason.CALLER_LEFT)
        await self.over.wait()


@asynccontextmanager
async def call_here(
    config: Config, ends: Ends, *, chance: Random | None = None
) -> AsyncIterator[HereCall]:
    """June, ready to talk; at the end the call is closed in order.

    Nothing is kept: the memory lives as long as the call.
    """
    is_typed = ends.ears is None
    over = asyncio.Event()
    async with AsyncExitStack() as stack:
        # In a job LiveKit opens it; hosted ears ask for it.
        await stack.enter_async_context(http_context.open())
        await say_problems(config, strict=False, stages=("llm",) if is_typed else STAGES)
        speech = None
        if config.needs_local_speech and not is_typed:
            progress("loading the local models…")
            # Moonshine's own threads spin while they wait: a third more CPU for no less time.
            os.putenv("MOONSHINE_ORT_SINGLE_THREAD", "1")
            speech = await asyncio.to_thread(local_speech, None)
            stack.push_async_callback(speech.aclose)
        detector = await asyncio.to_thread(load_vad)
        if config.is_hosted:
            await asyncio.to_thread(load_public_prices)
        sessions = await open_sessions(_own(config.session)).__aenter__()
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
            await asyncio.to_thread(skills_of, config),
            language=config.agent.language,
            chance=chance,
        )
        call.own(sessions)
        stack.push_async_callback(_close, call)
        await call.open(sessions, USER)
        yield HereCall(call, over, ends)


def _own(config: SessionConfig) -> SessionConfig:
    """Whoever sits here may ask as fast as they like; what it costs is limited all the same."""
    limits = replace(
        config.limits,
        turns_per_minute=0,
        turns_per_hour=0,
        session_turns_per_hour=0,
        fleet_turns_per_minute=0,
    )
    return replace(config, store_url="memory:", limits=limits)


async def _close(call: Call) -> None:
    """In a room LiveKit closes the voice; here nobody else does."""
    call.ending.begin(CloseReason.CALLER_LEFT)
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await call.voice.aclose()
    except TimeoutError:
        log.warning("voice.not_closed", seconds=CLOSE_SECONDS)
    await call.aclose()

"""What a call begins with, and writes at its end: session, user, and what was said before."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import structlog
from livekit.agents import llm

from agent.ending import Ending
from agent.lines import Lines
from agent.metrics import STORE_ERRORS
from session import (
    Channel,
    CloseReason,
    Message,
    Session,
    SessionConfig,
    SessionService,
    StoreError,
    UnknownSession,
    open_sessions,
)

log = structlog.get_logger(__name__)

OPEN_SECONDS = 2.0
"""A caller hears nothing meanwhile."""

RETRY_SECONDS = 0.25


@dataclass(frozen=True)
class Memory:
    """The session of a call as it was found."""

    session: Session
    """With the summary of an earlier one, where it has none of its own yet."""
    history: tuple[Message, ...]
    """What was said in it before."""
    context: tuple[Message, ...]
    """The user's last messages from whichever session, oldest first."""
    turns_before: int
    """Committed turns of this session in earlier calls."""

    @property
    def is_resumed(self) -> bool:
        return self.session.resumes > 0


async def sessions_for_call(config: SessionConfig) -> SessionService:
    """Opened. With the store away the call goes on, and remembers only itself."""
    why = "it does not answer"
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            while True:
                try:
                    sessions = open_sessions(config, on_fault=STORE_ERRORS.inc)
                    return await sessions.__aenter__()
                except StoreError as error:
                    why = str(error)
                    await asyncio.sleep(RETRY_SECONDS)  # it may be starting anew
    except TimeoutError:
        STORE_ERRORS.inc()
        log.error("store.unavailable", error=why, memory="this call only")
    return await forgetful(config).__aenter__()


def forgetful(config: SessionConfig) -> SessionService:
    """A memory for one call, where the store cannot be used."""
    return open_sessions(replace(config, store_url="memory:", stands_in=True))


async def recalled(
    sessions: SessionService, config: SessionConfig, stack: AsyncExitStack, **who: Any
) -> tuple[Memory, SessionService]:
    """What `recall` finds of `who`, and the memory to go on with.

    With the store away that is one of this call only, which `stack` closes.
    """
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            return await recall(sessions, **who), sessions
    except (StoreError, TimeoutError) as error:
        why = str(error) or "it does not answer"
        log.error("store.unavailable", error=why, memory="this call only")
        sessions = await stack.enter_async_context(forgetful(config))
        return await recall(sessions, **who), sessions


async def recall(
    sessions: SessionService, *, room: str, user: str, channel: Channel, language: str
) -> Memory:
    """Get or create the session, and read what the model should know."""
    session = await sessions.get_or_create_for_room(room, user, channel=channel, language=language)
    history = await sessions.history(session.session_id)
    context = await sessions.context(session)
    if session.context_summary is None and context:
        earlier = await _summary_before(sessions, context[0])
        session = session.model_copy(update={"context_summary": earlier})
    return Memory(
        session=session,
        history=history,
        context=context,
        turns_before=max((message.turn for message in history), default=0),
    )


async def _summary_before(sessions: SessionService, oldest: Message) -> str | None:
    """What an earlier session of this user keeps of the messages before the remembered ones."""
    try:
        return (await sessions.get_session(oldest.session_id)).context_summary
    except UnknownSession:
        return None  # it has just been deleted


def greeting(memory: Memory, lines: Lines) -> str:
    """By what is known of the caller."""
    if memory.is_resumed:
        return lines.greeting_resumed
    return lines.greeting_again if memory.context else lines.greeting


def chat_context(messages: tuple[Message, ...]) -> llm.ChatContext:
    """As LiveKit's history; of an interrupted reply only what was heard."""
    context = llm.ChatContext.empty()
    for message in messages:
        if message.said:
            context.add_message(
                role=message.role, content=message.said, id=message.id, created_at=message.at
            )
    return context


async def closed(sessions: SessionService, session: Session, ending: Ending) -> None:
    """Write down why the call ended, as it is known then; one without a reason has crashed.

    `session` is as the call opened it: a June who was replaced ends late, when another may have
    resumed it.
    """
    reason = ending.reason or CloseReason.CRASH
    try:
        await sessions.close_session(
            session.session_id,
            reason,
            seconds_ago=ending.seconds_ago,
            resumes=session.resumes,
        )
    except StoreError as error:
        log.warning("session.not_closed", error=str(error))

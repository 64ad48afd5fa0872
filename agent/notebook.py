"""Writes the conversation down in order, off the audio path."""

import asyncio
from dataclasses import dataclass
from typing import Self

import structlog

from agent.metrics import NOTEBOOK_WAITING
from session import (
    Message,
    SessionService,
    SkillSession,
    StoreError,
    TurnMetrics,
    UnknownSession,
)

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 10.0
"""How long the end of a call waits for its last messages to be written."""

RETRY_SECONDS = 0.5

LONGEST_QUEUE = 1_000
"""Messages that wait for a store that is away; the oldest ones are kept."""


@dataclass(frozen=True)
class Said:
    message: Message
    metrics: TurnMetrics | None


@dataclass(frozen=True)
class Figures:
    session_id: str
    metrics: TurnMetrics


@dataclass(frozen=True)
class SkillChanged:
    session_id: str
    skill: SkillSession | None


Noted = Said | Figures | SkillChanged


class Notebook:
    """Lives as long as one call. LiveKit's callbacks never wait for it; its one task does.

    A message is written after the one before it, and again until the store has taken it: the
    store knows a message by its id, so that writing twice is writing once.
    """

    def __init__(self, sessions: SessionService) -> None:
        self._sessions = sessions
        self._queue: asyncio.Queue[Noted | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._store_is_away = False
        self.lost = 0
        """Messages that could not be kept: the queue was full, or the store never came back."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write_all(), name="june.notebook")
        return self

    def note(self, message: Message, metrics: TurnMetrics | None = None) -> None:
        """A message, and of a reply how long it took."""
        self._note(Said(message, metrics))

    def note_skill(self, session_id: str, skill: SkillSession | None) -> None:
        """Which skill has the conversation now, after what was said before."""
        self._note(SkillChanged(session_id, skill))

    def note_figures(self, session_id: str, metrics: TurnMetrics) -> None:
        """Of what is no message's."""
        self._note(Figures(session_id, metrics))

    def _note(self, noted: Noted) -> None:
        if self._queue.qsize() >= LONGEST_QUEUE:
            self.lost += 1
            return
        self._queue.put_nowait(noted)
        NOTEBOOK_WAITING.inc()

    async def __aexit__(self, *exc_info: object) -> None:
        if self._task is None:
            return
        self._queue.put_nowait(None)
        try:
            await asyncio.wait_for(self._task, PATIENCE_SECONDS)
        except TimeoutError:
            self.lost += self._queue.qsize()
        if self.lost:
            log.error("notebook.messages_lost", count=self.lost)

    async def _write_all(self) -> None:
        while (noted := await self._queue.get()) is not None:
            await self._write_surely(noted)
            NOTEBOOK_WAITING.dec()

    async def _write(self, noted: Noted) -> None:
        match noted:
            case SkillChanged(session_id, skill):
                await self._sessions.save_skill(session_id, skill)
            case Figures(session_id, figures):
                await self._sessions.update_session_metrics(session_id, figures)
            case Said(message, metrics):
                if message.role == "user":
                    await self._sessions.commit_turn(message.session_id, message.turn)
                await self._sessions.add_message(message)
                if metrics is not None:
                    await self._sessions.update_session_metrics(message.session_id, metrics)

    async def _write_surely(self, noted: Noted) -> None:
        while True:
            try:
                await self._write(noted)
            except UnknownSession:
                log.warning("message.dropped", why="its session was deleted")
                return
            except StoreError as error:
                if not error.retryable:
                    self.lost += 1
                    log.error("message.not_written", error=str(error))
                    return
                if not self._store_is_away:
                    log.warning("store.unavailable", error=str(error))
                    self._store_is_away = True
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._store_is_away = False
                return

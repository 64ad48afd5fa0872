"""The summary of what the model is no longer given, written beside the conversation."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Self

import structlog
from livekit.agents import ConversationItemAddedEvent, llm, utils

from agent.summary_writers import Write
from session import Message, Session, SessionError
from session.records import Role
from session.summarise import by_rule
from session.tokens import estimate_tokens

log = structlog.get_logger(__name__)

LEAST_MESSAGES = 6
"""So many have left the context before a model is asked: not at every turn."""

MOST_TOKENS = 8_000
"""Of messages in one request. After a model was away for long there are more to be told of."""

Keep = Callable[[str, int], Awaitable[None]]
"""Stores a summary, and of how many of the session's messages it is."""


@dataclass(frozen=True)
class Waiting:
    """A message that no summary holds yet."""

    message_id: str
    role: Role
    text: str
    is_of_session: bool
    """Or of an earlier one, which its user is remembered by."""


def unsummarised(
    session: Session, history: Sequence[Message], remembered: Sequence[Message]
) -> list[Waiting]:
    """Oldest first. `history` is the session's; `remembered` may hold messages of others.

    A session's first messages are summarised after those of earlier sessions.
    """
    others = [message for message in remembered if message.session_id != session.session_id]
    waiting = [*(others if session.summarised == 0 else ()), *history[session.summarised :]]
    return [
        Waiting(
            message.id,
            message.role,
            message.said,
            is_of_session=message.session_id == session.session_id,
        )
        for message in waiting
    ]


class Summary:
    """Lives as long as one call. No turn waits for it; its one task writes it when June has spoken.

    A message that has left the context becomes part of the summary once. Where that fails, it is
    tried again when more messages have left.
    """

    def __init__(
        self, session: Session, waiting: Sequence[Waiting], *, write: Write, keep: Keep
    ) -> None:
        self._text = session.context_summary
        self._summarised = session.summarised
        self._waiting = list(waiting)
        self._write = write
        self._keep = keep
        self._left = 0
        """How many of those that wait, from the first on, have left the context."""
        self._failed_at = 0
        """How many had left when the last attempt failed."""
        self._is_quiet = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._write_all(), name="june.summary")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._task is not None:
            await utils.aio.cancel_and_wait(self._task)

    @property
    def text(self) -> str | None:
        """What the model is to be given; None while nothing is missing from its context.

        What has left the context since the last summary was written is in it by rule.
        """
        lately = by_rule(None, _spoken(self._waiting[: self._left]))
        return "\n".join(part for part in (self._text, lately) if part) or None

    def given(self, chat_ctx: llm.ChatContext) -> None:
        """This is what the model is given now; whatever else was said has left its context."""
        present = {message.id for message in chat_ctx.messages()}
        self._left = sum(
            1 for _ in takewhile(lambda one: one.message_id not in present, self._waiting)
        )

    def commit(self, event: ConversationItemAddedEvent) -> None:
        """LiveKit's history has a new message."""
        item = event.item
        if not isinstance(item, llm.ChatMessage) or item.role not in ("user", "assistant"):
            return
        role: Role = "user" if item.role == "user" else "assistant"
        self._waiting.append(Waiting(item.id, role, item.text_content or "", is_of_session=True))
        if role == "assistant":
            # June has just finished: also a server that answers one request at a time is free
            # now, and may be again before the caller has spoken.
            self._is_quiet.set()

    async def _write_all(self) -> None:
        while True:
            await self._is_quiet.wait()
            self._is_quiet.clear()
            while self._left - self._failed_at >= LEAST_MESSAGES:
                await self._take_in(self._next())

    def _next(self) -> list[Waiting]:
        """The oldest ones, at least one, that one request may hold."""
        batch: list[Waiting] = []
        tokens = 0
        for said in self._waiting[: self._left]:
            tokens += estimate_tokens(said.text)
            if batch and tokens > MOST_TOKENS:
                break
            batch.append(said)
        return batch

    async def _take_in(self, batch: Sequence[Waiting]) -> None:
        try:
            text = await self._write(self._text, _spoken(batch))
        except Exception as error:  # noqa: BLE001 (whatever a model does, the call goes on)
            log.warning("summary.failed", error=type(error).__name__, messages=len(batch))
            self._failed_at = self._left
            return
        if not text:
            log.info("summary.empty", messages=len(batch))
            self._failed_at = self._left
            return
        self._text = text
        self._summarised += sum(said.is_of_session for said in batch)
        del self._waiting[: len(batch)]
        self._left = max(0, self._left - len(batch))
        self._failed_at = 0
        log.info("summary.written", messages=len(batch), characters=len(text))
        try:
            await self._keep(text, self._summarised)
        except SessionError as error:
            # The next one that is kept holds this one too.
            log.warning("summary.not_kept", error=str(error))


def _spoken(batch: Sequence[Waiting]) -> list[tuple[Role, str]]:
    return [(said.role, said.text) for said in batch if said.text.strip()]

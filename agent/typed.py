"""Typed text that is delivered twice: answered once, and the second time with the same answer."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from livekit.agents import AgentSession, llm
from livekit.agents.voice import SpeechHandle

from agent.gate import TurnGate
from agent.lines import Lines
from session import Claim, Session, SessionService, StoreError
from session.patience import Patience

log = structlog.get_logger(__name__)


class TypedOnce:
    """Lives as long as one call. With the store away everything is answered."""

    def __init__(
        self, sessions: SessionService, session: Session, lines: Lines, patience: Patience
    ) -> None:
        self._sessions = sessions
        self._session = session
        # What a skill did is an answer: it must not be done again.
        self._no_answers = frozenset(lines.all()) - {lines.skill_done, lines.skill_left}
        self._patience = patience
        self._writing: set[asyncio.Task[None]] = set()

    async def answer(
        self,
        text: str,
        message_id: str | None,
        take: Callable[[str], Awaitable[SpeechHandle]],
        say: Callable[[str], Awaitable[object]],
    ) -> None:
        """`take` it as a turn if it is the first, else `say` again what was said to it."""
        claimed = await self.claim(text, message_id)
        if claimed.is_first:
            try:
                speech = await take(text)
            except BaseException:
                self._begin(self._give_back(text, message_id))
                raise
            self.follow(speech, text, message_id)
        elif claimed.result is not None and await self._may_repeat():
            await say(claimed.result)

    async def claim(self, text: str, message_id: str | None) -> Claim:
        """Before it is answered; once it is, `follow` it."""
        duplicates, session = self._sessions.duplicates, self._session
        try:
            if message_id:
                claimed = await self._patience.wait(duplicates.claim_message(session, message_id))
                if not claimed.is_first:
                    log.info("message.repeated", by="id", answered=claimed.result is not None)
                    return claimed
            if not await self._patience.wait(duplicates.claim_text(session, text)):
                log.info("message.repeated", by="text")
                if message_id:
                    await self._patience.wait(duplicates.unanswered(session, message_id))
                return Claim(is_first=False)
        except StoreError as error:
            log.debug("duplicates.unchecked", error=str(error))
        return Claim(is_first=True)

    async def _may_repeat(self) -> bool:
        """Whether an answer may be given again: it counts like any other turn."""
        try:
            decision = await self._patience.wait(self._sessions.reserve_repeat(self._session))
        except StoreError:
            return True
        return decision.allowed

    def follow(self, speech: SpeechHandle, text: str, message_id: str | None) -> None:
        """Once it is answered, keep the answer for when the message is delivered again."""
        speech.add_done_callback(lambda done: self._begin(self._keep(done, text, message_id)))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="june.typed")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _keep(self, speech: SpeechHandle, text: str, message_id: str | None) -> None:
        said = [
            (item.text_content or "").strip()
            for item in speech.chat_items
            if isinstance(item, llm.ChatMessage) and item.role == "assistant"
        ]
        # An apology or a refusal answers nothing.
        if not any(said) or all(one in self._no_answers for one in said):
            await self._give_back(text, message_id)
        elif message_id:
            try:
                await self._sessions.duplicates.answered(self._session, message_id, " ".join(said))
            except StoreError as error:
                log.warning("answer.not_kept", error=str(error))

    async def _give_back(self, text: str, message_id: str | None) -> None:
        duplicates = self._sessions.duplicates
        try:
            await duplicates.untyped(self._session, text)
            if message_id:
                await duplicates.unanswered(self._session, message_id)
        except StoreError as error:
            log.warning("claim.not_released", error=str(error))

    async def aclose(self) -> None:
        """What is being kept is kept."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=2.0)


async def typed(voice: AgentSession[None], gate: TurnGate, text: str) -> SpeechHandle:
    """A turn that is written; June stops speaking to answer it."""
    message = llm.ChatMessage(role="user", content=[text])
    gate.is_typed(message)
    voice.reset_away_timer()
    await voice.interrupt()
    return voice.generate_reply(user_input=message)

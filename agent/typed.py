"""Typed text that is delivered twice: answered once, and the second time with the same answer."""

import asyncio

import structlog
from livekit.agents import llm
from livekit.agents.voice import SpeechHandle

from session import Claim, Session, SessionService, StoreError
from session.patience import Patience

log = structlog.get_logger(__name__)


class TypedOnce:
    """Lives as long as one call. With the store away everything is answered."""

    def __init__(self, sessions: SessionService, session: Session, patience: Patience) -> None:
        self._sessions = sessions
        self._session = session
        self._patience = patience
        self._writing: set[asyncio.Task[None]] = set()

    async def claim(self, text: str, message_id: str | None) -> Claim:
        """Before it is answered."""
        duplicates = self._sessions.duplicates
        try:
            if message_id:
                claimed = await self._patience.wait(
                    duplicates.claim_message(self._session, message_id)
                )
                if not claimed.is_first:
                    log.info("message.repeated", by="id", answered=claimed.result is not None)
                    return claimed
            if not await self._patience.wait(duplicates.claim_text(self._session, text)):
                log.info("message.repeated", by="text")
                return Claim(is_first=False)
        except StoreError as error:
            log.warning("duplicates.unchecked", error=str(error))
        return Claim(is_first=True)

    def follow(self, speech: SpeechHandle, message_id: str | None) -> None:
        """Once it is answered, keep the answer for when the message is delivered again."""
        if message_id:
            speech.add_done_callback(lambda done: self._keep(done, message_id))

    def _keep(self, speech: SpeechHandle, message_id: str) -> None:
        task = asyncio.create_task(self._write(speech, message_id), name="june.typed")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, speech: SpeechHandle, message_id: str) -> None:
        said = [
            item.text_content or ""
            for item in speech.chat_items
            if isinstance(item, llm.ChatMessage) and item.role == "assistant"
        ]
        duplicates = self._sessions.duplicates
        try:
            if answer := " ".join(said).strip():
                await duplicates.answered(self._session, message_id, answer)
            else:
                await duplicates.unanswered(self._session, message_id)
        except StoreError as error:
            log.warning("answer.not_kept", error=str(error))

    async def aclose(self) -> None:
        """What is being kept is kept."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=2.0)

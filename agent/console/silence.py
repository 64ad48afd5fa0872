"""When nobody says anything more: what ends a call whose caller is a file."""

import asyncio
from collections.abc import Awaitable, Callable

from livekit.agents import (
    AgentSession,
    ConversationItemAddedEvent,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
    llm,
)

SILENT_SECONDS = 3.0

ANSWER_SECONDS = 10.0
"""How long an answer is waited for when something was said. A breath is waited for in vain."""

LONGEST_SECONDS = 120.0
"""After this the call ends in any case; no answer of June's takes so long."""

LOOK_SECONDS = 0.1


class Silence:
    """Follows a call from when the caller begins. Counts by `sleep`, so a test can count faster."""

    def __init__(
        self,
        voice: AgentSession[None],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._voice = voice
        self._sleep = sleep
        self._owes_answer = False
        voice.on("user_state_changed", self._on_user_state)
        voice.on("user_input_transcribed", self._on_heard)
        voice.on("conversation_item_added", self._on_item)

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._owes_answer = True

    def _on_heard(self, event: UserInputTranscribedEvent) -> None:
        if event.is_final:
            self._owes_answer = True

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        if isinstance(event.item, llm.ChatMessage) and event.item.role == "assistant":
            self._owes_answer = False

    async def wait(self) -> None:
        """Until June has answered, and then nothing was said for a few seconds."""
        silent = waited = 0.0
        while silent < (ANSWER_SECONDS if self._owes_answer else SILENT_SECONDS):
            if waited >= LONGEST_SECONDS:
                return
            await self._sleep(LOOK_SECONDS)
            waited += LOOK_SECONDS
            silent = 0.0 if self._somebody_speaks() else silent + LOOK_SECONDS

    def _somebody_speaks(self) -> bool:
        """Or is about to: June thinks, or holds back words that she may go on with."""
        return self._voice.user_state == "speaking" or self._voice.current_speech is not None

"""The caller's voice in one call: recorder, cloner, speaker, and what Mockingbird makes of them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Literal, Self

import structlog
from livekit.agents import AgentSession, ConversationItemAddedEvent, llm, vad

from agent.voices.cloner import Cloner
from agent.voices.maker import CallCloner, Grant
from agent.voices.manifest import CallManifest
from agent.voices.recorder import CallRecorder
from agent.voices.recordings import Recordings
from agent.voices.speaker import VoiceOfCall, Worn
from agent.voices.tap import Tap
from session import Session, SessionService, StoreError
from session.usage import Purse
from session.voice_records import Utterance
from skills import News, VoiceTrouble
from skills.mockingbird.studio import Studio
from skills.voice import GiveVoiceBack, VoiceDeleted, VoiceFailed, VoiceWish, Why

log = structlog.get_logger(__name__)

CLOSE_SECONDS = 45.0
"""For a cloner that finishes what it began."""

DISCARD_SECONDS = 4.0
"""Until the caller is told that something is still being deleted."""

HOLDS_SECONDS = 1.0
"""For the store to say whether a consent still holds; a sentence waits for it."""


class CallVoice:
    """Lives as long as one call; `tell` gets the news for the mode that has the floor.

    Without `outlives_call` the store forgets everything with the call, so the voice goes before it.
    """

    def __init__(
        self,
        voice: AgentSession[None],
        speaker: VoiceOfCall,
        detector: vad.VAD,
        cloner: Cloner,
        *,
        sessions: SessionService,
        session: Session,
        purse: Purse,
        recordings: Recordings | None,
        made_by: str,
        call_id: str,
        valid_seconds: float,
        outlives_call: bool,
        tell: Callable[[News], Awaitable[None]],
    ) -> None:
        self._voice = voice
        self._speaker = speaker
        self._made = cloner
        self._voices = sessions.voices
        self._session = session
        self._tell = tell
        self._outlives_call = outlives_call
        self._recorder = CallRecorder(
            detector, is_june_speaking=lambda: voice.agent_state == "speaking"
        )
        self._cloner = CallCloner(
            sessions.voices,
            session,
            cloner,
            purse=purse,
            recordings=recordings,
            made_by=made_by,
            call_id=call_id,
            valid_seconds=valid_seconds,
        )
        self._manifest = CallManifest(self._voices, session, call_id, on_full=self._unlisted)
        self._studio = Studio(self._recorder, self._cloner, self, tell)
        self._telling: set[asyncio.Task[None]] = set()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """What it holds is closed in the opposite order."""
        push = self._stack.push_async_callback
        push(self._close_cloner)
        push(self._cloner.aclose)
        if not self._outlives_call:
            push(self._cloner.delete)
        push(self._manifest.aclose)
        push(self._recorder.aclose)
        push(self._have_told)
        push(self._studio.aclose)
        self._voice.on("conversation_item_added", self._on_item)
        self._stack.callback(self._voice.off, "conversation_item_added", self._on_item)
        return self

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        if isinstance(event.item, llm.ChatMessage) and event.item.role == "user":
            self._recorder.end_turn()

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    async def _have_told(self) -> None:
        if self._telling:
            await asyncio.wait(self._telling, timeout=2.0)

    async def _close_cloner(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._made.aclose()

    def tap(self) -> None:
        """Once the voice has begun to hear."""
        source = self._voice.input.audio
        if source is not None:
            self._voice.input.audio = Tap(source, self._recorder.show)

    @property
    def is_waited_for(self) -> bool:
        """Whether a silent caller is waiting for June, or she for their voice."""
        return self._studio.is_busy

    def hold(self) -> None:
        """The caller's network is lost: what June says now nobody hears."""
        self._studio.hold()

    def let_go(self) -> None:
        """They are back."""
        self._studio.let_go()

    def do(self, wish: VoiceWish) -> None:
        self._studio.do(wish)

    # The speaker, as the skill has it

    def put_on(self) -> None:
        grant = self._cloner.grant
        if grant is None:
            raise VoiceTrouble(Why.NO_CONSENT)
        self._manifest.begin(grant.consent.consent_id)
        self._speaker.worn = Worn(
            consent_id=grant.consent.consent_id,
            clone=self._cloner.voice_of(grant.clone.data),
            holds=lambda: self._holds(grant),
            on_said=self._said,
            on_lost=self._lost,
        )
        log.info("voice.put_on")

    def take_off(self) -> None:
        if self._speaker.worn is not None:
            log.info("voice.taken_off")
        self._speaker.worn = None

    async def _holds(self, grant: Grant) -> bool:
        """In this call, and in the store now."""
        if self._cloner.grant is not grant:
            return False
        try:
            async with asyncio.timeout(HOLDS_SECONDS):
                return await self._voices.may_speak(grant.consent.consent_id, self._session)
        except (StoreError, TimeoutError):
            return False

    def _said(self, utterance: Utterance) -> None:
        grant = self._cloner.grant
        if grant is not None and grant.consent.consent_id == utterance.consent_id:
            self._manifest.add(utterance)

    def _unlisted(self) -> None:
        worn = self._speaker.worn
        if worn is not None:
            self._speaker.lose(worn, Why.AWAY)

    def _lost(self, why: Why) -> None:
        self._studio.do(GiveVoiceBack())
        telling = asyncio.create_task(self._tell_of(VoiceFailed(why)), name="june.voice.lost")
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def _tell_of(self, news: News) -> None:
        await self._tell(news)

    # What is kept

    async def delete(self) -> Literal["nothing", "deleted", "going"]:
        """All of this user's voice, whichever call it was made in. May raise `StoreError`."""
        was_begun = self._cloner.is_begun
        # Whatever the store says then: nothing is under way, and the voice is hers.
        self._studio.do(GiveVoiceBack())
        is_discarded = await self._studio.discarded(DISCARD_SECONDS)
        await self._manifest.forget()
        is_confirmed = await self._cloner.delete()
        await self._tell(VoiceDeleted())
        if not is_discarded or is_confirmed is False or self._cloner.is_unconfirmed:
            return "going"
        return "deleted" if is_confirmed or was_begun else "nothing"

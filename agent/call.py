"""One call, in its own process: find the memory, start the voice, greet, end in order."""

import asyncio
import time
from contextlib import AsyncExitStack

import structlog
from livekit import rtc
from livekit.agents import AgentSession, AutoSubscribe, JobContext, llm
from livekit.agents.voice.room_io import RoomOptions, TextInputEvent, TextInputOptions

from agent.assistant import June
from agent.caller import Presence, wait_for_caller
from agent.config import Config
from agent.ending import Ending, say
from agent.gate import TurnGate
from agent.lines import Lines, lines_for
from agent.metadata import read_metadata
from agent.models.build import Models
from agent.notebook import Notebook
from agent.remembered import Memory, chat_context, forgetful, recall, sessions_for_call
from agent.spoken import SpokenLines
from agent.turns import TEXT_TRANSFORMS, turn_handling
from session import CloseReason, RoomLease, SessionService, StoreError

log = structlog.get_logger(__name__)

SIGN_OF_LIFE_SECONDS = 30.0
"""A call that has shown none for ten minutes is not resumed."""


class Call:
    """June in one room. Lives as long as one LiveKit job.

    `answer` returns once June has begun to greet: LiveKit waits for it before it closes a call.
    `aclose` belongs into `on_session_end`, which has minutes where other callbacks have seconds.
    """

    def __init__(self, ctx: JobContext, config: Config, models: Models, *, owner: str) -> None:
        self._ctx = ctx
        self._config = config
        self._models = models
        self._owner = owner
        self._stack = AsyncExitStack()
        self._started = time.monotonic()
        self._voice: AgentSession[None] = AgentSession(
            stt=models.stt,
            llm=models.llm,
            tts=models.tts,
            vad=ctx.proc.userdata["vad"],
            turn_handling=turn_handling(),
            tts_text_transforms=TEXT_TRANSFORMS,
            # Clients cancel echo themselves; the framework's warm-up would swallow the first
            # words of a caller who speaks over the greeting.
            aec_warmup_duration=None,
        )
        self._spoken = SpokenLines(config.data_dir / "lines", voice=models.voice)
        self._ending = Ending(self._voice, self._spoken, ctx.shutdown)
        self._memory: Memory | None = None
        self._gate: TurnGate | None = None
        self._notebook: Notebook | None = None

    async def answer(self) -> None:
        try:
            await self._answer()
        except Exception:
            self._ending.begin(CloseReason.CRASH)
            raise

    async def _answer(self) -> None:
        metadata = read_metadata(self._ctx.job.metadata)
        language = metadata.language or self._config.agent.language
        lines = lines_for(language)
        self._ctx.room.on("disconnected", self._ending.on_disconnected)
        self._voice.on("close", self._ending.on_voice_closed)
        self._stack.push_async_callback(self._models.aclose)
        sessions = await sessions_for_call(self._config.session)
        self._stack.push_async_callback(sessions.aclose)
        if not await self._hold_room(sessions, lines):
            self._ending.begin(CloseReason.REPLACED)
            return
        await self._ctx.connect(auto_subscribe=AutoSubscribe.AUDIO_ONLY)
        caller = await wait_for_caller(
            self._ctx.room, metadata.identity, self._config.call.wait_for_caller_seconds
        )
        if caller is None:
            log.info("caller.never_came")
            self._ending.begin(CloseReason.CALLER_LEFT)
            return
        user = metadata.user or caller.identity
        try:
            memory = await recall(sessions, self._ctx.room.name, user, language)
        except StoreError as error:
            log.error("store.unavailable", error=str(error), memory="this call only")
            sessions = await self._stack.enter_async_context(forgetful(self._config.session))
            memory = await recall(sessions, self._ctx.room.name, user, language)
        gate = await self._open_notebook(sessions, memory)
        self._watch(caller, lines)
        await self._start(caller, gate, memory, lines)
        here = self._ctx.room.remote_participants.values()
        if caller.identity not in (participant.identity for participant in here):
            # They hung up before LiveKit listened to them, so it will not end the call.
            self._ending.begin(CloseReason.CALLER_LEFT)

    async def _open_notebook(self, sessions: SessionService, memory: Memory) -> TurnGate:
        self._memory = memory
        session_id = memory.session.session_id
        self._ctx.log_context_fields = {"session": session_id}
        notebook = Notebook(sessions)
        self._notebook = notebook
        self._gate = gate = TurnGate(
            sessions,
            memory.session,
            notebook,
            call_id=self._ctx.job.id,
            turns_before=memory.turns_before,
            longest_kept_characters=self._config.limits.max_input_characters,
        )
        self._stack.push_async_callback(self._close_session, sessions, session_id)
        await self._stack.enter_async_context(notebook)
        living = asyncio.create_task(_show_life(sessions, session_id), name="june.sign_of_life")
        self._stack.callback(living.cancel)
        return gate

    def _watch(self, caller: rtc.RemoteParticipant, lines: Lines) -> None:
        """End the call when the caller is lost, or when it has been long enough."""
        self._stack.enter_context(
            Presence(
                self._ctx.room,
                caller.identity,
                grace_seconds=self._config.call.grace_seconds,
                give_up=lambda: self._ending.begin(CloseReason.NETWORK_LOST),
            )
        )
        longest = asyncio.get_running_loop().call_later(
            self._config.call.max_minutes * 60,
            lambda: self._ending.begin(CloseReason.TOO_LONG, lines.call_too_long),
        )
        self._stack.callback(longest.cancel)

    async def _hold_room(self, sessions: SessionService, lines: Lines) -> bool:
        """Keep the lease that the worker claimed for this job; False where another June has it."""
        try:
            lease = await sessions.claim_room(self._ctx.room.name, self._owner)
        except StoreError as error:
            log.warning("lease.unclaimed", error=str(error))
            return True  # two Junes are better than none
        if lease is None:
            log.warning("lease.taken")
            return False
        await self._stack.enter_async_context(
            RoomLease(
                sessions,
                lease,
                on_lost=lambda: self._ending.begin(CloseReason.REPLACED),
                on_asked_to_leave=lambda: self._ending.begin(CloseReason.DRAIN, lines.leaving),
            )
        )
        return True

    async def _start(
        self, caller: rtc.RemoteParticipant, gate: TurnGate, memory: Memory, lines: Lines
    ) -> None:
        async def on_text(voice: AgentSession[None], event: TextInputEvent) -> None:
            message = llm.ChatMessage(role="user", content=[event.text])
            gate.is_typed(message)
            await voice.interrupt()
            voice.generate_reply(user_input=message)

        self._voice.on("conversation_item_added", gate.commit)
        await self._voice.start(
            June(gate, lines, chat_context(memory.context)),
            room=self._ctx.room,
            room_options=RoomOptions(
                participant_identity=caller.identity,
                text_input=TextInputOptions(text_input_cb=on_text),
            ),
            # By default the framework serves prompt and history to any participant that asks,
            # and records where the server says so.
            session_host=False,
            record=False,
        )
        if memory.is_resumed:
            greeting = lines.greeting_resumed
        else:
            greeting = lines.greeting_again if memory.context else lines.greeting
        log.info("call.answered", resumed=memory.is_resumed, remembered=len(memory.context))
        await say(self._voice, self._spoken, greeting)

    @property
    def _reason(self) -> CloseReason:
        return self._ending.reason or CloseReason.CRASH

    async def _close_session(self, sessions: SessionService, session_id: str) -> None:
        try:
            await sessions.close_session(session_id, self._reason)
        except StoreError as error:
            log.warning("session.not_closed", error=str(error))

    async def aclose(self) -> None:
        """Write down what was said, close the session, give the room back, then the rest."""
        try:
            await self._stack.aclose()
        finally:
            log.info(
                "call.ended",
                reason=self._reason.value,
                duration_seconds=round(time.monotonic() - self._started, 1),
                turns=self._gate.turns if self._gate else 0,
                refused=self._gate.refused if self._gate else 0,
                resumed=self._memory is not None and self._memory.is_resumed,
                messages_lost=self._notebook.lost if self._notebook else 0,
                usage=[
                    used.model_dump(exclude_defaults=True) for used in self._voice.usage.model_usage
                ],
            )


async def _show_life(sessions: SessionService, session_id: str) -> None:
    while True:
        await asyncio.sleep(SIGN_OF_LIFE_SECONDS)
        try:
            await sessions.touch(session_id)
        except StoreError as error:
            log.warning("store.unavailable", error=str(error))

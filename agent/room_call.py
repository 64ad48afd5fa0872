"""A call in a LiveKit room: June's lease on the room, her caller, and the way there and back."""

import asyncio

import structlog
from livekit import rtc
from livekit.agents import AgentSession, AutoSubscribe, JobContext, vad
from livekit.agents.voice.room_io import RoomOptions, TextInputEvent, TextInputOptions

from agent.assistant import June
from agent.call import Call
from agent.call_note import StateNote
from agent.caller import Presence, wait_for_caller
from agent.caller_events import CallerEvents
from agent.config import Config
from agent.first_word import FirstWord
from agent.metadata import read_metadata
from agent.models.build import build_models
from agent.models.local.engine import Speech
from agent.place import Place
from agent.remembered import OPEN_SECONDS, sessions_for_call
from agent.user_of_call import user_of_call
from session import CloseReason, Leave, RoomLease, SessionService, StoreError
from skills.registry import Registry

log = structlog.get_logger(__name__)


class RoomCall:
    """Lives as long as one LiveKit job.

    `answer` returns once June has begun to greet: LiveKit waits for it before it closes a call.
    `aclose` belongs into `on_session_end`, which has minutes where other callbacks have seconds.
    """

    def __init__(
        self,
        ctx: JobContext,
        config: Config,
        *,
        speech: Speech | None,
        detector: vad.VAD,
        owner: str,
        skills: Registry,
    ) -> None:
        self._ctx = ctx
        self._config = config
        self._owner = owner
        self._metadata = read_metadata(ctx.job.metadata)
        self._events = CallerEvents(ctx.room)
        language = self._metadata.language or config.agent.language
        self._call = Call(
            config,
            build_models(config, language=language, speech=speech, detector=detector),
            detector,
            Place(
                room=ctx.room.name,
                channel="room",
                call_id=ctx.job.id,
                shut_down=ctx.shutdown,
                tell=self._events.tell,
            ),
            skills,
            language=language,
            persona=self._metadata.persona,
            time_zone=self._metadata.time_zone,
        )
        asked_at = ctx._info.received_at  # noqa: SLF001  (LiveKit tells it nowhere else)
        self._first_word = FirstWord(self._call.voice, asked_at, tell=self._greeted)
        self._call.ending.tell = self._events.tell
        if speech is not None:
            self._call.stack.push_async_callback(speech.aclose)

    @property
    def reason(self) -> CloseReason:
        """Why it ended, once it has."""
        return self._call.reason

    def _greeted(self, seconds: float) -> None:
        if self._call.gate is not None:
            self._call.gate.greeted(seconds)

    async def answer(self) -> None:
        try:
            await self._answer()
        except Exception:
            self._call.ending.begin(CloseReason.CRASH)
            raise

    async def _answer(self) -> None:
        call, ctx = self._call, self._ctx
        ctx.room.on("disconnected", call.ending.on_disconnected)
        ctx.room.on("reconnecting", call.ending.on_reconnecting)
        sessions = await sessions_for_call(self._config.session)
        call.own(sessions)
        if not await self._hold_room(sessions):
            call.ending.begin(CloseReason.REPLACED)
            return
        await ctx.connect(auto_subscribe=AutoSubscribe.AUDIO_ONLY)
        with self._first_word.nobody_waits():
            caller = await wait_for_caller(
                ctx.room, self._metadata.identity, self._config.call.wait_for_caller_seconds
            )
        if call.ending.reason is not None:
            return  # the worker is stopping, or another June has the room
        if caller is None:
            log.info("caller.never_came")
            call.ending.begin(CloseReason.CALLER_LEFT)
            return
        self._events.begin(caller.identity)
        call.stack.push_async_callback(self._events.aclose)
        await call.open(sessions, self._user(caller))
        ctx.log_context_fields = {"session": call.session_id}
        call.stack.enter_context(
            Presence(
                ctx.room,
                caller.identity,
                grace_seconds=self._config.call.grace_seconds,
                on_lost=self._caller_lost,
                on_back=self._caller_back,
                on_left=call.ending.hung_up,
                give_up=lambda: call.ending.begin(CloseReason.NETWORK_LOST),
            )
        )
        await call.begin(lambda june: self._start(june, caller))
        here = ctx.room.remote_participants.values()
        if caller.identity not in (participant.identity for participant in here):
            # They hung up before LiveKit listened to them, so it will not end the call.
            call.ending.begin(CloseReason.CALLER_LEFT)

    def _user(self, caller: rtc.RemoteParticipant) -> str:
        return user_of_call(
            self._config.call.user,
            declared=self._metadata.user,
            identity=caller.identity,
            attributes=caller.attributes,
            is_sip=caller.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
        )

    def _caller_lost(self) -> None:
        """Nobody is there to be asked, or to hear an alarm."""
        self._call.idle.hold()
        if self._call.skills is not None:
            self._call.skills.hold()

    def _caller_back(self) -> None:
        self._call.idle.let_go()
        if self._call.skills is not None:
            self._call.skills.let_go()

    async def _start(self, june: June, caller: rtc.RemoteParticipant) -> None:
        async def on_text(_: AgentSession[None], event: TextInputEvent) -> None:
            await self._call.type_once(event.text, event.info.stream_id if event.info else None)

        await self._call.voice.start(
            june,
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

    async def _hold_room(self, sessions: SessionService) -> bool:
        """Keep the lease that the worker claimed for this job; False where another June has it."""
        room, lease = self._ctx.room.name, None
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                lease = await sessions.claim_room(room, self._owner)
        except (StoreError, TimeoutError) as error:
            # The call goes on: two Junes are better than none.
            log.warning("lease.unclaimed", error=str(error) or "the store does not answer")
        else:
            if lease is None:
                log.warning("lease.taken")
                return False
        ending = self._call.ending
        note = self._call.stack.enter_context(
            StateNote(
                self._call.voice,
                now=sessions.now,
                session_id=lambda: self._call.session_id,
                skill=self._skill,
            )
        )
        await self._call.stack.enter_async_context(
            RoomLease(
                sessions,
                room,
                self._owner,
                lease,
                on_lost=lambda: ending.begin(CloseReason.REPLACED),
                on_asked_to_leave=self._leave,
                note=note.text,
            )
        )
        return True

    def _skill(self) -> str | None:
        return None if self._call.skills is None else self._call.skills.events.shown

    def _leave(self, how: Leave) -> None:
        ending, lines = self._call.ending, self._call.lines
        if how is Leave.FOR_GOOD:
            ending.begin(CloseReason.REMOVED, lines.goodbye)
            if ending.reason is CloseReason.DRAIN:
                ending.raise_to(CloseReason.REMOVED)  # nobody is to go on with it after all
        else:
            ending.begin(CloseReason.DRAIN, lines.leaving)

    async def aclose(self) -> None:
        await self._call.aclose()

"""One call, wherever it takes place: find the memory, start the voice, greet, end in order."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from random import Random

import structlog
from livekit.agents import RunContext, vad
from livekit.agents.voice import SpeechHandle

from agent.assistant import June
from agent.call_skills import CallSkills, Hands
from agent.config import Config
from agent.ending import Ending, say
from agent.figures import figures
from agent.gate import TurnGate
from agent.idle import Idle
from agent.lines import lines_for
from agent.models.build import Models
from agent.models.guarded_vad import GuardedVAD
from agent.models.languages import LanguageOfVoice, call_can
from agent.notebook import Notebook
from agent.payment import Payment, refusal_of_call
from agent.place import Place
from agent.prompt import instructions
from agent.remembered import Memory, chat_context, closed, greeting, recalled
from agent.sign_of_life import showing_life
from agent.spoken import SpokenLines
from agent.summary_of_call import summary_of
from agent.typed import TypedOnce, typed
from agent.voice import build_voice
from agent.voices.of_call import copying_of
from agent.voices.speaker import speaker_of
from agent.watched import Watch
from agent.window import Window
from agent.zones import zone
from session import CloseReason, Decision, Session, SessionService
from session.patience import Patience
from skills.registry import Registry

log = structlog.get_logger(__name__)


class Call:
    """June and one caller; the same in a room and in a console.

    Its users `open` it, `begin` it and `aclose` it. What they hold for as long as the call, they
    put on `stack`, which is closed in the opposite order.
    """

    def __init__(
        self,
        config: Config,
        models: Models,
        detector: vad.VAD,
        place: Place,
        skills: Registry,
        *,
        language: str,
        persona: str | None = None,
        time_zone: str | None = None,
        chance: Random | None = None,
    ) -> None:
        self._config = config
        self._models = models
        self._place = place
        self._language = language
        self._persona = persona or config.agent.persona
        self._zone = zone(time_zone or config.agent.time_zone)
        self._registry = skills
        self._chance = chance
        self.lines = lines_for(language)
        self.stack = AsyncExitStack()
        self._started = time.monotonic()
        idle_seconds = config.call.idle_seconds
        self._speaker = speaker_of(models.tts, self._is_over, place.tell)
        self._detector = GuardedVAD(detector)
        self.voice = build_voice(models, self._detector, self._speaker, idle_seconds=idle_seconds)
        self._copying_of = partial(
            copying_of, config, models, self.voice, self._speaker, detector=detector, place=place
        )
        self._spoken = SpokenLines(config.data_dir / "lines", voice=models.voice)
        self.ending = Ending(
            self.voice, self._spoken, place.shut_down, on_begin=models.purse.pay_last_words
        )
        self.idle = Idle(
            self.voice,
            patience_seconds=idle_seconds,
            ask=lambda: self._say(self.lines.still_there),
            give_up=lambda: self.ending.begin(CloseReason.IDLE, self.lines.goodbye_unanswered),
            is_waiting=lambda: self.skills is not None and self.skills.is_waited_for,
        )
        self._memory: Memory | None = None
        self.gate: TurnGate | None = None
        self._typed: TypedOnce | None = None
        self._window: Window | None = None
        self.skills: CallSkills | None = None
        self._june: June | None = None
        self._notebook: Notebook | None = None
        self._patience = Patience()
        self._payment = Payment(config, models.purse, self.ending, self.lines, place.tell)
        self._refused: Decision | None = None
        self.stack.push_async_callback(models.aclose)
        self.voice.on("close", self.ending.on_voice_closed)

    @property
    def reason(self) -> CloseReason:
        """Why it ended; a call that was never ended in words has crashed."""
        return self.ending.reason or CloseReason.CRASH

    def own(self, sessions: SessionService) -> None:
        """Close the memory last of all, and before it the purse; both outlast a room's lease."""
        self.stack.push_async_callback(sessions.aclose)
        self.stack.push_async_callback(self._payment.aclose)

    async def open(self, sessions: SessionService, user: str) -> None:
        """Find this user's conversation. With the store away the call remembers only itself."""
        place = self._place
        memory, sessions = await recalled(
            sessions,
            self._config.session,
            self.stack,
            room=place.room,
            user=user,
            channel=place.channel,
            language=self._language,
        )
        self._memory = memory
        self._notebook = Notebook(sessions)
        await self._payment.open(sessions, memory.session, self._patience)
        self._models.guard.open(sessions.breakers, place.call_id, self._payment.tell_forbidden)
        self.stack.push_async_callback(self._models.guard.aclose)
        self._refused = await refusal_of_call(
            sessions, memory.session, place.call_id, self._patience, self._config
        )
        self.gate = TurnGate(
            sessions,
            memory.session,
            self._notebook,
            call_id=place.call_id,
            turns_before=memory.turns_before,
            longest_kept_characters=self._config.limits.max_input_characters,
            patience=self._patience,
            on_end=self._payment.refuse,
            tell=place.tell,
        )
        self._typed = TypedOnce(sessions, memory.session, self.lines, self._patience)
        self.stack.push_async_callback(self._typed.aclose)
        self.voice.on("conversation_item_added", self.gate.commit)
        self._window = await self._begin_window(memory, sessions)
        self.stack.push_async_callback(closed, sessions, memory.session, self.ending)
        await self.stack.enter_async_context(self._notebook)
        self.stack.callback(self.gate.close)
        self.skills = await self.stack.enter_async_context(
            self._skills_of(sessions, memory.session, self.gate, self._notebook)
        )
        self.stack.enter_context(showing_life(sessions, memory.session.session_id))

    def _skills_of(
        self, sessions: SessionService, session: Session, gate: TurnGate, notebook: Notebook
    ) -> CallSkills:
        def hang_up(context: RunContext[None]) -> None:
            if self._june is not None:
                self._june.hang_up(context)

        copying = self._copying_of(sessions=sessions, session=session)
        return CallSkills(
            self._registry,
            sessions,
            session,
            self.voice,
            gate,
            hands=Hands(
                say=self._say_meanwhile,
                hang_up=hang_up,
                is_over=self._is_over,
                speak_in=LanguageOfVoice(self._config, self._models.tts).speak_in,
                keep=partial(notebook.note_skill, session.session_id),
                lines=self.lines,
                tell=self._place.tell,
            ),
            can=call_can(self._config, self._language, clones=copying is not None),
            zone=self._zone,
            chance=self._chance,
            copying=copying,
        )

    async def _begin_window(self, memory: Memory, sessions: SessionService) -> Window:
        summary = summary_of(self._config, self._models, sessions, memory)
        # After the gate, which shortens what was too long.
        self.voice.on("conversation_item_added", summary.commit)
        await self.stack.enter_async_context(summary)
        return Window(summary)

    @property
    def session_id(self) -> str | None:
        """None before it is open."""
        return None if self._memory is None else self._memory.session.session_id

    @property
    def _opened(self) -> Memory:
        if self._memory is None:
            raise RuntimeError("`open` the call before it begins")
        return self._memory

    async def begin(self, start: Callable[[June], Awaitable[object]]) -> SpeechHandle | None:
        """Start the voice, by `start`; the greeting, which has begun, or None for a refusal."""
        memory, gate, window = self._opened, self.gate, self._window
        assert gate is not None
        assert window is not None
        assert self.skills is not None
        self.stack.enter_context(self.idle)
        watch = Watch(
            self.voice,
            self._models,
            self._detector,
            spoken=self._spoken,
            ending=self.ending,
            lines=self.lines,
            config=self._config,
            say=self._say,
            is_own_voice=self._is_own_voice,
            times=gate.times,
            tell=self._place.tell,
        )
        self.stack.enter_context(watch)
        june = self._june = June(
            gate,
            self.skills,
            self.lines,
            chat_context(memory.context),
            window,
            instructions=instructions(
                persona=self._persona,
                further=self._config.agent.instructions,
                language=self._language,
                today=datetime.now(self._zone),
                can_hang_up="end_call" in self._registry.abilities,
            ),
            clock=self._models.clock,
            mouth=watch.mouth,
            hang_up=lambda speech, last_words: self.ending.begin(
                CloseReason.GOODBYE, last_words, after=speech
            ),
            is_over=self._is_over,
        )
        await start(june)
        self.skills.listen()
        if self._refused is not None:
            self._payment.refuse(self._refused)
        if self._is_over():
            return None  # who is refused, or leaves at once, is not greeted
        log.info("call.answered", resumed=memory.is_resumed, remembered=len(memory.context))
        greeted = await self._say(greeting(memory, self.lines))
        await self.skills.begin_to_ring()
        return greeted

    async def type(self, text: str) -> SpeechHandle:
        """A turn that is written; June stops speaking to answer it."""
        assert self.gate is not None
        return await typed(self.voice, self.gate, text)

    async def type_once(self, text: str, message_id: str | None) -> None:
        """A turn that is written and may be delivered twice: it is answered once."""
        if self._typed is not None and not self._is_over():
            await self._typed.answer(text, message_id, self.type, self._say)

    async def _say(self, line: str) -> SpeechHandle:
        if not self._is_own_voice():
            return self.voice.say(line)  # what is cached is in her own voice
        return await say(self.voice, self._spoken, line)

    def _is_own_voice(self) -> bool:
        return self._speaker is None or not self._speaker.is_cloned

    def _is_over(self) -> bool:
        return self.ending.reason is not None

    async def _say_meanwhile(self, line: str) -> SpeechHandle:
        if self._is_over():
            raise RuntimeError("the call is ending")
        return await self._say(line)

    async def aclose(self) -> None:
        """Write down what was said, close the session, then the rest; the log gets its figures."""
        try:
            await self.stack.aclose()
        finally:
            log.info(
                "call.ended",
                reason=self.reason.value,
                duration_seconds=round(time.monotonic() - self._started, 1),
                resumed=self._memory is not None and self._memory.is_resumed,
                **figures(
                    self.gate, self._notebook, self._models.purse, self._patience, self.voice
                ),
            )

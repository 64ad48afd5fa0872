"""June, as LiveKit's Agent: the gate that every turn passes, the answer, and how she hangs up."""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from livekit import rtc
from livekit.agents import Agent, ModelSettings, RunContext, llm, utils
from livekit.agents.voice import SpeechHandle

from agent.early import said_early
from agent.lines import Lines
from agent.models.audible import can_be_said
from agent.models.turn_clock import TurnClock
from agent.mouth import Mouth
from agent.prompt import SHORTER, further_instructed
from agent.refusals import ends_the_call, is_short_of_money, refusal
from agent.reply import Chunk, made_sayable, text_of, uses_tool
from agent.turn_times import TurnTimes
from agent.window import Window
from session import Decision
from session.limits import ALLOWED
from session.outcomes import Answered, Line, Nothing, Outcome, Spoken, UseTool


class Gate(Protocol):
    """Decides whether a turn may be answered. Reserves; what costs something waits for commit."""

    @property
    def times(self) -> TurnTimes: ...

    async def reserve(self, message: llm.ChatMessage) -> Decision: ...


class Skills(Protocol):
    """Knows what a turn is to skills."""

    @property
    def tools(self) -> Sequence[llm.Tool]: ...

    def shown(self, tools: Sequence[llm.Tool]) -> list[llm.Tool]: ...

    def call(self, use: UseTool) -> llm.FunctionToolCall: ...

    async def outcome(self, chat_ctx: llm.ChatContext, message: llm.ChatMessage) -> Outcome: ...


HangUp = Callable[[SpeechHandle, str | None], None]
"""Ends the call after this speech, with these words of June's own if they are given."""


class June(Agent):
    """Lives as long as one call."""

    def __init__(
        self,
        gate: Gate,
        skills: Skills,
        lines: Lines,
        chat_ctx: llm.ChatContext,
        window: Window,
        *,
        instructions: str,
        clock: TurnClock,
        mouth: Mouth,
        hang_up: HangUp,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(instructions=instructions, chat_ctx=chat_ctx, tools=list(skills.tools))
        self._gate = gate
        self._skills = skills
        self._lines = lines
        self._window = window
        self._clock = clock
        self._mouth = mouth
        self._hang_up = hang_up
        self._is_over = is_over
        self._has_words = False
        """Whether the newest answer said anything."""

    async def llm_node(
        self,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool],
        model_settings: ModelSettings,
    ) -> AsyncGenerator[Chunk, None]:
        """Every reply passes here: spoken, typed, and attempts that nobody will ever hear."""
        if self._is_over():
            return  # she is saying goodbye
        message = newest_user_message(chat_ctx)
        if message is not None:
            self._clock.begin(message.id)
        attempt = None if message is None else self._gate.times.asked(message.id)
        self._has_words = is_complete = False
        try:
            async with aclosing(self._reply(message, chat_ctx, tools, model_settings)) as chunks:
                async for chunk in chunks:
                    self._has_words = self._has_words or can_be_said(text_of(chunk))
                    if attempt is not None and text_of(chunk):
                        self._gate.times.wrote(attempt)
                    yield chunk
            is_complete = True
        finally:
            if not (is_complete and self._has_words):
                self._clock.pause()  # no voice is waited for

    async def _reply(
        self,
        message: llm.ChatMessage | None,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool],
        model_settings: ModelSettings,
    ) -> AsyncGenerator[Chunk, None]:
        decision = ALLOWED if message is None else await self._gate.reserve(message)
        if not decision.allowed:
            # A goodbye is said by whoever ends the call: this attempt may be heard by nobody.
            if not ends_the_call(decision):
                yield refusal(decision, self._lines)
            return
        if is_short_of_money(decision):
            chat_ctx = further_instructed(chat_ctx, SHORTER)
        outcome = Answered() if message is None else await self._skills.outcome(chat_ctx, message)
        if isinstance(outcome, Nothing):
            return
        has_tool = False
        answer = self._answer(outcome, chat_ctx, tools, model_settings)
        may_use_tools = model_settings.tool_choice != "none"
        sayable = made_sayable(answer, self._lines, may_use_tools=may_use_tools)
        async with aclosing(said_early(sayable, self._clock)) as chunks:
            async for chunk in chunks:
                has_tool = has_tool or uses_tool(chunk)
                yield chunk
        is_foreign = isinstance(outcome, Spoken | Answered) and outcome.language != ""
        if decision.near is not None and self._has_words and not has_tool and not is_foreign:
            yield f" {self._lines.near_limit}"

    async def tts_node(
        self, text: AsyncIterable[str], model_settings: ModelSettings
    ) -> AsyncGenerator[rtc.AudioFrame, None]:
        """Whatever June says passes here, unless it comes with its sound."""

        def synthesise(words: AsyncIterable[str]) -> Any:
            return Agent.default.tts_node(self, words, model_settings)

        # LiveKit makes these settings anew for each reply, and hands them to every part of it.
        noted = self._gate.times.to_voice(text)
        said = self._mouth.speak(noted, synthesise, reply=model_settings)
        async with aclosing(said) as sound:
            async for frame in sound:
                yield frame

    async def _answer(
        self,
        outcome: Outcome,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool],
        model_settings: ModelSettings,
    ) -> AsyncGenerator[Chunk, None]:
        match outcome:
            case Spoken(text):
                yield text
            case Line(which):
                yield getattr(self._lines, which.value)
            case UseTool():
                call = self._skills.call(outcome)
                delta = llm.ChoiceDelta(role="assistant", tool_calls=[call])
                yield llm.ChatChunk(id=utils.shortuuid(), delta=delta)
            case Answered(instructions):
                if instructions:
                    chat_ctx = further_instructed(chat_ctx, instructions)
                given = self._window.of(chat_ctx)
                answer: Any = Agent.default.llm_node(
                    self, given, self._skills.shown(tools), model_settings
                )
                async with aclosing(answer):
                    async for chunk in answer:
                        self._window.learn(given, chunk)
                        yield chunk

    def hang_up(self, context: RunContext[None]) -> None:
        """For a tool that ends the call: once this reply, or else June's own goodbye, was heard."""
        try:
            context.disallow_interruptions()
        except RuntimeError:
            return  # the caller has just spoken again, so the call goes on
        self._hang_up(context.speech_handle, None if self._has_words else self._lines.goodbye)


def newest_user_message(chat_ctx: llm.ChatContext) -> llm.ChatMessage | None:
    """The turn's question. A system message may stand behind it, so it need not be the last."""
    asked = (message for message in reversed(chat_ctx.messages()) if message.role == "user")
    return next(asked, None)

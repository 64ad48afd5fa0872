"""Runs what a phrase or a model asked for, once LiveKit has committed its turn."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from livekit.agents import RunContext, ToolError, llm, utils
from livekit.agents.utils import shortuuid
from pydantic import ValidationError

from agent.skill_use import Question, SkillUse
from agent.tools import SkillTool, begin_arguments, is_for_model, tools_of
from session.floor import Floor
from session.outcomes import ANSWER, BEGIN, LEAVE, Answered, Line, Outcome, Own, Spoken, UseTool
from skills import Ability, Ports, Skill, SkillError
from skills.registry import Registry
from skills.runner import Runner, SkillFailed
from skills.words import letters

log = structlog.get_logger(__name__)

BEGUN = "It has begun."
"""The model reads it, and then the instructions of the mode."""

NOTHING_SAID = "Done."
INTERRUPTED = "The caller spoke before it was done, so it was left."

PortsFor = Callable[[Skill, SkillUse, RunContext[None]], Ports]


@dataclass(frozen=True)
class Asking:
    """An ability that waits for the caller's answer."""

    use: SkillUse
    question: str
    call_id: str


class SkillTools:
    """Lives as long as one call; at most one use of an ability waits for an answer.

    What a phrase asked for is spoken as it is. What the model asked for it reads, and answers.
    """

    def __init__(
        self,
        registry: Registry,
        runner: Runner,
        floor: Floor,
        ports_for: PortsFor,
        *,
        is_over: Callable[[], bool],
    ) -> None:
        self._registry = registry
        self._runner = runner
        self._floor = floor
        self._ports_for = ports_for
        self._is_over = is_over
        self._by_phrase: set[str] = set()
        self._outcomes: dict[str, Outcome] = {}
        """Of uses whose answer June says herself, by the id of the use."""
        self._asking: Asking | None = None
        self.all: list[SkillTool] = tools_of(registry, self._use)

    def call(self, use: UseTool) -> llm.FunctionToolCall:
        """As if a model had asked for it. An attempt that is not committed is never run."""
        call_id = shortuuid("june_")
        self._by_phrase.add(call_id)
        return llm.FunctionToolCall(
            name=use.name, arguments=json.dumps(dict(use.arguments)), call_id=call_id
        )

    def is_for_model(self, name: str) -> bool:
        """Whether a model may use this tool now."""
        skill = self._floor.skill
        mode = None if skill is None else self._registry.modes.get(skill.name)
        return is_for_model(name, self._registry, mode)

    def outcome_of(self, call_ids: Sequence[str]) -> Outcome:
        """What June is to do after these uses, the last one first. A question goes before all."""
        last = self._asking.call_id if self._asking is not None else ""
        call_id = last if last in call_ids else call_ids[0]
        return self._outcomes.get(call_id) or Answered(self._floor.instructions)

    def said(self, text: str) -> None:
        """June has said this, or a part of it: a question that is heard is to be answered."""
        if self._asking is not None and letters(text).startswith(letters(self._asking.question)):
            self._floor.has_question = True

    def commit(self) -> None:
        """The caller has said something; to a question only if there was one to be heard."""
        if not self._floor.has_question:
            self._drop_question()

    async def _use(
        self, name: str, arguments: Mapping[str, Any], context: RunContext[None]
    ) -> str | None:
        call_id = context.function_call.call_id
        if call_id in self._by_phrase and name != ANSWER and self._floor.has_question:
            self._drop_question()  # it was no answer
        if call_id not in self._by_phrase and not self.is_for_model(name):
            # LiveKit runs any tool that the call has, and models use what they have seen used.
            raise ToolError(f"{name} is not available now.")
        try:
            outcome = await self._outcome(name, arguments, context)
        except (SkillError, SkillFailed, ValidationError) as error:
            if call_id not in self._by_phrase:
                raise ToolError(_for_the_model(name, error)) from None
            said = isinstance(error, SkillError) and str(error)
            outcome = Spoken(said) if said else Line(Own.FAILED)
        if isinstance(outcome, str):
            if not outcome and self._is_over():
                return None  # June says goodbye
            if call_id not in self._by_phrase:
                return outcome or NOTHING_SAID
            outcome = Spoken(outcome) if outcome else Line(Own.DONE)
        self._outcomes[call_id] = outcome
        return outcome.text if isinstance(outcome, Spoken) else BEGUN

    async def _outcome(
        self, name: str, given: Mapping[str, Any], context: RunContext[None]
    ) -> Outcome | str:
        """What June does now; a text is for whoever asked."""
        if name == LEAVE:
            return self._floor.leave()
        if name == ANSWER:
            return await self._answered(str(given.get("answer", "")), context)
        if name.startswith(BEGIN):
            mode = self._registry.modes[name.removeprefix(BEGIN)]
            begin_with = begin_arguments(mode).model_validate(given)
            return await self._floor.begin(mode.name, begin_with.model_dump(exclude_none=True))
        return await self._of_ability(self._registry.abilities[name], given, context)

    async def _of_ability(
        self, ability: Ability, given: Mapping[str, Any], context: RunContext[None]
    ) -> Outcome | str:
        arguments = ability.arguments.model_validate(given)
        skill, use = self._registry.skill_of(ability.name), SkillUse()
        ports = self._ports_for(skill, use, context)
        use.begin(ability.name, lambda: self._runner.use(skill, ability, arguments, ports))
        log.info("skill.used", skill=skill.name, ability=ability.name)
        return await self._next(use, use.outcome(), context)

    async def _next(
        self,
        use: SkillUse,
        outcome: Coroutine[Any, Any, str | Question],
        context: RunContext[None],
    ) -> Outcome | str:
        """Its result, or its question; a caller who speaks meanwhile is not kept waiting for it."""
        coming = asyncio.create_task(outcome, name="june.skill.outcome")
        await context.speech_handle.wait_if_not_interrupted([coming])
        if not coming.done():
            # LiveKit would wait for it, and the caller for an answer to what they said meanwhile.
            await utils.aio.cancel_and_wait(coming)
            raise SkillError(INTERRUPTED)
        came = coming.result()
        if isinstance(came, str):
            return came
        self._drop_question()
        self._asking = Asking(use, came.text, context.function_call.call_id)
        return Spoken(came.text)

    async def _answered(self, answer: str, context: RunContext[None]) -> Outcome:
        asking, self._asking, self._floor.has_question = self._asking, None, False
        if asking is None or not answer:
            if asking is not None:
                asking.use.cancel()
            return Line(Own.CANCELED)
        outcome = await self._next(asking.use, asking.use.answered(answer), context)
        return Spoken(outcome) if isinstance(outcome, str) else outcome

    def _drop_question(self) -> None:
        """Whoever waits for an answer while another question is asked gets none."""
        if self._asking is not None:
            self._asking.use.cancel()
        self._asking, self._floor.has_question = None, False

    async def aclose(self) -> None:
        if self._asking is not None:
            await self._asking.use.aclose()


def uses_for(chat_ctx: llm.ChatContext, message: llm.ChatMessage) -> list[str]:
    """The tools that were used for this message, by the ids of the uses; the last one first.

    A use for an earlier message may have ended only after this one was said.
    """
    found: list[str] = []
    ended: list[str] = []
    for item in reversed(chat_ctx.items):
        match item:
            case llm.FunctionCallOutput(call_id=call_id):
                ended.append(call_id)
            case llm.FunctionCall(call_id=call_id) if call_id in ended:
                found.append(call_id)
            case llm.ChatMessage() if item.id == message.id:
                break
    return found


def _for_the_model(name: str, error: Exception) -> str:
    match error:
        case ValidationError():
            wrong = (
                f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}"
                for one in error.errors(include_input=False, include_url=False)
            )
            return f"{name}: {'; '.join(wrong)}"
        case SkillError():
            return str(error)
        case _:
            return f"{name} did not work. Tell the caller so in one sentence."

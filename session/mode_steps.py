"""Asks a mode what a turn comes to. Its code may fail or hang; the call goes on without it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random, SystemRandom
from typing import Any

import structlog
from pydantic import BaseModel, JsonValue

from session.outcomes import Answered, CallCan, Line, Nothing, Outcome, Own, Spoken, Taken
from session.records import SkillSession, Unheard
from skills import AnyMode, AsUsual, ByModel, Heard, News, Quiet, Say, SkillError, Step
from skills.cut import cut
from skills.registry import Registry
from skills.runner import LONGEST_CHARACTERS, Runner, SkillFailed

log = structlog.get_logger(__name__)

BY_TOOL = "If the caller asks to stop this, use the tool `leave_skill` and say nothing else."

OVER = Taken(Line(Own.FAILED), None)
"""The mode failed: June says so, and has the floor again."""


@dataclass(frozen=True)
class ModeSteps:
    """Lives as long as one call."""

    registry: Registry
    runner: Runner
    can: CallCan
    now: Callable[[], datetime]
    """In the caller's time zone."""
    chance: Random = field(default_factory=SystemRandom)

    async def begin(self, name: str, given: Mapping[str, Any]) -> Taken:
        """Without asking the caller whether it may."""
        mode = self.registry.modes[name]
        heard = self._heard("", given, turns_left=mode.max_turns)
        began = SkillSession(
            name=name, version=mode.version, state={}, started_at=heard.now.timestamp()
        )
        return await self._asked(mode, began, lambda: mode.begin(heard), otherwise=None)

    async def step(self, skill: SkillSession, text: str, *, is_typed: bool) -> Taken:
        """One turn inside a mode. Where its state can be used no more, the mode is over."""
        mode = self.registry.modes.get(skill.name)
        if mode is None:
            log.warning("skill.gone", skill=skill.name)
            return OVER
        turns_left = None if mode.max_turns is None else max(0, mode.max_turns - skill.turns - 1)
        heard = self._heard(text, {}, turns_left=turns_left, is_typed=is_typed)

        def step() -> Step[Any]:
            state = _state_of(mode, skill)
            if skill.unheard is not None:
                state = mode.interrupted(state, skill.unheard.said, skill.unheard.heard)
            return mode.step(state, heard)

        later = skill.model_copy(update={"turns": skill.turns + 1, "version": mode.version})
        taken = await self._asked(mode, later, step, otherwise=skill)
        return replace(taken, skill=None) if turns_left == 0 else taken

    async def told(self, skill: SkillSession, news: News) -> Taken | None:
        """What came of something that a mode wanted; None if that changes nothing."""
        mode = self.registry.modes.get(skill.name)
        if mode is None:
            return None
        unchanged = Taken(Nothing(), skill)
        heard = self._heard("", {}, turns_left=None)

        def told() -> Step[Any]:
            state = _state_of(mode, skill)
            return mode.told(state, news, heard) or Step(state, Quiet())

        taken = await self._asked(mode, skill, told, otherwise=skill)
        return None if taken == unchanged else taken

    def _heard(
        self,
        text: str,
        slots: Mapping[str, Any],
        *,
        turns_left: int | None,
        is_typed: bool = False,
    ) -> Heard:
        return Heard(
            text=text,
            now=self.now(),
            slots=slots,
            has_model=self.can.has_model,
            speaks=self.can.speaks,
            is_typed=is_typed,
            can_clone=self.can.clones,
            chance=self.chance,
            turns_left=turns_left,
        )

    async def _asked(
        self,
        mode: AnyMode,
        skill: SkillSession,
        ask: Callable[[], Step[Any]],
        *,
        otherwise: SkillSession | None,
    ) -> Taken:
        owner = self.registry.skill_of(mode.name)
        try:
            # All of it in the skill's thread: also how its state is dumped is the skill's code.
            return await self.runner.step(owner, lambda: self._taken(mode, skill, ask()))
        except SkillError as error:
            return Taken(Spoken(str(error)), otherwise)
        except SkillFailed:
            return OVER

    def _taken(self, mode: AnyMode, skill: SkillSession, step: Step[Any]) -> Taken:
        outcome, after = self._outcome(mode, step), None
        if step.state is not None:
            said = outcome.text if isinstance(outcome, Spoken) else ""
            unheard = None
            if not isinstance(outcome, Nothing):
                unheard = Unheard(said="" if self.can.is_told_by_model else said)
            after = skill.model_copy(
                update={
                    "state": _dumped(step.state),
                    "takes_all": step.takes_all,
                    "unheard": unheard,
                }
            )
        by = self.registry.skill_of(mode.name).name
        return Taken(outcome, after, tuple(step.effects), by)

    def _outcome(self, mode: AnyMode, step: Step[Any]) -> Outcome:
        match step.reply:
            case Say(text, language) if any(letter.isalnum() for letter in text):
                return Spoken(cut(text, LONGEST_CHARACTERS), language)
            case ByModel(instructions, language) if self.can.has_model:
                return Answered(self._together(mode, step, instructions), language)
            case AsUsual(instructions):
                return Answered(self._together(mode, step, instructions))
            case Quiet():
                return Nothing()
            case ByModel():
                raise ValueError("it asks for a model, and there is none")
            case _:
                raise ValueError("it says nothing")

    def _together(self, mode: AnyMode, step: Step[Any], instructions: str) -> str:
        """What the model is to know for this reply."""
        if step.state is None:
            return instructions
        how_to_leave = "" if self.can.knows_phrases else BY_TOOL
        parts = (mode.instructions(step.state), instructions, how_to_leave)
        return "\n\n".join(part for part in parts if part)


def _state_of(mode: AnyMode, skill: SkillSession) -> BaseModel:
    if skill.version == mode.version:
        return mode.state.model_validate(skill.state)
    upgraded = mode.upgraded(skill.version, skill.state)
    if upgraded is None:
        raise ValueError(f"state of version {skill.version} cannot be used")
    return mode.state.model_validate(upgraded)


def _dumped(state: BaseModel) -> dict[str, JsonValue]:
    dumped: dict[str, JsonValue] = state.model_dump(mode="json")
    return dumped

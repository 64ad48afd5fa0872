"""Which skill has the floor: what a turn means to it, and when that takes effect.

LiveKit may ask about one turn several times, on words that still change. So deciding changes
nothing; what a turn changes happens when it is committed, and once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from session.mode_steps import ModeSteps, Unheard
from session.outcomes import ANSWER, BEGIN, Answered, Line, Outcome, Own, Spoken, Taken, UseTool
from session.records import SkillSession
from skills import AnyMode, Effect
from skills.answers import answer_in
from skills.exits import is_exit
from skills.registry import Begin, Reserved, Use
from skills.words import Words, words_of

REMEMBERED_TURNS = 4
"""Turns whose outcome is known, should LiveKit ask again."""


class Floor:
    """Lives as long as one call.

    `keep` gets each change, to be stored; `carry_out` what a committed turn wants done;
    `speak_in` the language of the reply to it, empty for the call's own.
    """

    def __init__(
        self,
        steps: ModeSteps,
        skill: SkillSession | None,
        *,
        keep: Callable[[SkillSession | None], None],
        carry_out: Callable[[Sequence[Effect], str], None],
        speak_in: Callable[[str], None],
    ) -> None:
        self._steps = steps
        self._registry = steps.registry
        self._skill = skill
        self._keep = keep
        self._carry_out = carry_out
        self._speak_in = speak_in
        self._considered: dict[int, dict[str, tuple[SkillSession | None, Taken]]] = {}
        """By turn and by its words; each with which skill had the floor then."""
        self._committed: dict[int, str] = {}
        self._applied: set[int] = set()
        self._reply: str | None = None
        """What the mode that has the floor replied last, empty where the model did; None if it
        was not the mode that replied."""
        self._unheard: Unheard | None = None
        self._instructions = ""
        self.has_question = False
        """An ability waits for the caller's answer."""

    @property
    def skill(self) -> SkillSession | None:
        """The one that has the floor now."""
        return self._skill

    @property
    def instructions(self) -> str:
        """What the model is to know as long as the mode has the floor."""
        return "" if self._skill is None else self._instructions

    async def hear(self, turn: int, text: str) -> Outcome:
        """What a turn of these words comes to. Where it is committed already, it takes effect."""
        considered = self._considered.setdefault(turn, {})
        if text not in considered:
            before = self._skill
            considered[text] = before, await self._decide(text)
        self._apply(turn)
        return considered[text][1].outcome

    def commit(self, turn: int, text: str) -> None:
        """The turn was really taken, in these words."""
        self._committed[turn] = text
        for old in [one for one in self._considered if one <= turn - REMEMBERED_TURNS]:
            del self._considered[old]
            self._committed.pop(old, None)
        self._apply(turn)

    def _apply(self, turn: int) -> None:
        text = self._committed.get(turn)
        found = None if text is None else self._considered.get(turn, {}).get(text)
        if found is None or turn in self._applied:
            return
        self._applied.add(turn)
        before, taken = found
        if taken.skill == before:
            # It leaves the floor to whoever has it, who may have got it since.
            taken = replace(taken, skill=self._skill)
        self._take(taken)

    def _take(self, taken: Taken) -> None:
        self._reply = None
        if not isinstance(taken.outcome, UseTool):
            # What another skill is asked in between takes nothing from what is still to be heard.
            self._unheard = None
        language = ""
        match taken.outcome:
            case Spoken(text, language):
                self._reply = text
            case Answered(instructions, language):
                self._reply = ""
                self._instructions = instructions
            case _:
                pass
        self._speak_in(language)
        if taken.skill != self._skill:
            self._skill = taken.skill
            self._keep(taken.skill)
        if taken.effects:
            self._carry_out(taken.effects, taken.by)

    def interrupted(self, heard: str) -> None:
        """Of June's last reply the caller heard only this."""
        if self._skill is None or self._reply is None:
            return
        # An alarm that was talked over is not the mode's reply.
        if not self._reply or words_of(self._reply).plain.startswith(words_of(heard).plain):
            self._unheard = Unheard(self._reply or heard, heard)

    async def begin(self, name: str, given: Mapping[str, Any]) -> Outcome:
        """A mode was asked for, in a committed turn: at once, or after the caller's yes."""
        mode = self._registry.modes[name]
        if mode.confirmation is None:
            taken = await self._steps.begin(name, given)
        else:
            asked = SkillSession(
                name=name,
                version=mode.version,
                state={key: value for key, value in given.items() if value is not None},
                started_at=self._steps.now().timestamp(),
                stage="confirming",
            )
            taken = Taken(Spoken(mode.confirmation), asked)
        self._take(taken)
        return taken.outcome

    def leave(self) -> Outcome:
        """The model, or whoever may, ends the mode."""
        if self._skill is None:
            return Answered()
        self._take(Taken(Line(Own.LEFT), None))
        return Line(Own.LEFT)

    async def _decide(self, text: str) -> Taken:
        words = words_of(text)
        skill = self._skill
        if self.has_question:
            answer = "" if is_exit(words) else text
            return Taken(UseTool(ANSWER, {"answer": answer}), skill)
        if skill is None:
            return Taken(self._by_phrase(words) or Answered(), None)
        if skill.stage == "confirming":
            return await self._confirmed(skill, words)
        mode = self._registry.modes.get(skill.name)
        if is_exit(words, () if mode is None else _exits_of(mode)):
            return Taken(Line(Own.LEFT), None)
        if mode is not None and not mode.takes_all:
            asked = self._by_phrase(words)
            # "Tell me another story" is the storyteller's own business.
            if asked is not None and not _begins(asked, mode):
                return Taken(asked, skill)
        return await self._steps.step(skill, text, self._unheard)

    def _by_phrase(self, words: Words) -> Outcome | None:
        if not self._steps.can.knows_phrases:
            return None
        match self._registry.find(words):
            case Use(ability, slots):
                return UseTool(ability.name, slots)
            case Begin(mode, slots):
                return UseTool(BEGIN + mode.name, slots)
            case Reserved():
                return Line(Own.RESERVED)
            case None:
                return None

    async def _confirmed(self, skill: SkillSession, words: Words) -> Taken:
        answer = answer_in(words)
        if is_exit(words) or answer == "no" or skill.name not in self._registry.modes:
            return Taken(Line(Own.CANCELED), None)
        if answer == "yes":
            return await self._steps.begin(skill.name, skill.state)
        if skill.asked_again:
            return Taken(Line(Own.CANCELED), None)
        return Taken(Line(Own.UNCLEAR), skill.model_copy(update={"asked_again": True}))


def _begins(asked: Outcome, mode: AnyMode) -> bool:
    return isinstance(asked, UseTool) and asked.name == BEGIN + mode.name


def _exits_of(mode: AnyMode) -> tuple[str, ...]:
    """Its own, and those by its name."""
    name = mode.name.replace("_", " ").replace("-", " ")
    return (*mode.exits, f"(exit|leave|stop|quit|end|disable|turn off) [the] {name} [mode|skill]")

"""Which skill has the floor: what a turn means to it, and when that takes effect.

LiveKit may ask about one turn several times, on words that still change. So deciding changes
nothing; what a turn changes happens when it is committed, and once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from session.holding import Considered, exits_of, farewell_of, holder_of
from session.mode_steps import ModeSteps
from session.outcomes import ANSWER, BEGIN, Answered, Line, Outcome, Own, Spoken, Taken, UseTool
from session.records import SkillSession, Unheard
from skills import AnyMode, Effect, News
from skills.by_language import answers, leaves
from skills.registry import Begin, Use
from skills.words import Words, letters, words_of

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
        self._language = steps.can.language
        self._skill = skill
        self._keep = keep
        self._carry_out = carry_out
        self._speak_in = speak_in
        self._considered: dict[int, dict[str, Considered]] = {}
        """By turn and by its words."""
        self._news = 0
        """So many news have come."""
        self._committed: dict[int, str] = {}
        self._applied: set[int] = set()
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

    def resume(self) -> None:
        """Before the first turn: what is over with its call ends here, if a crash has kept it."""
        skill = holder_of(self._skill)
        mode = None if skill is None else self._registry.modes.get(skill.name)
        if mode is not None and mode.ends_with_call:
            self._give(None)

    async def hear(self, turn: int, text: str, *, is_typed: bool = False) -> Outcome:
        """What a turn of these words comes to. Where it is committed already, it takes effect."""
        considered = self._considered.setdefault(turn, {})
        if text not in considered:
            before, news = self._skill, self._news
            taken = await self._decide(text, is_typed=is_typed)
            considered[text] = Considered(before, taken, news)
        self._apply(turn)
        return considered[text].taken.outcome

    async def told(self, news: News) -> Outcome | None:
        """What June says to something that the mode with the floor had wanted; it takes effect.

        None where nobody waits for it.
        """
        holder, taken = holder_of(self._skill), None
        while holder is not None:
            taken = await self._steps.told(holder, news)
            before, holder = holder, holder_of(self._skill)
            if holder == before:
                break
            if holder is not None and holder.started_at != before.started_at:
                return None
        skill = self._skill
        if skill is None or holder is None or taken is None:
            return None
        self._news += 1
        if skill.stage == "confirming":
            under = skill.model_copy(update={"under": taken.skill})
            taken = replace(taken, skill=under)
        self._take(taken)
        return taken.outcome

    def commit(self, turn: int, text: str) -> None:
        """The turn was really taken, in these words."""
        self._committed[turn] = text
        considered = self._considered.setdefault(turn, {})
        if text not in considered and (left := self._left(words_of(text))) is not None:
            # An attempt that is cancelled early is never considered; who wants out gets out.
            considered[text] = Considered(self._skill, left, self._news)
        for old in [one for one in self._committed if one <= turn - REMEMBERED_TURNS]:
            self._considered.pop(old, None)
            del self._committed[old]
        self._apply(turn)

    def _apply(self, turn: int) -> None:
        text = self._committed.get(turn)
        found = None if text is None else self._considered.get(turn, {}).get(text)
        if found is None or turn in self._applied:
            return
        self._applied.add(turn)
        taken = found.taken
        is_stale = found.news != self._news and not found.is_end
        if taken.skill == found.before or is_stale:
            # It leaves the floor to whoever has it, who may have got it since, or got news.
            taken = replace(taken, skill=self._skill, effects=() if is_stale else taken.effects)
        self._take(taken)

    def _take(self, taken: Taken) -> None:
        language = ""
        match taken.outcome:
            case Answered(instructions, language):
                self._instructions = instructions
            case Spoken(language=language):
                pass
        self._speak_in(language)
        self._give(taken.skill)
        if taken.effects:
            self._carry_out(taken.effects, taken.by)

    def _give(self, skill: SkillSession | None) -> None:
        if skill == self._skill:
            return
        before, after = holder_of(self._skill), holder_of(skill)
        self._skill = skill
        self._keep(skill)
        if before is not None and (after is None or after.name != before.name):
            mode = self._registry.modes.get(before.name)
            if mode is not None and mode.when_over:
                self._carry_out(mode.when_over, self._registry.skill_of(before.name).name)

    def said(self, text: str, *, interrupted: bool) -> None:
        """June has said this; of a reply that was interrupted it is what the caller heard."""
        if self._skill is None or (unheard := self._skill.unheard) is None:
            return
        reply, heard = letters(unheard.said), letters(text)
        # An alarm, or a tool's answer, is not the mode's reply; a warning may stand behind it.
        if not (reply.startswith(heard) or heard.startswith(reply)):
            return
        left = Unheard(said=unheard.said or text, heard=text) if interrupted else None
        self._give(self._skill.model_copy(update={"unheard": left}))

    async def begin(self, name: str, given: Mapping[str, Any]) -> Outcome:
        """A mode was asked for, in a committed turn: at once, or after the caller's yes."""
        mode = self._registry.modes[name]
        taken = await self._steps.begin(name, given)
        if mode.confirmation is None or taken.skill is None:
            taken = self._with_farewell(taken, mode)  # it begins, or refuses to
        else:
            asked = SkillSession(
                name=name,
                version=mode.version,
                state={key: value for key, value in given.items() if value is not None},
                started_at=self._steps.now().timestamp(),
                stage="confirming",
                under=holder_of(self._skill),
            )
            taken = Taken(Spoken(mode.confirmation), asked)
        self._take(taken)
        return taken.outcome

    def _with_farewell(self, taken: Taken, mode: AnyMode) -> Taken:
        """Where something ends that lasts until it is left, that is said before what begins."""
        before = holder_of(self._skill)
        ending = None if before is None else self._registry.modes.get(before.name)
        if ending is None or ending is mode or not (ending.when_over and ending.farewell):
            return taken
        if taken.skill is None or not isinstance(taken.outcome, Spoken) or taken.outcome.language:
            return taken
        spoken = Spoken(f"{ending.farewell} {taken.outcome.text}")
        return replace(taken, outcome=spoken)

    def leave(self) -> Outcome:
        """The model, or whoever may, ends the mode."""
        if self._skill is None:
            return Answered()
        farewell = farewell_of(self._registry.modes.get(self._skill.name))
        self._take(Taken(farewell, None))
        return farewell

    def _left(self, words: Words) -> Taken | None:
        """If these words leave the mode that has the floor, or are a no to the one that may."""
        skill = self._skill
        if skill is None:
            return None
        if skill.stage == "confirming":
            is_no = leaves(words, self._language) or answers(words, self._language) == "no"
            return Taken(Line(Own.CANCELED), skill.under) if is_no else None
        mode = self._registry.modes.get(skill.name)
        exits = () if mode is None else exits_of(mode)
        return Taken(farewell_of(mode), None) if leaves(words, self._language, exits) else None

    async def _decide(self, text: str, *, is_typed: bool) -> Taken:
        words = words_of(text)
        skill = self._skill
        if self.has_question:
            return self._answered(text, words, skill)
        if skill is None:
            return Taken(self._by_phrase(words) or Answered(), None)
        if (left := self._left(words)) is not None:
            return left
        if skill.stage == "confirming":
            return await self._confirmed(skill, words)
        mode = self._registry.modes.get(skill.name)
        asked = None if mode is None or mode.takes_all else self._by_phrase(words)
        # "Tell me another story" is the storyteller's own business.
        if mode is not None and asked is not None and self._is_heard(asked, mode, skill):
            return Taken(asked, skill)
        return await self._steps.step(skill, text, is_typed=is_typed)

    def _answered(self, text: str, words: Words, skill: SkillSession | None) -> Taken:
        """To an ability's question; but what lasts until it is left can be left here too."""
        mode = None if skill is None else self._registry.modes.get(skill.name)
        if skill is not None and mode is not None and mode.when_over:
            if self._left(words) is not None:
                return Taken(UseTool(ANSWER, {"answer": ""}), None)
            asked = self._by_phrase(words)
            if isinstance(asked, UseTool) and asked.name in self._own(mode):
                return Taken(asked, skill)
        answer = "" if leaves(words, self._language) else text
        return Taken(UseTool(ANSWER, {"answer": answer}), skill)

    def _own(self, mode: AnyMode) -> frozenset[str]:
        """The abilities of the skill that the mode belongs to."""
        return frozenset(one.name for one in self._registry.skill_of(mode.name).abilities)

    def _is_heard(self, asked: Outcome, mode: AnyMode, skill: SkillSession) -> bool:
        """Whether a phrase means something inside this mode."""
        if not isinstance(asked, UseTool) or asked.name == BEGIN + mode.name:
            return False
        ability = self._registry.abilities.get(asked.name)
        is_goodbye = ability is not None and ability.last_words
        return not skill.takes_all or is_goodbye or asked.name in self._own(mode)

    def _by_phrase(self, words: Words) -> Outcome | None:
        if not self._steps.can.knows_phrases:
            return None
        match self._registry.find(words):
            case Use(ability, slots):
                return UseTool(ability.name, slots)
            case Begin(mode, slots):
                return UseTool(BEGIN + mode.name, slots)
            case None:
                return None

    async def _confirmed(self, skill: SkillSession, words: Words) -> Taken:
        canceled = Taken(Line(Own.CANCELED), skill.under)
        if skill.name not in self._registry.modes:
            return canceled
        if answers(words, self._language) == "yes":
            return await self._steps.begin(skill.name, skill.state)
        if skill.asked_again:
            return canceled
        return Taken(Line(Own.UNCLEAR), skill.model_copy(update={"asked_again": True}))

"""Mockingbird: June speaks in the caller's voice, with consent, and gives it back."""

from random import Random
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from skills.ability import ability
from skills.effects import Effect
from skills.errors import SkillError
from skills.mockingbird import lines, phrases
from skills.mockingbird.repeated import how_near
from skills.mockingbird.sentence import fresh_sentence
from skills.mode import AsUsual, Heard, Mode, Quiet, Reply, Say, Step
from skills.ports import Ports
from skills.voice import (
    Consented,
    GiveVoiceBack,
    Listen,
    MakeVoice,
    News,
    Sampled,
    TakeConsent,
    TakeSample,
    TakesLong,
    VoiceDeleted,
    VoiceFailed,
    VoiceIsOn,
    VoiceWish,
    Why,
)
from skills.words import words_of

HELP = "speak with your voice"

MOST_REPEATS = 2
"""So often a sentence is said again to who asks for that, without it being a try."""

MOST_TRIES = 3
"""So often a sentence may be said, or a sample given."""

Stage = Literal["awaiting_voice_sample", "capturing_audio", "cloning_voice", "active", "error"]


class Copying(BaseModel):
    """How far it has come. `inactive` is a call in which the mode has not begun."""

    stage: Stage = "awaiting_voice_sample"
    asked: str = ""
    """The sentence that the caller is to repeat."""
    tries: int = Field(default=0, ge=0)
    """At that sentence, or at the sample."""
    is_fresh: bool = True
    """Whether that sentence is June's own, and not one that the maker of voices demands."""
    is_waiting: bool = False
    """What was said is being looked at."""
    repeats: int = Field(default=0, ge=0)
    """How often the caller had that sentence said again."""
    is_unheard: bool = False
    """Nobody has heard yet that the voice is on."""
    has_spoken: bool = False
    """The caller has, while their voice was made."""


class Mockingbird(Mode[Copying]):
    """Its wishes are carried out by `Studio`; what comes of them it is `told`."""

    name = "mockingbird"
    description = (
        "Begin it when the caller wants you to speak with their own voice, or again with it. "
        "Their consent and a sample of their voice are asked for by the mode itself."
    )
    triggers = phrases.BEGIN
    heard_as = phrases.BEGIN_HEARD_AS
    confirmation = lines.SURE
    exits = phrases.EXITS
    farewell = lines.BACK
    when_over: ClassVar[tuple[Effect, ...]] = (GiveVoiceBack(),)
    ends_with_call = True
    state = Copying

    def begin(self, heard: Heard) -> Step[Copying]:
        if not heard.can_clone:
            raise SkillError(lines.NOT_HERE)
        return _ask(lines.CONSENT, heard.chance)

    def step(self, state: Copying, heard: Heard) -> Step[Copying]:
        is_before = state.stage not in ("active", "error")
        if is_before and phrases.refuses(heard.text):
            return Step(None, Say(lines.LEFT_IT))
        match state.stage:
            case "awaiting_voice_sample":
                return self._consent(state, heard)
            case "capturing_audio":
                return _alone(state, Say(lines.TYPED_SAMPLE) if heard.is_typed else Quiet())
            case "cloning_voice":
                # The end of the sample is a turn as well, and asks nothing.
                reply: Reply = Say(lines.STILL) if state.has_spoken or heard.is_typed else Quiet()
                return _alone(state.model_copy(update={"has_spoken": True}), reply)
            case "active":
                return self._active(state, heard)
            case "error":
                if phrases.AGAIN.match(words_of(heard.text)) is not None or _begins(heard):
                    return _ask(lines.CONSENT, heard.chance)
                return Step(None, AsUsual())

    def _active(self, state: Copying, heard: Heard) -> Step[Copying]:
        if state.is_unheard:
            return Step(state.model_copy(update={"is_unheard": False}), Say(lines.GOT_IT))
        if _begins(heard):
            return Step(state, Say(lines.ALREADY))
        return Step(state, AsUsual(lines.IN_YOUR_VOICE))

    def interrupted(self, state: Copying, said: str, heard: str) -> Copying:
        is_unheard = state.stage == "active" and said == lines.GOT_IT and not heard
        return state.model_copy(update={"is_unheard": True}) if is_unheard else state

    def _consent(self, state: Copying, heard: Heard) -> Step[Copying]:
        if heard.is_typed:
            return _alone(state, Say(lines.TYPED_CONSENT.format(sentence=state.asked)))
        if state.is_waiting:
            return _alone(state, Quiet())
        if state.repeats < MOST_REPEATS and phrases.REPEAT.match(words_of(heard.text)) is not None:
            again = state.model_copy(update={"repeats": state.repeats + 1})
            return _alone(again, Say(lines.REPEAT.format(sentence=state.asked)), Listen())
        near = how_near(state.asked, heard.text)
        if near == "same":
            waiting = state.model_copy(update={"is_waiting": True})
            taking = TakeConsent(asked=state.asked, heard=heard.text)
            return _alone(waiting, Say(lines.MOMENT), taking)
        return _once_more(state, lines.ALMOST if near == "near" else lines.REPEAT, heard.chance)

    def told(self, state: Copying, news: News, heard: Heard) -> Step[Copying] | None:
        match news:
            case Consented(phrase) if phrase:
                asked = Copying(asked=phrase, is_fresh=False)
                return _alone(asked, Say(lines.PHRASE.format(sentence=phrase)), Listen())
            case Consented():
                return _alone(Copying(stage="capturing_audio"), Say(lines.READY), TakeSample())
            case Sampled():
                making = Copying(stage="cloning_voice", tries=state.tries)
                return _alone(making, Say(lines.THANK_YOU), MakeVoice())
            case TakesLong():
                return _alone(state, Say(lines.STILL))
            case VoiceIsOn():
                return Step(Copying(stage="active"), Say(lines.GOT_IT))
            case VoiceFailed(why):
                return self._failed(state, why, heard.chance)
            case VoiceDeleted():
                return Step(None, Quiet())

    def _failed(self, state: Copying, why: Why, chance: Random) -> Step[Copying]:
        """What the caller can do better is asked for again; the rest is an end."""
        if state.stage == "active":
            return Step(None, Say(lines.LOST))
        what = lines.BETTER.get(why)
        if what is None or state.tries + 1 >= MOST_TRIES:
            said = lines.WORSE.get(why, lines.BROKEN)
            if what is not None:
                said = f"{what} {lines.NOT_NOW}"
            return Step(Copying(stage="error"), Say(said), (GiveVoiceBack(),))
        if state.stage == "awaiting_voice_sample":
            return _once_more(state, f"{what} {lines.REPEAT}", chance)
        again = Copying(stage="capturing_audio", tries=state.tries + 1)
        return _alone(again, Say(f"{what} {lines.START}"), TakeSample())


def _ask(line: str, chance: Random, *, tries: int = 0) -> Step[Copying]:
    """For the consent, in words that are fresh each time."""
    sentence = fresh_sentence(chance)
    asked = Copying(asked=sentence, tries=tries)
    return _alone(asked, Say(line.format(sentence=sentence)), Listen())


def _once_more(state: Copying, line: str, chance: Random) -> Step[Copying]:
    tries = state.tries + 1
    if tries >= MOST_TRIES:
        return Step(None, Say(lines.LEFT_IT))
    if state.is_fresh:
        return _ask(line, chance, tries=tries)
    again = state.model_copy(update={"tries": tries, "is_waiting": False})
    return _alone(again, Say(line.format(sentence=state.asked)), Listen())


def _begins(heard: Heard) -> bool:
    """Whether it is asked for once more."""
    return phrases.BEGINNING.match(words_of(heard.text)) is not None


def _alone(state: Copying, reply: Reply, *wishes: VoiceWish) -> Step[Copying]:
    """What a caller says into a sample, or to their consent, is not for other skills."""
    return Step(state, reply, wishes, takes_all=True)


@ability(phrases=phrases.DELETE)
async def delete_my_voice(ports: Ports) -> str:
    """Delete the voice that was made of the caller's, wherever it is kept."""
    return lines.DELETED[await ports.voice.delete()]

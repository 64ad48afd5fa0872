"""A mode: a skill that takes the conversation over until it ends."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random, SystemRandom
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel

from skills.ability import Ability
from skills.effects import Effect
from skills.voice import News


@dataclass(frozen=True)
class Heard:
    """What a mode is told of a turn."""

    text: str
    """The caller's words as they were recognised, or typed."""
    now: datetime
    """In the caller's time zone."""
    slots: Mapping[str, Any] = field(default_factory=dict)
    """Of the trigger that began the mode, or what the model gave with it; empty afterwards."""
    has_model: bool = False
    """Whether a language model can answer."""
    speaks: frozenset[str] | None = None
    """The languages that June's voice speaks, by tag; None for any."""
    is_typed: bool = False
    """Whether the words were written, and nobody's voice was heard."""
    can_clone: bool = False
    """Whether this call can make a voice of the caller's."""
    chance: Random = field(default_factory=SystemRandom)
    """For what is chosen by chance."""
    turns_left: int | None = None
    """Turns after this one until the mode's cap; None without a cap."""


@dataclass(frozen=True)
class Say:
    """A reply in the mode's own words."""

    text: str
    language: str = ""
    """The tag of the language it is in, for the voice; empty for the call's."""


@dataclass(frozen=True)
class ByModel:
    """A reply that the language model writes. Only where there is one (`Heard.has_model`)."""

    instructions: str
    """For this reply, beside those of the mode."""
    language: str = ""
    """The tag of the language it will be in, for the voice; empty for the call's."""


@dataclass(frozen=True)
class AsUsual:
    """Whoever answers in this call does: the model, or the offline brain."""

    instructions: str = ""
    """For the model, beside those of the mode."""


@dataclass(frozen=True)
class Quiet:
    """Nothing is said: the caller has the word."""


Reply = Say | ByModel | AsUsual | Quiet

State = TypeVar("State", bound=BaseModel)


@dataclass(frozen=True)
class Step(Generic[State]):
    """What a turn does to a mode. Nothing of it happens before the turn is committed."""

    state: State | None
    """How the mode goes on; None ends it after the reply."""
    reply: Reply
    effects: tuple[Effect, ...] = ()
    takes_all: bool = False
    """Until the next step, phrases of other skills than its own mean nothing."""


class Mode(ABC, Generic[State]):
    """One object serves all calls, so it keeps nothing: what must last is in its state.

    `begin`, `step`, `told` and `interrupted` have no side effects: they may be asked several times
    about one turn, on words that still change. Whatever they take longer than a second for is given
    up.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    """When to begin it, for the model; one sentence."""
    triggers: ClassVar[tuple[str, ...]] = ()
    """Phrases that begin it, as `skills.phrases` reads them."""
    heard_as: ClassVar[tuple[str, ...]] = ()
    """What speech recognition really makes of the triggers."""
    slots: ClassVar[Mapping[str, Any]] = {}
    """The type of each `{slot}` in the triggers; `str` where nothing is said."""
    exits: ClassVar[tuple[str, ...]] = ()
    """Whole utterances that end it, beside the usual ones."""
    confirmation: ClassVar[str | None] = None
    """A question that must be answered with yes before the mode begins."""
    farewell: ClassVar[str | None] = None
    """What June says when the caller leaves it, instead of her own words."""
    when_over: ClassVar[tuple[Effect, ...]] = ()
    """Done when it is over, however it ends; after a crash when the call is resumed."""
    ends_with_call: ClassVar[bool] = False
    """Whether it is over with its call: a call that is resumed begins without it."""
    max_turns: ClassVar[int | None] = None
    """After so many steps it ends by itself."""
    version: ClassVar[int] = 1
    """Of the state's form. State of another version is given to `upgraded`."""
    takes_all: ClassVar[bool] = False
    """Whether phrases of other skills mean nothing inside: a translator translates them."""
    abilities: ClassVar[tuple[Ability, ...]] = ()
    """Tools that the model has in this mode only."""
    state: ClassVar[type[BaseModel]]
    """What is kept between turns. It must survive JSON."""

    @abstractmethod
    def begin(self, heard: Heard) -> Step[State]:
        """The first step. `heard.slots` is what the trigger held."""

    @abstractmethod
    def step(self, state: State, heard: Heard) -> Step[State]:
        """One turn inside the mode."""

    def told(self, state: State, news: News, heard: Heard) -> Step[State] | None:
        """What it had wanted done has come to an end; None changes nothing.

        That is no turn, so `heard` has no words.
        """
        return None

    def instructions(self, state: State) -> str:
        """For the model, as long as the mode lasts."""
        return ""

    def interrupted(self, state: State, said: str, heard: str) -> State:
        """The caller heard only so much of the last reply: the state to go on from."""
        return state

    def upgraded(self, version: int, state: Mapping[str, Any]) -> State | None:
        """State that another version kept; None cannot be used, and the mode is over."""
        return None


AnyMode = Mode[Any]

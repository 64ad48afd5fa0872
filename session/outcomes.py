"""What a turn comes to, when skills are asked about it. Values; `agent/` gives them a voice."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from session.records import SkillSession
from skills import Effect

BEGIN = "begin_"
"""What stands before a mode's name in the name of the tool that begins it."""

LEAVE = "leave_skill"
ANSWER = "answer_question"
"""Tools of June's own. A phrase uses tools as a model would: after the turn is committed."""


class Own(StrEnum):
    """What June says about skills in her own words."""

    LEFT = "skill_left"
    UNCLEAR = "skill_unclear"
    CANCELED = "skill_canceled"
    FAILED = "skill_failed"
    DONE = "skill_done"


@dataclass(frozen=True)
class Spoken:
    """Said as it is."""

    text: str
    language: str = ""
    """The tag of the language it is in; empty for the call's."""


@dataclass(frozen=True)
class Line:
    """One of June's own sentences."""

    which: Own


@dataclass(frozen=True)
class UseTool:
    """A phrase asked for it. It runs once the turn is committed."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Answered:
    """By the model, or by the offline brain."""

    instructions: str = ""
    """Further ones: those of the mode that has the floor."""
    language: str = ""


@dataclass(frozen=True)
class Nothing:
    """June is quiet: the caller has the word."""


Outcome = Spoken | Line | UseTool | Answered | Nothing


@dataclass(frozen=True)
class Taken:
    """What a turn comes to, and what it changes once it is committed."""

    outcome: Outcome
    skill: SkillSession | None
    """Which skill has the floor after it."""
    effects: tuple[Effect, ...] = ()
    by: str = ""
    """The skill whose effects they are."""


@dataclass(frozen=True)
class CallCan:
    """What a call can do for a skill."""

    has_model: bool
    speaks: frozenset[str] | None = None
    """The languages of June's voice, by tag; None for any."""
    language: str = "en"
    """Of the call, without its region."""
    clones: bool = False
    """Whether it can make a voice of the caller's."""

    @property
    def knows_phrases(self) -> bool:
        """Phrases are English; in another language the model chooses skills as tools."""
        return self.language == "en"

    @property
    def is_told_by_model(self) -> bool:
        """Whether the model says in the call's language what skills say in English."""
        return self.has_model and not self.knows_phrases

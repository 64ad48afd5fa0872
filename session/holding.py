"""Who has the floor, how it is left, and what a turn would come to."""

from dataclasses import dataclass

from session.outcomes import Line, Outcome, Own, Spoken, Taken
from session.records import SkillSession
from skills import AnyMode


@dataclass(frozen=True)
class Considered:
    """What a turn would come to, as it was seen at a moment."""

    before: SkillSession | None
    """Who had the floor then."""
    taken: Taken
    news: int
    """So many had come then."""

    @property
    def is_end(self) -> bool:
        """Whoever wants out gets out, whatever has come since."""
        return self.before is not None and self.taken.skill is None


def holder_of(skill: SkillSession | None) -> SkillSession | None:
    """The mode that has the floor, not one that is only being confirmed."""
    return skill.under if skill is not None and skill.stage == "confirming" else skill


def farewell_of(mode: AnyMode | None) -> Outcome:
    if mode is None or mode.farewell is None:
        return Line(Own.LEFT)
    return Spoken(mode.farewell)


def exits_of(mode: AnyMode) -> tuple[str, ...]:
    """Its own, and those by its name."""
    name = mode.name.replace("_", " ").replace("-", " ")
    return (*mode.exits, f"(exit|leave|stop|quit|end|disable|turn off) [the] {name} [mode|skill]")

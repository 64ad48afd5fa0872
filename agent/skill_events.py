"""What the caller's page is told of skills: which one was used, which one has the conversation."""

from agent.events import Event, EventType, Tell
from session import SkillSession
from session.holding import holder_of
from skills import Skill
from skills.registry import Registry


class SkillEvents:
    """Lives as long as one call."""

    def __init__(self, registry: Registry, tell: Tell) -> None:
        self._registry = registry
        self._tell = tell
        self._mode: str | None = None

    def used(self, skill: Skill) -> None:
        self._tell(Event(EventType.SKILL_USED, skill=skill.name))

    def show(self, skill: SkillSession | None) -> None:
        """Who has the floor now; one that is only being confirmed has it not yet."""
        holder = holder_of(skill)
        before, self._mode = self._mode, None if holder is None else holder.name
        if self._mode == before:
            return
        if before is not None:
            self._tell(Event(EventType.SKILL_ENDED, skill=self._skill_of(before)))
        if self._mode is not None:
            self._tell(Event(EventType.SKILL_BEGAN, skill=self._skill_of(self._mode)))

    @property
    def shown(self) -> str | None:
        """The skill that has the floor."""
        return None if self._mode is None else self._skill_of(self._mode)

    def _skill_of(self, mode: str) -> str:
        if mode not in self._registry.modes:
            return mode  # of a skill that June had in an earlier call
        return self._registry.skill_of(mode).name

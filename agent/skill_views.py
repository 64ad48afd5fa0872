"""Skills as programs see them: for `./june skills --json` and over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from skills import Ability, AnyMode, Skill


class AbilityView(BaseModel):
    name: str
    description: str
    arguments: Mapping[str, Any]
    """The properties of their JSON schema."""
    phrases: Sequence[str]


class ModeView(BaseModel):
    name: str
    description: str
    triggers: Sequence[str]
    exits: Sequence[str]
    confirmation: str | None
    """What is asked before it begins; None for nothing."""
    max_turns: int | None
    abilities: Sequence[AbilityView]
    """That the model has in it only."""


class SkillView(BaseModel):
    name: str
    help: str
    """As June says it."""
    file: str
    abilities: Sequence[AbilityView]
    modes: Sequence[ModeView]


def view_of(skill: Skill) -> SkillView:
    return SkillView(
        name=skill.name,
        help=skill.help,
        file=skill.file,
        abilities=[_of_ability(ability) for ability in skill.abilities],
        modes=[_of_mode(mode) for mode in skill.modes],
    )


def _of_mode(mode: AnyMode) -> ModeView:
    return ModeView(
        name=mode.name,
        description=mode.description,
        triggers=mode.triggers,
        exits=mode.exits,
        confirmation=mode.confirmation,
        max_turns=mode.max_turns,
        abilities=[_of_ability(ability) for ability in mode.abilities],
    )


def _of_ability(ability: Ability) -> AbilityView:
    return AbilityView(
        name=ability.name,
        description=ability.description,
        arguments=ability.arguments.model_json_schema().get("properties", {}),
        phrases=ability.phrases,
    )

"""The phrases of an ability or a mode, read and checked."""

import re
from collections.abc import Mapping
from typing import Any

from skills.ability import Ability
from skills.mode import AnyMode
from skills.phrases import Phrases
from skills.skill import Skill

Target = Ability | AnyMode
"""What a caller can ask for."""

_SLOT = re.compile(r"\{\s*(\w+)\s*\}")


def outer_of(skill: Skill) -> tuple[Target, ...]:
    """What a caller can ask for at any time."""
    return (*skill.abilities, *skill.modes)


def all_of(skill: Skill) -> tuple[Target, ...]:
    """With the abilities that the model has in one mode only."""
    inner = (ability for mode in skill.modes for ability in mode.abilities)
    return (*outer_of(skill), *inner)


_READ: dict[object, Phrases] = {}
"""Of each ability and mode, read once in a process: reading them all takes about a second."""


def phrases_of(target: Target) -> Phrases | None:
    """None where there are none: only the model uses it.

    Raises:
        ValueError: if one cannot be read, or leaves out what the ability needs.
    """
    patterns = target.phrases if isinstance(target, Ability) else target.triggers
    if not patterns:
        if target.heard_as:
            raise ValueError(f"`{target.name}` has `heard_as`, but no phrase that is heard so")
        return None
    written = target.function if isinstance(target, Ability) else type(target)
    if (read := _READ.get((written, patterns, target.heard_as))) is not None:
        return read
    slots = target.slots if isinstance(target, Ability) else slots_of_mode(target)
    if isinstance(target, Ability):
        _check_needed(target)
    try:
        read = Phrases(patterns, slots=slots, heard_as=target.heard_as)
    except ValueError as error:
        raise ValueError(f"`{target.name}`: {error}") from error
    return _READ.setdefault((written, patterns, target.heard_as), read)


def slots_of_mode(mode: AnyMode) -> Mapping[str, Any]:
    """The type of each slot of its triggers: what it may be begun with."""
    named = (name for phrase in (*mode.triggers, *mode.heard_as) for name in _SLOT.findall(phrase))
    return dict.fromkeys(named, str) | dict(mode.slots)


def _check_needed(ability: Ability) -> None:
    needed = {name for name, field in ability.arguments.model_fields.items() if field.is_required()}
    for phrase in (*ability.phrases, *ability.heard_as):
        if missing := sorted(needed - set(_SLOT.findall(phrase))):
            raise ValueError(
                f'the phrase "{phrase}" of `{ability.name}` does not give `{missing[0]}`, which '
                "has no default"
            )

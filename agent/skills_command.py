"""`./june skills`: what June can do, and by which phrases."""

import difflib
import json
from collections.abc import Sequence
from typing import Any

from agent.config import Config
from agent.errors import CannotStart
from agent.skills_found import skills_of
from skills import Ability, AnyMode, Skill
from skills.as_said import as_said
from skills.registry import Registry

PHRASES_LISTED = 3


def listed(config: Config, *, as_json: bool) -> str:
    """All that are enabled, each with some phrases."""
    registry = skills_of(config)
    if as_json:
        return json.dumps([_as_json(skill) for skill in registry.skills], indent=2)
    if not registry.skills:
        return "June has no skills: `[skills] enabled` is empty."
    width = max(len(skill.name) for skill in registry.skills)
    lines = []
    for skill in registry.skills:
        lines.append(f"{skill.name:{width}}  {skill.help}")
        said = [as_said(phrase) for phrase in _phrases(skill)[:PHRASES_LISTED]]
        lines += [f"{'':{width}}    “{phrase}”" for phrase in said]
    return "\n".join([*lines, "", "All about one: ./june skills NAME"])


def shown(config: Config, name: str, *, as_json: bool) -> str:
    """One skill, with all that is to be known of it."""
    registry = skills_of(config)
    skill = _skill(registry, name)
    if as_json:
        return json.dumps(_as_json(skill), indent=2)
    parts = [f"{skill.name}: {skill.help}\n{skill.file}"]
    parts += [_of_ability(ability) for ability in skill.abilities]
    parts += [_of_mode(mode) for mode in skill.modes]
    return "\n\n".join(parts)


def _skill(registry: Registry, name: str) -> Skill:
    """Raises `CannotStart`, with what may be meant."""
    by_name = {skill.name: skill for skill in registry.skills}
    if name in by_name:
        return by_name[name]
    close = difflib.get_close_matches(name, by_name, n=1)
    hint = f"run `./june skills {close[0]}`" if close else "run `./june skills` to see them all"
    raise CannotStart(f"no skill is called `{name}`\nhint: {hint}")


def _of_ability(ability: Ability) -> str:
    takes = ", ".join(ability.arguments.model_fields)
    return "\n".join(
        [f"{ability.name}({takes})", f"  {ability.description}", *_indented(ability.phrases)]
    )


def _of_mode(mode: AnyMode) -> str:
    lines = [f"{mode.name}, a mode", f"  {mode.description}", *_indented(mode.triggers)]
    if mode.confirmation is not None:
        lines.append(f"  asks first: “{mode.confirmation}”")
    if mode.max_turns is not None:
        lines.append(f"  ends after {mode.max_turns} turns")
    exits = [as_said(phrase) for phrase in mode.exits]
    lines.append(f"  is left by “stop”, “back to normal” and the like{_also(exits)}")
    return "\n".join(lines)


def _also(exits: Sequence[str]) -> str:
    return f", and by {', '.join(f'“{phrase}”' for phrase in exits)}" if exits else ""


def _indented(phrases: Sequence[str]) -> list[str]:
    return [f"    {phrase}" for phrase in phrases] or ["    (only a language model uses it)"]


def _phrases(skill: Skill) -> list[str]:
    """One of each ability and mode, and then the others."""
    targets: list[Sequence[str]] = [
        *(ability.phrases for ability in skill.abilities),
        *(mode.triggers for mode in skill.modes),
    ]
    first = [phrases[0] for phrases in targets if phrases]
    return [*first, *(phrase for phrases in targets for phrase in phrases[1:])]


def _as_json(skill: Skill) -> dict[str, Any]:
    return {
        "name": skill.name,
        "help": skill.help,
        "file": skill.file,
        "abilities": [
            {
                "name": ability.name,
                "description": ability.description,
                "arguments": ability.arguments.model_json_schema().get("properties", {}),
                "phrases": list(ability.phrases),
            }
            for ability in skill.abilities
        ],
        "modes": [
            {
                "name": mode.name,
                "description": mode.description,
                "triggers": list(mode.triggers),
                "exits": list(mode.exits),
                "confirmation": mode.confirmation,
                "max_turns": mode.max_turns,
            }
            for mode in skill.modes
        ],
    }

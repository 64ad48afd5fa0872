"""`./june skills`: what June can do, and by which phrases."""

import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

from agent.config import Config
from agent.errors import CannotStart
from agent.redact import printable
from agent.skill_views import view_of
from agent.skills_found import skills_of
from skills import Ability, AnyMode, Skill
from skills.as_said import as_said
from skills.registry import Registry
from skills.triggers import slots_of_mode

PHRASES_LISTED = 3

HOW_TO_READ = "[a] may be left out, (a|b) is one of them, {a} is the caller's own."


def listed(config: Config, *, as_json: bool) -> str:
    """All that are enabled, each with some phrases."""
    registry = _registry(config)
    if as_json:
        return json.dumps([view_of(skill).model_dump() for skill in registry.skills], indent=2)
    if not registry.skills:
        return "June has no skills: `[skills] enabled` is empty."
    width = max(len(skill.name) for skill in registry.skills)
    lines = []
    for skill in registry.skills:
        lines.append(f"{skill.name:{width}}  {skill.help}")
        lines += [f"{'':{width}}    “{phrase}”" for phrase in _examples(skill)]
    return "\n".join([*lines, "", "All about one: ./june skills NAME"])


def shown(config: Config, name: str, *, as_json: bool) -> str:
    """One skill, with all that is to be known of it."""
    registry = _registry(config)
    skill = _skill(registry, name)
    if as_json:
        return json.dumps(view_of(skill).model_dump(), indent=2)
    parts = [f"{skill.name}: {skill.help}\n{skill.file}"]
    parts += [_of_ability(ability) for ability in skill.abilities]
    parts += [_of_mode(mode) for mode in skill.modes]
    return "\n\n".join([*parts, HOW_TO_READ])


def _registry(config: Config) -> Registry:
    # What a skill prints while it is imported is no part of a list that programs read.
    with redirect_stdout(sys.stderr):
        return skills_of(config)


def _skill(registry: Registry, name: str) -> Skill:
    """Raises `CannotStart`, with what may be meant."""
    by_name = {skill.name: skill for skill in registry.skills}
    if name in by_name:
        return by_name[name]
    close = [f"`./june skills {one}`" for one in difflib.get_close_matches(name, by_name)]
    hint = f"run {' or '.join(close)}" if close else "run `./june skills` to see them all"
    raise CannotStart(f"no skill is called `{printable(name)}`\nhint: {hint}")


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
    tools = [f"  the model also has {one.name}: {one.description}" for one in mode.abilities]
    return "\n".join([*lines, *tools])


def _also(exits: Sequence[str]) -> str:
    return f", and by {', '.join(f'“{phrase}”' for phrase in exits)}" if exits else ""


def _indented(phrases: Sequence[str]) -> list[str]:
    return [f"    {phrase}" for phrase in phrases] or ["    (only a language model uses it)"]


def _examples(skill: Skill) -> list[str]:
    """As people say them: one of each ability and mode, and then the others."""
    targets: list[tuple[Sequence[str], Mapping[str, Any]]] = [
        *((ability.phrases, ability.slots) for ability in skill.abilities),
        *((mode.triggers, slots_of_mode(mode)) for mode in skill.modes),
    ]
    said = [[as_said(phrase, types) for phrase in phrases] for phrases, types in targets]
    first = [phrases[0] for phrases in said if phrases]
    others = [phrase for phrases in said for phrase in phrases[1:]]
    return list(dict.fromkeys([*first, *others]))[:PHRASES_LISTED]

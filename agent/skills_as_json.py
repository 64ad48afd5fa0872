"""A skill as programs read it."""

from typing import Any

from skills import Ability, Skill


def skill_as_json(skill: Skill) -> dict[str, Any]:
    return {
        "name": skill.name,
        "help": skill.help,
        "file": skill.file,
        "abilities": [_ability_as_json(ability) for ability in skill.abilities],
        "modes": [
            {
                "name": mode.name,
                "description": mode.description,
                "triggers": list(mode.triggers),
                "exits": list(mode.exits),
                "confirmation": mode.confirmation,
                "max_turns": mode.max_turns,
                "abilities": [_ability_as_json(ability) for ability in mode.abilities],
            }
            for mode in skill.modes
        ],
    }


def _ability_as_json(ability: Ability) -> dict[str, Any]:
    return {
        "name": ability.name,
        "description": ability.description,
        "arguments": ability.arguments.model_json_schema().get("properties", {}),
        "phrases": list(ability.phrases),
    }

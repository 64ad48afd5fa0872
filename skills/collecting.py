"""A skill made of a module: what is defined in it, checked as far as that needs no call."""

import inspect
import re
from collections.abc import Iterable
from types import ModuleType

from pydantic import BaseModel

from skills.ability import Ability
from skills.mode import AnyMode, Mode
from skills.skill import Skill
from skills.triggers import Target, all_of, outer_of, phrases_of

_SKILL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,40}")
_TOOL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
"""What every provider of models takes."""


def skill_of_module(module: ModuleType, name: str | None = None) -> Skill:
    """The abilities and modes that are defined in it, or in a submodule of it.

    Its name is the module's, unless `name` is given. One object is made of each mode. What is among
    the abilities of a mode is not the skill's own.

    Raises:
        ValueError, TypeError: if it is no skill; says what is wrong with it.
        BaseException: whatever a mode raises when it is made.
    """
    name = name or module.__name__.rpartition(".")[2]
    if not _SKILL_NAME.fullmatch(name):
        raise ValueError(
            f"`{name}` cannot be the name of a skill: it needs a letter, and then at most 40 "
            "letters, digits, `_` and `-`"
        )
    defined = list({id(value): value for value in vars(module).values()}.values())
    modes = tuple(_made(value) for value in defined if _is_mode_of(module, value))
    inner = {id(ability) for mode in modes for ability in mode.abilities}
    abilities = tuple(
        value
        for value in defined
        if isinstance(value, Ability)
        and _is_within(module, value.function.__module__)
        and id(value) not in inner
    )
    if not abilities and not modes:
        raise ValueError("has no ability and no mode")
    skill = Skill(
        name=name,
        file=getattr(module, "__file__", None) or "?",
        help=_help(module, [*abilities, *modes]),
        abilities=abilities,
        modes=modes,
    )
    for target in all_of(skill):
        if not _TOOL_NAME.fullmatch(target.name):
            raise ValueError(f"`{target.name}` cannot be the name of a tool")
    for target in outer_of(skill):
        phrases_of(target)
    return skill


def _is_mode_of(module: ModuleType, value: object) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, Mode)
        and not inspect.isabstract(value)
        and _is_within(module, value.__module__)
    )


def _is_within(module: ModuleType, name: str) -> bool:
    return name == module.__name__ or name.startswith(f"{module.__name__}.")


def _made(kind: type[AnyMode]) -> AnyMode:
    for needed in ("name", "description"):
        if not isinstance(getattr(kind, needed, None), str):
            raise TypeError(f"the mode `{kind.__name__}` needs a `{needed}`")
    state = getattr(kind, "state", None)
    if not (isinstance(state, type) and issubclass(state, BaseModel)):
        raise TypeError(f"the mode `{kind.__name__}` needs a `state`: a pydantic model")
    for several in ("triggers", "heard_as", "exits"):
        if isinstance(getattr(kind, several), str):
            raise TypeError(f"`{several}` of the mode `{kind.__name__}` must be a tuple")
    if not all(isinstance(ability, Ability) for ability in kind.abilities):
        raise TypeError(f"`abilities` of the mode `{kind.__name__}` holds what is no ability")
    return kind()


def _help(module: ModuleType, own: Iterable[Target]) -> str:
    said = getattr(module, "HELP", None)
    if said is None:
        return ", ".join(target.name.replace("_", " ") for target in own)
    if not isinstance(said, str):
        raise TypeError("`HELP` must be a text")
    return said

"""A skill: the abilities and the modes of one file, under one name."""

from dataclasses import dataclass

from skills.ability import Ability
from skills.mode import AnyMode


@dataclass(frozen=True)
class Skill:
    """Something June can do. Lives as long as its process."""

    name: str
    file: str
    """Where it is written, for the operator."""
    help: str
    """As June says it: "I can …"."""
    abilities: tuple[Ability, ...] = ()
    modes: tuple[AnyMode, ...] = ()

"""What June can do. Knows nothing of calls, rooms or sound devices."""

from skills.ability import Ability, ability
from skills.alarm import Alarm
from skills.effects import CancelAlarm, Effect, SetAlarm
from skills.errors import SkillConflict, SkillError
from skills.mode import AnyMode, ByModel, Heard, Mode, Reply, Say, Step
from skills.ports import Alarms, Memory, Ports
from skills.skill import Skill

__all__ = [
    "Ability",
    "Alarm",
    "Alarms",
    "AnyMode",
    "ByModel",
    "CancelAlarm",
    "Effect",
    "Heard",
    "Memory",
    "Mode",
    "Ports",
    "Reply",
    "Say",
    "SetAlarm",
    "Skill",
    "SkillConflict",
    "SkillError",
    "Step",
    "ability",
]

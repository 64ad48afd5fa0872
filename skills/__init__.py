"""What June can do. Knows nothing of calls, rooms or sound devices."""

from skills.ability import Ability, ability
from skills.alarm import Alarm
from skills.effects import CancelAlarm, Effect, SetAlarm
from skills.errors import SkillConflict, SkillError, VoiceTrouble
from skills.mode import AnyMode, AsUsual, ByModel, Heard, Mode, Quiet, Reply, Say, Step
from skills.ports import Alarms, Memory, Ports
from skills.skill import Skill
from skills.voice import News

__all__ = [
    "Ability",
    "Alarm",
    "Alarms",
    "AnyMode",
    "AsUsual",
    "ByModel",
    "CancelAlarm",
    "Effect",
    "Heard",
    "Memory",
    "Mode",
    "News",
    "Ports",
    "Quiet",
    "Reply",
    "Say",
    "SetAlarm",
    "Skill",
    "SkillConflict",
    "SkillError",
    "Step",
    "VoiceTrouble",
    "ability",
]

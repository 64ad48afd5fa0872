"""What a mode wants done. Values: they are carried out when the turn is committed, and once."""

from dataclasses import dataclass

from skills.alarm import Alarm
from skills.voice import VoiceWish


@dataclass(frozen=True)
class SetAlarm:
    alarm: Alarm


@dataclass(frozen=True)
class CancelAlarm:
    key: str


Effect = SetAlarm | CancelAlarm | VoiceWish

"""A user's alarms: things to be said at a time, in the call or at the next one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from typing import Protocol

import structlog

from skills import Alarm

log = structlog.get_logger(__name__)

KEPT_AS = "june/alarms"
"""Under which name they are kept, for all skills together: the next one is found at one look.

No skill can have it."""


class Keeps(Protocol):
    """What keeps texts by key."""

    async def put(self, key: str, text: str) -> None: ...

    async def all(self) -> Mapping[str, str]: ...

    async def take(self, key: str) -> str | None: ...


@dataclass(frozen=True)
class KeptAlarm:
    skill: str
    """Whose it is."""
    alarm: Alarm


class UserAlarms:
    """Lives as long as one call. Every method may raise what `memory` raises."""

    def __init__(self, memory: Keeps, zone: tzinfo) -> None:
        self._memory = memory
        self._zone = zone

    async def set(self, skill: str, alarm: Alarm) -> None:
        """Instead of one of the same skill and key."""
        kept = {
            "skill": skill,
            "key": alarm.key,
            "due": alarm.due_at.astimezone(UTC).isoformat(),
            "name": alarm.name,
            "text": alarm.text,
        }
        await self._memory.put(_key(skill, alarm.key), json.dumps(kept))

    async def all(self) -> list[KeptAlarm]:
        """The next one comes first; times are in the caller's zone."""
        alarms = [self._read(text) for text in (await self._memory.all()).values()]
        known = [one for one in alarms if one is not None]
        return sorted(known, key=lambda one: one.alarm.due_at.astimezone(UTC))

    def _read(self, text: str) -> KeptAlarm | None:
        try:
            kept = json.loads(text)
            due_at = datetime.fromisoformat(kept["due"]).astimezone(self._zone)
            alarm = Alarm(key=kept["key"], due_at=due_at, name=kept["name"], text=kept["text"])
            return KeptAlarm(kept["skill"], alarm)
        except (KeyError, TypeError, ValueError):
            log.warning("alarm.unreadable")  # one that is damaged silences no other
            return None

    async def take(self, skill: str, key: str) -> bool:
        """Delete it; False if it was not there."""
        return await self._memory.take(_key(skill, key)) is not None


def _key(skill: str, key: str) -> str:
    return blake2b(f"{skill}\0{key}".encode(), digest_size=16).hexdigest()

"""What June lends a skill. Skills see nothing else of her: no call, no room, no sound device."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from skills.alarm import Alarm
from skills.skill import Skill


class Memory(Protocol):
    """What one skill keeps of one user: texts by key. It outlives calls, processes and restarts.

    "Forget me" deletes it. Every method may raise `SkillError`: the store is away or full.
    """

    async def put(self, key: str, text: str) -> None:
        """Keep a text of at most 4,000 characters, instead of the one under this key."""
        ...

    async def all(self) -> Mapping[str, str]:
        """In the order of the keys."""
        ...

    async def take(self, key: str) -> str | None:
        """Delete it; of several who try at once one gets it."""
        ...


class Alarms(Protocol):
    """One user's alarms, those of this skill. Every method may raise `SkillError`."""

    async def set(self, alarm: Alarm) -> None: ...

    async def all(self) -> Sequence[Alarm]:
        """Those that have not rung; the next one comes first."""
        ...

    async def cancel(self, key: str) -> bool:
        """False if it has rung, or never was."""
        ...


class Ports(Protocol):
    """Lives as long as one use of an ability. An ability gets it by asking: `ports: Ports`."""

    @property
    def language(self) -> str:
        """The tag of the call's, such as `en`."""
        ...

    @property
    def skills(self) -> Sequence[Skill]:
        """All that June can do in this call."""
        ...

    @property
    def has_model(self) -> bool:
        """Whether a language model answers in this call."""
        ...

    @property
    def memory(self) -> Memory: ...

    @property
    def alarms(self) -> Alarms: ...

    def now(self) -> datetime:
        """In the caller's time zone."""
        ...

    async def say(self, text: str) -> None:
        """Say a sentence while the work goes on. Does not wait until it is heard."""
        ...

    async def ask(self, question: str) -> str:
        """Say a question; what the caller answers. The time they take does not count."""
        ...

    async def hang_up(self) -> None:
        """End the call once the reply has been heard."""
        ...

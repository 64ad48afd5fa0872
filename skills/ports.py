"""What June lends a skill. Skills see nothing else of her: no call, no room, no sound device."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from skills.alarm import Alarm
from skills.skill import Skill
from skills.sound import Sound


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


class Recorder(Protocol):
    """Keeps what the caller says, in memory, and only while it is wanted.

    Raises `VoiceTrouble` for what cannot be used.
    """

    def listen(self) -> None:
        """From now on; what was kept before is dropped."""
        ...

    async def said(self) -> Sound:
        """The speech since `listen`."""
        ...

    async def sample(self) -> Sound:
        """Speech from now on, as long as a voice is made of; waits for it."""
        ...

    def stop(self) -> None:
        """Keep nothing any more."""
        ...


class VoiceCloner(Protocol):
    """Makes a voice of the caller's, with their consent. Raises `VoiceTrouble`."""

    @property
    def phrases(self) -> Sequence[str]:
        """What the maker of voices demands to hear beside the consent, word for word."""
        ...

    async def consent(self, asked: str, heard: str, said: Sound) -> bool:
        """Keep a consent; True where this speaker's voice is there already, and may be put on."""
        ...

    async def phrase(self, said: Sound) -> None:
        """The next of `phrases`, by whoever consented."""
        ...

    async def make(self, sample: Sound) -> None:
        """It may be put on afterwards."""
        ...

    async def discard(self) -> None:
        """Delete what was begun in this call and not finished. Raises nothing."""
        ...


class Speaker(Protocol):
    """June's voice in this call."""

    def put_on(self) -> None:
        """Speak with the caller's. Raises `VoiceTrouble` without a consent of this call."""
        ...

    def take_off(self) -> None:
        """Speak with her own, from the next sentence on."""
        ...


class KeptVoice(Protocol):
    """The voice that was made of this user's, whichever call it was made in."""

    async def delete(self) -> Literal["nothing", "deleted", "going"]:
        """`going`: gone here, and its maker has not yet confirmed it. May raise `SkillError`."""
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

    @property
    def voice(self) -> KeptVoice: ...

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

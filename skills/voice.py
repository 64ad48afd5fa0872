"""A voice that lasts: what a mode may want done about the caller's, and what came of it.

Values. Wishes are carried out in their order, once the turn that has them is committed.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Listen:
    """Keep what the caller says from now on, in memory; what was kept before is dropped."""


@dataclass(frozen=True)
class TakeConsent:
    """What was said since `Listen` is a consent, in words that were checked. → `Consented`.

    Where the caller has a voice already, and it is they who spoke, it is put on. → `VoiceIsOn`.
    """

    asked: str
    heard: str


@dataclass(frozen=True)
class TakeSample:
    """Record some seconds of speech. → `Sampled`."""


@dataclass(frozen=True)
class MakeVoice:
    """Of the sample, and put it on. → `VoiceIsOn`."""


@dataclass(frozen=True)
class GiveVoiceBack:
    """June's own voice again, at once; nothing of a voice that was not finished stays."""


VoiceWish = Listen | TakeConsent | TakeSample | MakeVoice | GiveVoiceBack


class Why(StrEnum):
    """Why it came to nothing."""

    SILENT = "silent"
    TOO_SHORT = "too_short"
    TOO_QUIET = "too_quiet"
    CLIPPED = "clipped"
    NOISY = "noisy"
    WHISPERED = "whispered"
    NOT_SPEECH = "not_speech"
    SEVERAL_VOICES = "several_voices"
    ANOTHER_SPEAKER = "another_speaker"
    """The sample is not by who consented."""
    NO_CONSENT = "no_consent"
    """It is over, was withdrawn, or another call of this user has taken its place."""
    AWAY = "away"
    """Nothing can be kept: the store is away, or full."""
    FAILED = "failed"
    """Whoever makes voices could not, or took too long."""


@dataclass(frozen=True)
class Consented:
    phrase: str = ""
    """What the maker of voices demands to hear next; empty for nothing."""


@dataclass(frozen=True)
class Sampled:
    pass


@dataclass(frozen=True)
class TakesLong:
    """The voice is still being made."""


@dataclass(frozen=True)
class VoiceIsOn:
    """June speaks with the caller's voice."""


@dataclass(frozen=True)
class VoiceFailed:
    """June has her own voice, and nothing is under way."""

    why: Why


@dataclass(frozen=True)
class VoiceDeleted:
    """The caller, or whoever may, had it deleted."""


News = Consented | Sampled | TakesLong | VoiceIsOn | VoiceFailed | VoiceDeleted

"""Callers' voices as values: who consented to what, what was made of it, and that it is gone.

Times are Unix seconds. No record holds a sound.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import FiniteFloat

from session.records import Record
from session.signing import Signed

SCOPE = (
    "June may make a likeness of this caller's voice and speak with it to this caller, in their "
    "own calls, until the consent expires or they delete it."
)

WhyDeleted = Literal[
    "asked",
    "forgotten",
    "session deleted",
    "expired",
    "replaced",
    "unfinished",
    "refused",
]
"""Why a voice is deleted.

`replaced`: by a later consent. `unfinished`: it was begun and nobody kept it. `refused`: what is
kept of it is not as June wrote it.
"""

Kind = Literal["consent", "embedding", "clone", "provider copy", "manifest"]
"""What is removed with a voice."""


class Consent(Signed):
    """What a caller has said in a call, and to what."""

    purpose: ClassVar[str] = "consent"
    consent_id: str
    """32 random hex digits."""
    user: str
    """A keyed hash."""
    session_id: str
    call_id: str
    asked: str
    """The sentence that was to be said, with its fresh words."""
    heard: str
    """What June's ears made of what was said."""
    scope: str = SCOPE
    given_at: FiniteFloat
    expires_at: FiniteFloat
    audio_sha256: str
    """Hex, of the sound in which it was said, which no store keeps."""
    embedding: str
    """Of the speaker, in base64."""


class Clone(Signed):
    """A voice that was made of one that consented."""

    purpose: ClassVar[str] = "clone"
    name: str
    """Under which its maker knows it: `june-` and 16 hex digits."""
    consent_id: str
    cloner: str
    data: str
    """All that its maker needs to speak with it."""
    made_at: FiniteFloat


class Voice(Record):
    """What a user may be spoken to with."""

    consent: Consent
    clone: Clone | None


@dataclass(frozen=True)
class Utterance:
    """Something that was said with a caller's voice."""

    at: float
    """Kept in whole milliseconds."""
    consent_id: str
    sha256: str
    """Hex, of its sound."""


class Doomed(Record):
    """A clone that is deleted here and whose maker has not yet confirmed it. It says not whose."""

    name: str
    cloner: str
    why: WhyDeleted
    removed: tuple[Kind, ...]
    """What was removed here."""
    utterances: int = 0
    manifest_digest: str = ""
    tries: int = 0
    """How often its maker was asked in vain."""


class Receipt(Signed):
    """That a voice was deleted. Nothing in it leads to the caller, the consent or the clone."""

    purpose: ClassVar[str] = "receipt"
    receipt_id: str
    """32 hex digits."""
    at: FiniteFloat
    why: WhyDeleted
    removed: tuple[Kind, ...]
    utterances: int
    """How many the manifest listed."""
    manifest_digest: str
    """SHA-256 in hex of the manifest's texts, joined by newlines; empty where there was none."""
    verified: bool
    """Whether it was looked that nothing of it is left."""


class Deleted(Record):
    """What one deletion has done so far."""

    removed: tuple[Kind, ...]
    doomed: tuple[Doomed, ...] = ()
    """Their makers are to be asked now; if not, `overdue` gives them to whoever sweeps."""
    receipt: Receipt | None = None
    """Where no maker has anything of it."""


class CloneCount(Record):
    """How many one cloner has."""

    making: int = 0
    kept: int = 0
    doomed: int = 0

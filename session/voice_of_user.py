"""What is kept of one user's voice: a consent, and the clone that was made of it.

The consent has one place, so that a later one is instead of an earlier one at once; a clone lies
under the id of its consent, so that one which is late does no harm to a later consent's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog
from pydantic import ValidationError

from session.errors import TextTooLong
from session.memories import LONGEST_TEXT_CHARACTERS, UserMemory
from session.records import Record
from session.signing import Signing
from session.store.protocol import Memories
from session.voice_records import Clone, Consent, Voice

log = structlog.get_logger(__name__)

R = TypeVar("R", bound=Record)

SKILL = "june/voice"
"""No skill can have this name."""

CONSENT = "consent"


@dataclass(frozen=True)
class Found:
    """What is there, whether it is valid or not."""

    has_consent: bool
    consent: Consent | None
    """None where it cannot be read, too."""
    clones: Mapping[str, Clone | None]
    """By their places; None for what cannot be read."""

    @property
    def clone_names(self) -> tuple[str, ...]:
        return tuple(clone.name for clone in self.clones.values() if clone is not None)

    @property
    def consent_id(self) -> str | None:
        """Of the consent; without one, of what was made of it."""
        of_clones = [clone.consent_id for clone in self.clones.values() if clone is not None]
        if self.consent is not None:
            return self.consent.consent_id
        return of_clones[0] if of_clones else None


class VoiceOfUser:
    """Holds nothing itself. Every method may raise `StoreError`."""

    def __init__(
        self, memories: Memories, user: str, signing: Signing, now: Callable[[], float]
    ) -> None:
        """`user` is a keyed hash."""
        self._memory = UserMemory(memories, user, SKILL, now)
        self._user = user
        self._signing = signing
        self._now = now

    async def valid(self) -> Voice | None:
        """What this June has signed, for this user, and has not expired."""
        records = await self._memory.all()
        if CONSENT not in records:
            return None
        consent = _read(Consent, records[CONSENT])
        reason = self._wrong_with(consent)
        if consent is None or reason:
            log.warning("voice.refused", what="consent", reason=reason)
            return None
        return Voice(consent=consent, clone=self._clone_for(consent, records))

    async def found(self) -> Found:
        """Whatever there is to be deleted."""
        records = await self._memory.all()
        return Found(
            has_consent=CONSENT in records,
            consent=_read(Consent, records.get(CONSENT, "")),
            clones={key: _read(Clone, text) for key, text in records.items() if key != CONSENT},
        )

    async def keep_consent(self, consent: Consent) -> None:
        await self._memory.put(CONSENT, text_of(consent))

    async def keep_clone(self, clone: Clone) -> None:
        await self._memory.put(_place_of(clone.consent_id), text_of(clone))

    async def take_clone(self, consent_id: str, name: str) -> None:
        """Unless another one was made of this consent meanwhile."""
        text = (await self._memory.all()).get(_place_of(consent_id))
        clone = None if text is None else _read(Clone, text)
        if clone is None or clone.name == name:
            await self._memory.take(_place_of(consent_id))

    async def take_all(self, found: Found) -> None:
        """What was found, and nothing newer but a consent."""
        await self._memory.take(CONSENT)  # first: after it nothing is valid
        for place in found.clones:
            await self._memory.take(place)

    def _wrong_with(self, consent: Consent | None) -> str:
        if consent is None:
            return "unreadable"
        if not self._signing.holds(consent):
            return "signature"
        if consent.user != self._user:
            return "another user"
        return "" if self._now() < consent.expires_at else "expired"

    def _clone_for(self, consent: Consent, records: Mapping[str, str]) -> Clone | None:
        text = records.get(_place_of(consent.consent_id))
        if text is None:
            return None
        clone = _read(Clone, text)
        if clone is None:
            reason = "unreadable"
        elif not self._signing.holds(clone):
            reason = "signature"
        elif clone.consent_id != consent.consent_id:
            reason = "another consent"
        else:
            return clone
        log.warning("voice.refused", what="clone", reason=reason)
        return None


def text_of(record: Record) -> str:
    """As it is kept. Raises `TextTooLong`."""
    text = record.model_dump_json()
    if len(text) > LONGEST_TEXT_CHARACTERS:
        raise TextTooLong(type(record).__name__.lower(), LONGEST_TEXT_CHARACTERS)
    return text


def _read(record: type[R], text: str) -> R | None:
    try:
        return record.model_validate_json(text)
    except ValidationError:
        return None


def _place_of(consent_id: str) -> str:
    return f"clone {consent_id}"

"""Where everything of callers' voices is kept, and the two lists by which it is found again.

Of each consent and each clone there is an entry in a list of all machines *before* there is
anything else of it, and until everything else of it is gone: whoever dies in between leaves an
entry to the sweep.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import FiniteFloat

from session.fleet_list import FleetList
from session.manifest import Manifest
from session.receipts import Receipts
from session.records import Record
from session.signing import Signing
from session.store.protocol import Store
from session.store.retention import MOST_KEYS
from session.voice_of_user import VoiceOfUser
from session.voice_records import Doomed, Kind, WhyDeleted

GRACE_SECONDS = 180.0
"""So long nobody doubts an entry of which nothing else is there yet."""

KEEP_WITHIN_SECONDS = 120.0
"""A clone that is not made by then is not kept; a minute before the sweep may come for it."""

ROOM = MOST_KEYS - 10
"""In a part of a list, for what is new: a deletion must find room, also if many write at once."""


class Leaving(Record):
    """How a deletion was begun, so that whoever finishes it writes the same receipt."""

    why: WhyDeleted
    removed: tuple[Kind, ...]
    clones: tuple[str, ...]
    """Their names."""
    utterances: int
    manifest_digest: str


class ConsentEntry(Record):
    """That something of this consent may be kept of this user."""

    consent_id: str
    user: str
    listed_at: FiniteFloat
    expires_at: FiniteFloat
    leaving: Leaving | None = None
    """Set before the first of it is deleted."""


class CloneEntry(Record):
    """That its maker may have something under this name."""

    name: str
    cloner: str
    user: str
    consent_id: str
    state: Literal["making", "kept"]
    begun_at: FiniteFloat
    expires_at: FiniteFloat


@dataclass(frozen=True)
class VoicePlaces:
    """Holds nothing itself; `now` is in Unix seconds."""

    store: Store
    signing: Signing
    now: Callable[[], float]

    @property
    def consents(self) -> FleetList[ConsentEntry]:
        """By the consent's id."""
        return FleetList(self.store.memories, "june/consents", ConsentEntry, self.now)

    @property
    def clones(self) -> FleetList[CloneEntry]:
        """By the clone's name."""
        return FleetList(self.store.memories, "june/clones", CloneEntry, self.now)

    @property
    def doomed(self) -> FleetList[Doomed]:
        """By the clone's name. Apart from `clones`: no late writer there undoes a deletion."""
        return FleetList(self.store.memories, "june/doomed", Doomed, self.now)

    @property
    def receipts(self) -> Receipts:
        return Receipts(self.store.memories, self.signing, self.now)

    def voice_of(self, user: str) -> VoiceOfUser:
        return VoiceOfUser(self.store.memories, user, self.signing, self.now)

    def manifest_of(self, user: str) -> Manifest:
        return Manifest(self.store.memories, user, self.signing, self.now)

    async def wipe(self) -> None:
        """What was deleted stands in SQLite's journal until this; no session is removed."""
        await self.store.sessions.purge(seen_before=0.0, now=self.now())

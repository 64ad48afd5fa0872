"""What the provider keeps of its customers' voices, for a test to look through."""

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from bench.provider.refusals import Refusal, Refused

Kind = Literal["consent", "voice"]

MOST_VOICES = 20
"""Of one organisation: https://developers.openai.com/api/docs/guides/custom-voices."""

PAGE, LARGEST_PAGE = 20, 100
OBJECTS: dict[Kind, str] = {"consent": "audio.voice_consent", "voice": "audio.voice"}
PREFIXES: dict[Kind, str] = {"consent": "cons", "voice": "voice"}


@dataclass
class Kept:
    """One consent, or one voice."""

    id: str
    kind: Kind
    name: str
    sha256: str
    """Of the file that was uploaded."""
    file: bytes = field(repr=False)
    language: str
    """Of a consent."""
    consent: str
    """By which a voice was made: its id."""
    created_at: int = field(default_factory=lambda: int(time.time()))

    @property
    def described(self) -> dict[str, Any]:
        only = {"language": self.language} if self.kind == "consent" else {"type": "audio_sample"}
        head = {"id": self.id, "object": OBJECTS[self.kind], "name": self.name}
        return {**head, "created_at": self.created_at, **only}


class Shelf:
    """Lives as long as the provider."""

    def __init__(self) -> None:
        self.kept: list[Kept] = []
        """Oldest first."""
        self._numbers = itertools.count(1)

    def add(self, kind: Kind, fields: Mapping[str, str], file: bytes) -> Kept:
        """Raise `Refused` for one voice too many."""
        if kind == "voice" and len(self._of("voice")) >= MOST_VOICES:
            full = f"Your organization has {MOST_VOICES} voices, which is the limit."
            raise Refused(Refusal.bad_request(full))
        kept = Kept(
            f"{PREFIXES[kind]}_{next(self._numbers):04}",
            kind,
            fields["name"],
            sha256(file).hexdigest(),
            file,
            fields.get("language", ""),
            fields.get("consent", ""),
        )
        self.kept.append(kept)
        return kept

    def one(self, kind: Kind, id_: str) -> Kept:
        """Raise `Refused` for what is not there."""
        for kept in self._of(kind):
            if kept.id == id_:
                return kept
        raise Refused(Refusal(404, f"No {kind} found with id '{id_}'."))

    def page(self, kind: Kind, query: Mapping[str, str]) -> dict[str, Any]:
        """Newest first, as OpenAI's other lists are; the cursor is the last one of a page."""
        limit = int(query.get("limit", PAGE))
        if not 1 <= limit <= LARGEST_PAGE:
            raise Refused(Refusal.bad_request(f"At most {LARGEST_PAGE}.", param="limit"))
        found = self._of(kind)[::-1]
        if after := query.get("after"):
            found = found[found.index(self.one(kind, after)) + 1 :]
        page = [kept.described for kept in found[:limit]]
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
        return {"object": "list", "data": page, "has_more": len(found) > limit, **ends}

    def _of(self, kind: Kind) -> list[Kept]:
        return [kept for kept in self.kept if kept.kind == kind]

"""Records that June signs: what was changed in the store, or comes from another June, is not hers.

HMAC-SHA256 (RFC 2104) over the canonical JSON of all other fields. Each purpose has a key of its
own, derived from June's by the same function: a signature of one kind of record says nothing of
another.
"""

import hmac
import json
from typing import ClassVar, TypeVar

from session.records import Record

S = TypeVar("S", bound="Signed")


class Signed(Record):
    """Its fields, with their defaults, are what is signed: a new one needs a new purpose."""

    purpose: ClassVar[str]
    signature: str = ""
    """64 hex digits; empty until it is signed."""


class Signing:
    """Holds June's key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, record: S) -> S:
        """A copy with its signature."""
        return record.model_copy(update={"signature": self._signature(record)})

    def holds(self, record: Signed) -> bool:
        """Whether this June has signed it as it is. A wrong one takes as long as a right one."""
        # As bytes: of text that is not ASCII the comparison would raise.
        return hmac.compare_digest(record.signature.encode(), self._signature(record).encode())

    def name_for(self, subject: str) -> str:
        """32 hex digits, always the same, from which nobody without the key gets the subject."""
        return self._digest("name", subject)[:32]

    def _signature(self, record: Signed) -> str:
        fields = record.model_dump(mode="json", exclude={"signature"})
        return self._digest(
            record.purpose, json.dumps(fields, sort_keys=True, separators=(",", ":"))
        )

    def _digest(self, purpose: str, text: str) -> str:
        key = hmac.digest(self._key, f"june/signing/{purpose}".encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()

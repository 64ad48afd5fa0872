"""What a dispatch may tell June about the call: the job's metadata, as JSON.

    {"identity": "alice", "user": "crm-4711", "language": "en", "persona": "You are Ada, …",
     "time_zone": "Europe/Berlin"}

All fields are optional. Whatever cannot be read is logged and never costs the call.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import structlog

from agent.settings import LANGUAGE_TAG
from agent.zones import is_zone

log = structlog.get_logger(__name__)

LONGEST_CHARACTERS = 16_384
"""June's own fields need a few hundred bytes; LiveKit would carry half a megabyte."""

LONGEST_FIELD = 256
LONGEST_PERSONA = 8_000


@dataclass(frozen=True)
class CallMetadata:
    """Lives as long as one call."""

    identity: str | None = None
    """The one participant whom June listens to; otherwise the first who joins."""
    user: str | None = None
    """Whom limits and memory belong to; otherwise the participant's identity."""
    language: str | None = None
    persona: str | None = None
    """Who June is in this call, in words for the language model."""
    time_zone: str | None = None
    """The caller's, such as `Europe/Berlin`."""


KNOWN = ("identity", "user", "language", "persona", "time_zone")


def metadata_text(fields: Mapping[str, Any]) -> str:
    """As June reads it; nothing for no fields."""
    text = json.dumps(fields, ensure_ascii=False) if fields else ""
    return text.encode(errors="replace").decode()  # half a letter could not be sent


def read_metadata(raw: str) -> CallMetadata:
    """The known, well-formed fields; the rest is named in the log, without its value."""
    if not raw:
        return CallMetadata()
    if len(raw) > LONGEST_CHARACTERS:
        log.warning(
            "metadata.ignored", why="too long", characters=len(raw), limit=LONGEST_CHARACTERS
        )
        return CallMetadata()
    try:
        fields: Any = json.loads(raw)
    except (ValueError, RecursionError):
        log.warning("metadata.ignored", why="not JSON", characters=len(raw))
        return CallMetadata()
    if not isinstance(fields, dict):
        log.warning("metadata.ignored", why="not a JSON object", characters=len(raw))
        return CallMetadata()
    unknown = sorted(str(name)[:40] for name in fields if name not in KNOWN)
    if unknown:
        log.warning("metadata.unknown_fields_ignored", fields=unknown[:10], known=list(KNOWN))
    return CallMetadata(**{name: _text(name, fields.get(name)) for name in KNOWN})


@lru_cache(maxsize=1024)
def identity_in(raw: str) -> str | None:
    """Whom June listens to by it; what is wrong is logged once, however often it is read."""
    return read_metadata(raw).identity


def _text(name: str, value: Any) -> str | None:
    if value is None:
        return None
    longest = LONGEST_PERSONA if name == "persona" else LONGEST_FIELD
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        log.warning("metadata.field_ignored", field=name, expected="a short text")
        return None
    if name == "language" and not re.fullmatch(LANGUAGE_TAG, value):
        log.warning("metadata.field_ignored", field=name, expected="a language tag such as `en`")
        return None
    if name == "time_zone" and not is_zone(value):
        log.warning("metadata.field_ignored", field=name, expected="a zone such as `Europe/Berlin`")
        return None
    return value

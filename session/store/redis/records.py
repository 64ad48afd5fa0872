"""Sessions as the fields of a Redis hash, and back; other records are kept as JSON.

Every time is kept as the text that reads as exactly the same number.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from session.errors import StoreError
from session.records import Record, Session, SkillSession

R = TypeVar("R", bound=Record)


def time_text(seconds: float) -> str:
    return repr(float(seconds))


def fields_of(session: Session) -> Iterator[str]:
    """Names and values in turn; what is None has no field."""
    for name, value in session:
        match value:
            case None:
                continue
            case float():
                text = time_text(value)
            case SkillSession():
                text = value.model_dump_json()
            case _:
                text = str(value)
        yield from (name, text)


def session_of(fields: Sequence[str]) -> Session | None:
    """From names and values in turn; None from none. Raises `StoreError`."""
    if not fields:
        return None
    kept: dict[str, Any] = dict(zip(fields[::2], fields[1::2], strict=True))
    try:
        if "skill" in kept:
            kept["skill"] = SkillSession.model_validate_json(kept["skill"])
        return Session.model_validate(kept)
    except ValidationError as error:
        raise _unreadable(error) from error


def sessions_of(found: Sequence[Sequence[str]]) -> tuple[Session, ...]:
    """Raises `StoreError`."""
    sessions = (session_of(fields) for fields in found)
    return tuple(session for session in sessions if session is not None)


def read(record: type[R], texts: Sequence[str]) -> tuple[R, ...]:
    """Raises `StoreError`."""
    try:
        return tuple(record.model_validate_json(text) for text in texts)
    except ValidationError as error:
        raise _unreadable(error) from error


def _unreadable(error: ValidationError) -> StoreError:
    return StoreError(f"the store holds a {error.title} that cannot be read", retryable=False)

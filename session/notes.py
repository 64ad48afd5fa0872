"""What a call and a worker note beside their lease, for the operator: numbers and short names.

Never what was said, nor by whom.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from session.storable import storable

LONGEST_CHARACTERS = 500
LONGEST_NAME_CHARACTERS = 64

State = Literal["starting", "listening", "thinking", "speaking", "idle"]


def short(note: str) -> str:
    """As stores keep it; one that is too long is none."""
    return storable(note) if len(note) <= LONGEST_CHARACTERS else ""


class Note(BaseModel):
    # One that a newer June wrote is read as well as it can be.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @property
    def text(self) -> str:
        return self.model_dump_json(exclude_none=True)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for what is not one, as before the first was written."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return None


class CallNote(Note):
    """How a call is just now. Times are Unix seconds."""

    state: State
    since: FiniteFloat
    """Of this state."""
    began_at: FiniteFloat
    session_id: str | None = None
    """None until the call has found it."""
    skill: str | None = None
    """Which has the conversation."""


class WorkerNote(Note):
    """How a worker is just now."""

    host: str
    calls: int
    max_calls: int
    is_draining: bool
    since: FiniteFloat
    """When it began, in Unix seconds."""

"""Kinds of values that requests hold, with the rule that their description tells."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from agent.metadata import LONGEST_FIELD, LONGEST_PERSONA
from agent.settings import LANGUAGE_TAG
from session.breaker import LONGEST_NAME_CHARACTERS

NO_CONTROL = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
"""What drives a terminal, or begins a line of its own, is no part of a name."""

LONGEST_NAME_BYTES = 256
"""LiveKit takes no longer identities and names, and counts them so."""


class Body(BaseModel):
    """Of a request, or its query. An unknown field is an error: it may be a known one mistyped."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


def _fits(name: str) -> str:
    if len(name.encode()) > LONGEST_NAME_BYTES:
        raise ValueError(f"must have at most {LONGEST_NAME_BYTES} bytes in UTF-8")
    return name


def _not_blank(name: str) -> str:
    if not name.strip():
        raise ValueError("must not be blank")
    return name


Name = Annotated[
    str,
    StringConstraints(max_length=LONGEST_NAME_BYTES, pattern=NO_CONTROL),
    AfterValidator(_fits),
]
Identity = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_NAME_BYTES, pattern=NO_CONTROL),
    AfterValidator(_fits),
    AfterValidator(_not_blank),
]
RoomName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, pattern=NO_CONTROL),
    AfterValidator(_fits),
    AfterValidator(_not_blank),
]
Kept = Annotated[str, StringConstraints(min_length=1, max_length=1_024)]
"""A user, a room or a session to look for, under whatever name they once had."""

Persona = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_PERSONA)]
LanguageTag = Annotated[
    str, StringConstraints(pattern=f"^{LANGUAGE_TAG}$", min_length=2, max_length=LONGEST_FIELD)
]
Circuit = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_NAME_CHARACTERS, pattern=NO_CONTROL),
]

"""Kinds of values that requests hold, with the rule that their description tells."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from agent.settings import LANGUAGE_TAG

NO_CONTROL = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"


class Body(BaseModel):
    """Of a request. An unknown field is an error: it may be a known one with a typing error."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


def _encodable(value: object) -> object:
    """What UTF-8 cannot hold is no text. Raises `ValueError`."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("is no text") from None
    return value


Identity = Annotated[
    str,
    BeforeValidator(_encodable),
    StringConstraints(min_length=1, max_length=256, pattern=NO_CONTROL),
]
Name = Annotated[
    str, BeforeValidator(_encodable), StringConstraints(max_length=256, pattern=NO_CONTROL)
]
RoomName = Annotated[
    str,
    BeforeValidator(_encodable),
    StringConstraints(min_length=1, max_length=128, pattern=NO_CONTROL),
]
Persona = Annotated[str, BeforeValidator(_encodable), Field(min_length=1, max_length=8_000)]
LanguageTag = Annotated[
    str, StringConstraints(pattern=f"^{LANGUAGE_TAG}$", min_length=2, max_length=40)
]
Circuit = Annotated[
    str,
    BeforeValidator(_encodable),
    StringConstraints(min_length=1, max_length=300, pattern=NO_CONTROL),
]
SessionId = Annotated[
    str,
    BeforeValidator(_encodable),
    StringConstraints(min_length=1, max_length=100, pattern=NO_CONTROL),
]

"""What settings are made of: tables, and kinds of values with the rule that an error tells."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from agent.zones import is_zone


class Section(BaseModel):
    """A table of `agent.toml`. Read once, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


LANGUAGE_TAG = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"

Name = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        json_schema_extra={"rule": "1 to 64 letters, digits, `_`, `.` or `-`"},
    ),
]
Language = Annotated[
    str,
    Field(
        pattern=f"^{LANGUAGE_TAG}$",
        json_schema_extra={"rule": "a language tag such as `en` or `pt-BR`"},
    ),
]
SkillName = Annotated[
    str,
    Field(
        pattern=r"^(\*|[A-Za-z][A-Za-z0-9_-]{0,40})$",
        json_schema_extra={"rule": "the name of a skill, or `*`"},
    ),
]


def _zone(name: str) -> str:
    if name and not is_zone(name):
        raise ValueError
    return name


TimeZone = Annotated[
    str,
    Field(json_schema_extra={"rule": "a time zone such as `Europe/Berlin`, or empty"}),
    AfterValidator(_zone),
]
Folder = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f]*$", json_schema_extra={"rule": "the path of a folder, or empty"}),
]
Words = Annotated[
    str, Field(max_length=8_000, json_schema_extra={"rule": "text of at most 8,000 characters"})
]


def _not_junes_own(variable: str) -> str:
    if variable.upper().startswith(("JUNE_", "LIVEKIT_")):
        raise ValueError
    return variable


KeyVariable = Annotated[
    str,
    Field(
        "",
        pattern=r"^([A-Za-z_][A-Za-z0-9_]{0,127})?$",
        description="The variable with the key; empty for OPENAI_API_KEY at OpenAI, else for none",
        json_schema_extra={
            "rule": "the name of an environment variable, and none of June's or LiveKit's, or empty"
        },
    ),
    AfterValidator(_not_junes_own),
]


def has_host_and_port(url: str) -> str:
    """The URL itself, or empty. Raises `ValueError` where it names no host, or no real port."""
    if url and not urlsplit(url).hostname:
        raise ValueError
    if url and urlsplit(url).port == 0:  # it raises by itself for what is no port at all
        raise ValueError
    return url


BaseUrl = Annotated[
    str,
    Field(
        "",
        pattern=r"^(|https?://[^\s/?#@]+(/[^\s?#]*)?)$",
        description="Another server that speaks OpenAI's protocol; empty for OpenAI itself",
        json_schema_extra={"rule": "an address such as `http://127.0.0.1:8000/v1`, or empty"},
    ),
    AfterValidator(has_host_and_port),
]
Host = Annotated[
    str,
    Field(
        pattern=r"^([A-Za-z0-9][A-Za-z0-9.-]{0,252}|[0-9a-fA-F:]{2,39})$",
        json_schema_extra={"rule": "the name or address of a network interface, such as `0.0.0.0`"},
    ),
]
Origin = Annotated[
    str,
    Field(
        pattern=r"^https?://[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?$",
        json_schema_extra={"rule": "the address of a web site such as `https://example.org`"},
    ),
]
UserRule = Annotated[
    str,
    Field(
        pattern=r"^(identity|sip|attribute:[^\x00-\x20]{1,100})$",
        json_schema_extra={"rule": "`identity`, `sip`, or `attribute:` and a name"},
    ),
]
WebhookUrl = Annotated[
    str,
    Field(
        pattern=r"^(|https?://[^\s\x00-\x1f/?#@]+([/?][^\s\x00-\x1f#]*)?)$",
        json_schema_extra={"rule": "an address such as `https://example.org/alerts`, or empty"},
    ),
    AfterValidator(has_host_and_port),
]
Model = Annotated[
    str,
    Field(
        pattern=r"^[^\s\x00-\x1f]{1,200}$",
        json_schema_extra={"rule": "the name of a model, without blanks"},
    ),
]
Provider = Annotated[
    Literal["", "openai", "local"],
    Field(
        "",
        description="`openai` or `local`; empty for `openai` with a `base_url`, else the profile's",
        json_schema_extra={"rule": "`openai`, `local`, or empty"},
    ),
]

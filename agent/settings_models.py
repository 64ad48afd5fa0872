"""The settings of the three stages: what hears, what thinks, what speaks."""

from typing import Annotated, Literal, TypeVar

from pydantic import Discriminator, Field, Tag

from agent.settings_types import (
    LANGUAGE_TAG,
    BaseUrl,
    KeyVariable,
    Language,
    Model,
    Provider,
    Section,
)

OPENAI_URL = "https://api.openai.com/v1"
OPENAI_KEY = "OPENAI_API_KEY"
"""Decides the profile `auto`."""


MOST_FALLBACKS = 4
ITEM_OF_FALLBACK = (
    '`"local"` or a table such as `{base_url = "http://127.0.0.1:8000/v1", model = "my-model"}`'
)
"""The rule of one item, in words."""


class Server(Section):
    """What ears, mind and voice have in common, wherever they are asked."""

    base_url: BaseUrl = ""
    key_variable: KeyVariable = ""

    @property
    def url(self) -> str:
        """Where the protocol is spoken, without a slash at its end."""
        return self.base_url.rstrip("/") or OPENAI_URL

    @property
    def variable_of_key(self) -> str | None:
        """OpenAI's key is for OpenAI: another server gets one only by its name."""
        return self.key_variable or (OPENAI_KEY if self.url == OPENAI_URL else None)


A = TypeVar("A", bound=Server)


def _kind(item: object) -> str:
    """Names what a wrong item was meant to be: its errors are told by the rules of that only."""
    return "word" if isinstance(item, str) else "table"


Fallback = Annotated[
    list[
        Annotated[
            Annotated[Literal["local"], Tag("word")] | Annotated[A, Tag("table")],
            Discriminator(_kind),
        ]
    ],
    Field(
        max_length=MOST_FALLBACKS,
        description="Who is asked where it fails: `local`, where installed, or other servers",
        json_schema_extra={
            "rule": f'a list of at most {MOST_FALLBACKS} items, each `"local"` or a table '
            'such as `{base_url = "http://127.0.0.1:8000/v1", model = "llama"}`'
        },
    ),
]
"""In this order. A table has the keys of its section, and the section's defaults."""


class SttModel(Server):
    model: Annotated[
        str,
        Field(
            pattern=r"^[^\s\x00-\x1f]{0,200}$",
            json_schema_extra={"rule": "the name of a model, without blanks, or empty"},
        ),
    ] = Field("", description="What hears; empty for `gpt-live-transcribe` or `gpt-transcribe`")
    language: Annotated[
        str,
        Field(
            pattern=f"^({LANGUAGE_TAG})?$",
            json_schema_extra={"rule": "a language tag such as `en` or `pt-BR`, or empty"},
        ),
    ] = Field("", description="The language to expect; empty for the call's")
    realtime: bool = Field(
        default=True,
        description="Words while the caller speaks; `false` for a server without realtime",
        json_schema_extra={"rule": "`true` or `false`"},
    )

    @property
    def model_in_use(self) -> str:
        return self.model or ("gpt-live-transcribe" if self.realtime else "gpt-transcribe")


class SttSettings(SttModel):
    provider: Provider = ""
    fallback: Fallback[SttModel] = Field(["local"])


class LlmModel(Server):
    model: Model = Field("gpt-6-luna", description="What thinks, where it is `openai`")
    temperature: Annotated[float, Field(ge=0, le=2)] | Literal[""] = Field(
        "",
        description="How freely it chooses words, 0 to 2; empty for the model's own",
        json_schema_extra={"rule": "a number from 0 to 2, or empty"},
    )
    max_output_tokens: int = Field(
        200,
        ge=16,
        le=16_000,
        description="The longest answer; one to three sentences are asked for",
    )

    @property
    def model_in_use(self) -> str:
        return self.model


class LlmSettings(LlmModel):
    provider: Provider = ""
    fallback: Fallback[LlmModel] = Field([])


class TtsModel(Server):
    model: Model = Field("gpt-4o-mini-tts", description="What speaks, where it is `openai`")
    voice: Model = Field(
        "marin",
        description="Its voice",
        json_schema_extra={"rule": "the name of a voice, without blanks"},
    )
    voices: dict[Language, Model] = Field(
        {},
        description='Its voices for other languages by tag, such as {fr = "ff_siwis"}',
        json_schema_extra={"rule": 'a table of voices by language tag, `{fr = "ff_siwis"}`'},
    )

    @property
    def model_in_use(self) -> str:
        return self.model


class TtsSettings(TtsModel):
    provider: Provider = ""
    fallback: Fallback[TtsModel] = Field(["local"])

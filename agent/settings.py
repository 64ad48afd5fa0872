"""Every setting of June with its default, its rule and its reason; secrets are not among them."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A table of `agent.toml`. Read once, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


OPENAI_URL = "https://api.openai.com/v1"
OPENAI_KEY = "OPENAI_API_KEY"
"""Decides the profile `auto`."""

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
Folder = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f]*$", json_schema_extra={"rule": "the path of a folder, or empty"}),
]
StoreUrl = Annotated[
    str,
    Field(
        pattern=r"^(|sqlite:[^\x00-\x1f]+|memory:)$",
        json_schema_extra={"rule": "`sqlite:PATH`, `memory:`, or empty"},
    ),
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


def _has_host_and_port(url: str) -> str:
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
    AfterValidator(_has_host_and_port),
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


class AgentSettings(Section):
    name: Name = Field("june", description="LiveKit dispatches calls to June by this name")
    language: Language = Field("en", description="What June speaks unless a call says otherwise")
    persona: Words = Field(
        "You are June, an AI assistant who answers calls.",
        description="Who June is, in words for the language model",
    )
    instructions: Words = Field(
        "", description="What June should know or do, in words for the language model"
    )


class ModelSettings(Section):
    profile: Literal["auto", "openai", "local"] = Field(
        "auto", description="`auto` is `openai` where OPENAI_API_KEY is set, else `local`"
    )


class StageSettings(Section):
    """What ears, mind and voice have in common."""

    provider: Provider = ""
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


class SttSettings(StageSettings):
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


class LlmSettings(StageSettings):
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


class TtsSettings(StageSettings):
    model: Model = Field("gpt-4o-mini-tts", description="What speaks, where it is `openai`")
    voice: Model = Field(
        "marin",
        description="Its voice",
        json_schema_extra={"rule": "the name of a voice, without blanks"},
    )

    @property
    def model_in_use(self) -> str:
        return self.model


class WorkerSettings(Section):
    max_calls: int = Field(
        4, ge=1, le=200, description="Calls at once; one more is offered to another worker"
    )
    idle_processes: int = Field(
        1, ge=0, le=16, description="Processes kept warm, so that a call is answered at once"
    )
    drain_seconds: int = Field(
        600, ge=0, le=86_400, description="How long running calls may go on after SIGTERM"
    )
    health_port: int = Field(
        0, ge=0, le=65_535, description="Where LiveKit's health answer is on loopback; 0 for any"
    )


class CallSettings(Section):
    wait_for_caller_seconds: int = Field(
        120, ge=1, le=3_600, description="How long June waits in a room that nobody has joined"
    )
    grace_seconds: int = Field(
        30, ge=0, le=600, description="How long a caller whose network dropped may take to return"
    )
    idle_seconds: int = Field(
        15,
        ge=0,
        le=600,
        description="Silence after which June asks, and as much again before her goodbye; 0 never",
    )
    max_minutes: int = Field(
        60, ge=1, le=1_440, description="The longest call; June then says goodbye"
    )


class LimitSettings(Section):
    max_input_characters: int = Field(
        2_000, ge=1, le=100_000, description="Longer input is answered with a sentence, not a model"
    )


class DataSettings(Section):
    dir: Folder = Field(
        "", description="June's folder; empty for $XDG_DATA_HOME/june or ~/.local/share/june"
    )


class StoreSettings(Section):
    url: StoreUrl = Field(
        "", description="Where sessions are kept; empty for a SQLite file in June's folder"
    )


class LogSettings(Section):
    format: Literal["auto", "pretty", "json"] = Field(
        "auto", description="`auto` is pretty on a terminal and JSON elsewhere"
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least that is logged"
    )


class Settings(Section):
    """What `agent.toml` and the environment may say. An empty one is valid."""

    agent: AgentSettings = AgentSettings()
    models: ModelSettings = ModelSettings()
    stt: SttSettings = SttSettings()
    llm: LlmSettings = LlmSettings()
    tts: TtsSettings = TtsSettings()
    worker: WorkerSettings = WorkerSettings()
    call: CallSettings = CallSettings()
    limits: LimitSettings = LimitSettings()
    data: DataSettings = DataSettings()
    store: StoreSettings = StoreSettings()
    logs: LogSettings = LogSettings()

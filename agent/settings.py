"""Every setting of June with its default, its rule and its reason; secrets are not among them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A table of `agent.toml`. Read once, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
        pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
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


class AgentSettings(Section):
    name: Name = Field("june", description="LiveKit dispatches calls to June by this name")
    language: Language = Field("en", description="What June speaks unless a call says otherwise")


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


class CallSettings(Section):
    wait_for_caller_seconds: int = Field(
        120, ge=1, le=3_600, description="How long June waits in a room that nobody has joined"
    )
    grace_seconds: int = Field(
        30, ge=0, le=600, description="How long a caller whose network dropped may take to return"
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
    worker: WorkerSettings = WorkerSettings()
    call: CallSettings = CallSettings()
    limits: LimitSettings = LimitSettings()
    data: DataSettings = DataSettings()
    store: StoreSettings = StoreSettings()
    logs: LogSettings = LogSettings()

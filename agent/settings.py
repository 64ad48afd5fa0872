"""Every setting of June with its default, its rule and its reason; secrets are not among them."""

from typing import Literal

from pydantic import Field

from agent.settings_limits import LimitSettings
from agent.settings_mockingbird import MockingbirdSettings
from agent.settings_models import OPENAI_KEY, OPENAI_URL, LlmSettings, SttSettings, TtsSettings
from agent.settings_store import StoreSettings
from agent.settings_types import (
    LANGUAGE_TAG,
    Folder,
    Host,
    Language,
    Name,
    Origin,
    Section,
    SkillName,
    TimeZone,
    UserRule,
    Words,
)
from session.prices import Price

__all__ = [
    "LANGUAGE_TAG",
    "OPENAI_KEY",
    "OPENAI_URL",
    "LlmSettings",
    "Settings",
    "SttSettings",
    "TtsSettings",
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
    time_zone: TimeZone = Field(
        "", description="Of callers of whom nothing else is known; empty for this machine's"
    )


class ModelSettings(Section):
    profile: Literal["auto", "openai", "local"] = Field(
        "auto", description="`auto` is `openai` where OPENAI_API_KEY is set, else `local`"
    )


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
        15,
        ge=1,
        le=3_600,
        description="How long June waits in an empty room; she comes back for whoever joins it",
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
    user: UserRule = Field(
        "identity",
        description="Whom memory and limits belong to: `identity`, `sip` (the number that calls), "
        "or `attribute:NAME` of the caller's token",
    )


class HttpSettings(Section):
    host: Host = Field(
        "127.0.0.1", description="Where June listens; any other address needs JUNE_ADMIN_TOKEN"
    )
    port: int = Field(8080, ge=0, le=65_535, description="0 for any, which the log then tells")
    origins: list[Origin] = Field(
        [],
        description="Web sites whose pages may ask June from a browser (CORS)",
        json_schema_extra={"rule": 'a list of web sites such as `["https://example.org"]`'},
    )
    show_text: bool = Field(
        default=False,
        description="Whether the operator's page shows what was said, to who has the token",
        json_schema_extra={"rule": "`true` or `false`"},
    )


class SkillSettings(Section):
    enabled: list[SkillName] = Field(
        ["*"],
        description="What June can do, by name (`./june skills`); `*` is everything found",
        json_schema_extra={"rule": 'a list of names of skills such as `["clock"]`, or `["*"]`'},
    )
    path: Folder = Field("", description="A folder with skills of your own, a file each")


class DataSettings(Section):
    dir: Folder = Field(
        "", description="June's folder; empty for $XDG_DATA_HOME/june or ~/.local/share/june"
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
    http: HttpSettings = HttpSettings()
    limits: LimitSettings = LimitSettings()
    prices: dict[str, Price] = Field({}, description="Dollars for the use of models, by name")
    skills: SkillSettings = SkillSettings()
    mockingbird: MockingbirdSettings = MockingbirdSettings()
    data: DataSettings = DataSettings()
    store: StoreSettings = StoreSettings()
    logs: LogSettings = LogSettings()

"""The configuration: `agent.toml` and the environment, read once into one frozen object."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SecretStr

from agent.choice import Choice, choices
from agent.config_errors import ConfigError, Problem, config_error
from agent.config_sources import (
    find_file,
    missing_secrets,
    read_environment,
    read_file,
    wrong_secrets,
)
from agent.folders import absolute, absolute_store_url, data_folder
from agent.lines import primary
from agent.metrics_folder import own_folder
from agent.settings import OPENAI_KEY, LlmSettings, Settings, SttSettings, TtsSettings
from agent.settings_limits import PerRequest
from agent.settings_store import StoreSettings, passwords_of, without_password
from session import LimitConfig, MoneyConfig, SessionConfig

__all__ = ["STAGES", "Choice", "Config", "ConfigError", "LiveKitSettings", "Stage", "load"]

Stage = Literal["stt", "llm", "tts"]
STAGES: tuple[Stage, ...] = ("stt", "llm", "tts")
"""The models of a call: what hears, what thinks, what speaks."""

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

# At its import onnxruntime would write down this machine's id and what it runs, for its maker.
# Every process of June's imports this module before it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


class LiveKitSettings(BaseModel):
    """How to reach the LiveKit server; None for what the environment does not say."""

    model_config = ConfigDict(frozen=True)

    url: str | None = None
    api_key: str | None = None
    api_secret: SecretStr | None = None
    server_bin: Path | None = None
    """`LIVEKIT_SERVER_BIN`: the server to start where no `url` is given."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The variables without which no server can be reached, and which are not set."""
        needed = {
            "LIVEKIT_URL": self.url,
            "LIVEKIT_API_KEY": self.api_key,
            "LIVEKIT_API_SECRET": self.api_secret,
        }
        return tuple(name for name, value in needed.items() if value is None)


class Config(Settings):
    """All settings, and what follows from them. Picklable: each call's process gets it whole."""

    data_dir: Path
    """June's folder, absolute. It may not exist yet."""
    skills_dir: Path | None
    """`skills.path`, absolute."""
    cloner_file: Path | None
    """`mockingbird.cloner`, absolute, where it is a file."""
    store_url: SecretStr
    """`store.url` with its path made absolute; empty for the SQLite file in `data_dir`.

    Only here does it have the password of a Redis store; in `store.url` it has not.
    """
    livekit: LiveKitSettings
    secret_key: SecretStr | None
    webhook_secret: SecretStr | None
    admin_token: SecretStr | None
    """`JUNE_ADMIN_TOKEN`: for everything over HTTP; None where only this machine may ask."""
    token_key: SecretStr | None
    """`JUNE_TOKEN_KEY`: for a web site that hands out tokens for calls, and nothing else."""
    otlp_endpoint: str | None
    """`OTEL_EXPORTER_OTLP_ENDPOINT`: where traces go; None for nowhere."""
    keys: dict[str, SecretStr]
    """Providers' keys by the variable that holds each; only those that are set."""

    @property
    def session(self) -> SessionConfig:
        """What the memory is told: where things are kept, and what is allowed."""
        key, unpriced = self.secret_key, self.limits.unpriced
        return SessionConfig(
            data_dir=self.data_dir,
            store_url=self.store_url.get_secret_value(),
            secret_key=None if key is None else os.fsencode(key.get_secret_value()),
            limits=LimitConfig(
                **self.limits.model_dump(include={field.name for field in fields(LimitConfig)})
            ),
            money=MoneyConfig(
                prices=self.prices,
                unpriced=unpriced.per_request if isinstance(unpriced, PerRequest) else unpriced,
                alert_dollars=tuple(self.limits.alert_dollars),
                when_store_is_down=self.limits.when_store_is_down,
            ),
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        secrets = (
            self.livekit.api_secret,
            self.secret_key,
            self.webhook_secret,
            self.admin_token,
            self.token_key,
            *self.keys.values(),
        )
        return (
            *(secret.get_secret_value() for secret in secrets if secret is not None),
            *passwords_of(self.store_url.get_secret_value()),
        )

    def settings_of(self, stage: Stage) -> SttSettings | LlmSettings | TtsSettings:
        match stage:
            case "stt":
                return self.stt
            case "llm":
                return self.llm
            case "tts":
                return self.tts

    def provider_of(self, stage: Stage) -> Literal["openai", "local"]:
        """Who does this stage: what it says itself, else what its `base_url` or the profile say."""
        settings = self.settings_of(stage)
        if settings.provider:
            return settings.provider
        if settings.base_url:
            return "openai"
        if self.models.profile != "auto":
            return self.models.profile
        return "openai" if OPENAI_KEY in self.keys else "local"

    def key_of(self, stage: Stage) -> SecretStr | None:
        return self.keys.get(self.settings_of(stage).variable_of_key or "")

    def providers_of(self, stage: Stage) -> tuple[Choice, ...]:
        """Who does this stage, and who is asked where that fails, in this order."""
        return choices(
            self.settings_of(stage), is_local=self.provider_of(stage) == "local", keys=self.keys
        )

    @property
    def is_hosted(self) -> bool:
        """Whether anything in a call may cost money."""
        return any(not one.is_local for stage in STAGES for one in self.providers_of(stage))

    @property
    def needs_local_speech(self) -> bool:
        """Whether a call hears or speaks by the models on this machine, or may come to."""
        if "local" in (self.provider_of("stt"), self.provider_of("tts")):
            return True
        fallbacks = (*self.providers_of("stt")[1:], *self.providers_of("tts")[1:])
        return primary(self.agent.language) == "en" and any(one.is_local for one in fallbacks)


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read the defaults, the file and the environment; the later wins.

    The file is `path`, else `JUNE_CONFIG`, else `agent.toml` in the current folder if there is one.
    `environ` is the process's own environment unless it is given.

    Raises:
        ConfigError: with everything that is wrong, in the file and in the environment.
    """
    environ = os.environ if environ is None else environ
    from_file, in_file = read_file(find_file(path, environ))
    from_environment, in_environment = read_environment(environ)
    problems = [*in_file, *in_environment, *wrong_secrets(environ)]
    if problems:
        raise config_error(problems)
    settings = Settings.model_validate(
        {
            section: {**from_file.get(section, {}), **from_environment.get(section, {})}
            for section in Settings.model_fields
        }
    )
    if missing := missing_secrets(settings, environ):
        raise config_error(missing)
    try:
        return _with_consequences(settings, environ)
    except LookupError:
        rule = "is not set and this user has no home folder; set `JUNE_DATA__DIR`"
        raise config_error([Problem("`HOME`", rule)]) from None


def _with_consequences(settings: Settings, environ: Mapping[str, str]) -> Config:
    def secret(name: str) -> SecretStr | None:
        return SecretStr(environ[name]) if environ.get(name) else None

    def pasted(name: str) -> SecretStr | None:
        """With its line end, perhaps, which nothing that comes by HTTP has."""
        value = environ.get(name, "").strip()
        return SecretStr(value) if value else None

    server_bin = environ.get("LIVEKIT_SERVER_BIN")
    stages = (settings.stt, settings.llm, settings.tts)
    servers = [*stages, *(one for stage in stages for one in stage.fallback if one != "local")]
    variables = {OPENAI_KEY, *(server.key_variable for server in servers)}
    url = settings.store.url
    path, cloner = settings.skills.path, settings.mockingbird.file
    shown = settings.model_copy(update={"store": StoreSettings(url=without_password(url))})
    sections: dict[str, Any] = {name: getattr(shown, name) for name in Settings.model_fields}
    return Config(
        **sections,
        data_dir=data_folder(settings.data.dir, environ),
        skills_dir=absolute(path, environ) if path else None,
        cloner_file=absolute(cloner, environ) if cloner else None,
        store_url=SecretStr(absolute_store_url(url, environ)),
        livekit=LiveKitSettings(
            url=environ.get("LIVEKIT_URL") or None,
            api_key=environ.get("LIVEKIT_API_KEY") or None,
            api_secret=secret("LIVEKIT_API_SECRET"),
            server_bin=absolute(server_bin, environ) if server_bin else None,
        ),
        secret_key=secret("JUNE_SECRET_KEY"),
        webhook_secret=secret("JUNE_WEBHOOK_SECRET"),
        admin_token=pasted("JUNE_ADMIN_TOKEN"),
        token_key=pasted("JUNE_TOKEN_KEY"),
        otlp_endpoint=environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None,
        keys={name: key for name in sorted(variables) if (key := pasted(name)) is not None},
    )


def child_environment(**changes: str) -> dict[str, str]:
    """This process's environment with some changes, for a process that June starts."""
    return {**os.environ, **changes}


def metrics_folder() -> Path | None:
    """Where this worker's processes count; None where each counts for itself only."""
    folder = os.environ.get(METRICS_FOLDER)
    return Path(folder) if folder else None


@contextmanager
def counting_together() -> Iterator[None]:
    """What the processes of this worker count is seen as one, unless the operator names a folder.

    Before the first import of `prometheus_client`, which decides then, and of LiveKit's worker.

    Raises:
        ConfigError: the folder that the operator names cannot be used.
    """
    if (folder := metrics_folder()) is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            rule = f"names `{folder}`, which cannot be a folder: {error.strerror}"
            raise config_error([Problem(f"`{METRICS_FOLDER}`", rule)]) from None
        yield
        return
    with own_folder() as made:
        os.environ[METRICS_FOLDER] = str(made)
        yield

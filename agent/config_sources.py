"""What the file and the environment say, each as values by section and a list of problems."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from agent import config_errors as errors
from agent.config_errors import Problem
from agent.config_fallback import is_of_an_item, wrong_item
from agent.config_prices import is_of_a_price, wrong_price
from agent.redact import is_secret_name
from agent.settings import Settings
from agent.settings_store import is_redis

Values = Mapping[str, Mapping[str, Any]]

ENVIRONMENT_ONLY: Final = (
    "LIVEKIT_URL",
    "LIVEKIT_API_KEY",
    "LIVEKIT_API_SECRET",
    "JUNE_SECRET_KEY",
    "JUNE_WEBHOOK_SECRET",
    "JUNE_ADMIN_TOKEN",
    "JUNE_TOKEN_KEY",
    "OPENAI_API_KEY",
)

SECRETS: Final = ("JUNE_SECRET_KEY", "JUNE_WEBHOOK_SECRET", "JUNE_ADMIN_TOKEN", "JUNE_TOKEN_KEY")

NOT_SETTINGS: Final = frozenset({"JUNE_CONFIG", "JUNE_FLAVOUR", "JUNE_PYTHON", *SECRETS})

# Kubernetes gives each pod such variables for every service whose name begins with `june`.
FROM_KUBERNETES: Final = re.compile(
    r"JUNE_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)"
)

SHORTEST_SECRET: Final = 16
MAKE_ONE: Final = "run `openssl rand -hex 32`"


def find_file(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read; one that was named must exist, `agent.toml` need not."""
    if path is not None:
        return path
    if named := environ.get("JUNE_CONFIG"):
        return Path(named)
    return here if (here := Path("agent.toml")).exists() else None


def read_file(path: Path | None) -> tuple[Values, list[Problem]]:
    """The values of the file, judged strictly: `"4"` is no number."""
    if path is None:
        return {}, []
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        return {}, [errors.unreadable(path, error)]
    misplaced = set(_only_in_environment(document))
    problems = [
        errors.only_in_environment(path, key, ENVIRONMENT_ONLY) for key in sorted(misplaced)
    ]
    values = _without(document, misplaced)
    try:
        Settings.model_validate(values, strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False)
        plain = [one for one in details if not is_of_a_price(one) and not is_of_an_item(one)]
        problems += errors.in_file(path, values, plain)
        problems += [wrong_price(path, detail) for detail in filter(is_of_a_price, details)]
        items = [wrong_item(path, values, detail) for detail in filter(is_of_an_item, details)]
        problems += {str(problem): problem for problem in items}.values()
    return values, problems


def _only_in_environment(table: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for name, value in table.items():
        key = f"{above}{name}"
        has_password = key == "store.url" and is_redis(str(value)) and "@" in value
        if is_secret_name(name) or above == "livekit." or has_password:
            yield key
            continue
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from _only_in_environment(inner, f"{key}.")


def _without(table: Mapping[str, Any], keys: set[str], above: str = "") -> dict[str, Any]:
    """The table less those keys, and less the sections that held nothing else."""
    kept: dict[str, Any] = {}
    for name, value in table.items():
        key = f"{above}{name}"
        if key in keys:
            continue
        if isinstance(value, dict):
            inner = _without(value, keys, f"{key}.")
            if inner or not value:
                kept[name] = inner
        elif isinstance(value, list):
            kept[name] = [
                _without(item, keys, f"{key}.") if isinstance(item, dict) else item
                for item in value
            ]
        else:
            kept[name] = value
    return kept


def read_environment(environ: Mapping[str, str]) -> tuple[Values, list[Problem]]:
    """The values of the variables `JUNE_SECTION__KEY`, and what is wrong with any `JUNE_…`."""
    known = {f"JUNE_{key.upper().replace('.', '__')}": key for key in errors.settings()}
    values: dict[str, dict[str, Any]] = {}
    problems = []
    for name, value in sorted(environ.items()):
        if (key := known.get(name)) is not None:
            section, _, inner = key.partition(".")
            values.setdefault(section, {})[inner] = _read(value, errors.settings()[key])
        elif (
            name.upper().startswith("JUNE_")
            and name not in NOT_SETTINGS
            and not FROM_KUBERNETES.fullmatch(name)
        ):
            meant = [*known, *sorted(NOT_SETTINGS), *ENVIRONMENT_ONLY]
            problems.append(errors.unknown_variable(name, value, meant))
    names = {key: name for name, key in known.items()}
    try:
        Settings.model_validate(values)
    except ValidationError as error:
        wrong = dict.fromkeys(map(errors.setting_of, error.errors()))
        problems += [errors.in_environment(names[key], key, environ[names[key]]) for key in wrong]
    return values, problems


def _read(value: str, rules: Mapping[str, Any]) -> Any:
    """A list or a table is written in a variable as it is in the file, or as JSON."""
    kinds = [rules, *rules.get("anyOf", ())]
    if not any(kind.get("type") in ("array", "object") or "$ref" in kind for kind in kinds):
        return value
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        pass
    try:
        listed = json.loads(value)
    except (ValueError, RecursionError):
        return value  # the words of a setting that may also be a table, or a mistake
    return listed if isinstance(listed, list | dict) else value


def wrong_secrets(environ: Mapping[str, str]) -> list[Problem]:
    """What is wrong with the variables that are no settings."""
    problems = []
    if url := environ.get("LIVEKIT_URL"):
        try:
            parts = urlsplit(url)
            usable = parts.scheme in {"ws", "wss", "http", "https"} and bool(parts.hostname)
        except ValueError:
            usable = False
        if not usable:
            rule = "must be the address of a LiveKit server, such as `wss://livekit.example.org`"
            problems.append(Problem("`LIVEKIT_URL`", rule, url))
    for name in SECRETS:
        key = environ.get(name)
        if key and len(key) < SHORTEST_SECRET:
            rule = f"must have at least {SHORTEST_SECRET} characters; {MAKE_ONE}"
            problems.append(Problem(f"`{name}`", rule))
    return problems


def missing_secrets(settings: Settings, environ: Mapping[str, str]) -> list[Problem]:
    """The secrets that these settings need and the environment does not have."""
    problems = []
    if is_redis(settings.store.url) and not environ.get("JUNE_SECRET_KEY"):
        rule = "is not set, and the machines that share a Redis store must agree on it"
        problems.append(Problem("`JUNE_SECRET_KEY`", f"{rule}; {MAKE_ONE}"))
    if settings.limits.alert_webhook and not environ.get("JUNE_WEBHOOK_SECRET"):
        rule = "is not set, and what goes to `limits.alert_webhook` is signed with it"
        problems.append(Problem("`JUNE_WEBHOOK_SECRET`", f"{rule}; {MAKE_ONE}"))
    if not is_loopback(settings.http.host) and not environ.get("JUNE_ADMIN_TOKEN"):
        rule = f"is not set, and `http.host` is `{settings.http.host}`, which others can reach"
        problems.append(Problem("`JUNE_ADMIN_TOKEN`", f"{rule}; {MAKE_ONE}"))
    elif environ.get("JUNE_TOKEN_KEY") and not environ.get("JUNE_ADMIN_TOKEN"):
        rule = "is not set, and `JUNE_TOKEN_KEY` is, so others than this machine are to ask"
        problems.append(Problem("`JUNE_ADMIN_TOKEN`", f"{rule}; {MAKE_ONE}"))
    if (key := environ.get("JUNE_TOKEN_KEY", "").strip()) and key == environ.get(
        "JUNE_ADMIN_TOKEN", ""
    ).strip():
        rule = "is the value of `JUNE_ADMIN_TOKEN`, and a web site must not have that"
        problems.append(Problem("`JUNE_TOKEN_KEY`", f"{rule}; {MAKE_ONE}"))
    variable = settings.tts.variable_of_key
    if (
        settings.mockingbird.cloner == "openai"
        and variable
        and not environ.get(variable, "").strip()
    ):
        rule = "is not set, and `mockingbird.cloner` is `openai`; set it, or take `mimic`"
        problems.append(Problem(f"`{variable}`", rule))
    return problems


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it. Any other name may mean anything."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

"""What is wrong with a configuration, in words for the operator.

* ConfigError   its text is the whole message for the operator, with a hint
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_core import ErrorDetails

from agent.redact import Redactor, is_secret_name, printable
from agent.settings import Settings

SHIPPED = Path(__file__).resolve().parent.parent / "agent.toml"
"""Every setting with its default. Never read: the defaults are in `agent.settings`."""

LONGEST_VALUE = 60

redactor = Redactor()


class ConfigError(Exception):
    """The configuration cannot be used. Nothing was started."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. `value` is what was given, or None where it must not be shown."""

    where: str
    rule: str
    value: Any = None

    def __str__(self) -> str:
        # What stands before an `@` may be a password, in however odd an address.
        is_hidden = self.value is None or "@" in str(self.value)
        got = "" if is_hidden else f" (got `{shown(self.value)}`)"
        return f"{printable(self.where)} {self.rule}{got}"


def config_error(problems: Sequence[Problem]) -> ConfigError:
    """All problems in one error."""
    count = f"{len(problems)} problem{'s' * (len(problems) > 1)}"
    listed = "\n".join(f"  {problem}" for problem in problems)
    return ConfigError(
        f"the configuration has {count}:\n{listed}\n"
        f"hint: run `cat {SHIPPED}` to see every setting with its default"
    )


def shown(value: object) -> str:
    """A value as it stands in `agent.toml`, short, on one line and without secrets."""
    text = redactor.text(_as_toml(value)).replace("\n", "\\n").replace("\t", "\\t")
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _as_toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(_as_toml, value))}]"
        case dict() if value:
            pairs = ", ".join(f"{key} = {_as_toml(inner)}" for key, inner in value.items())
            return f"{{{pairs}}}"
        case _:
            return str(value)


@cache
def settings() -> Mapping[str, Mapping[str, Any]]:
    """The JSON schema of every setting, by `section.key`; prices have names of the operator's."""
    schema = Settings.model_json_schema()
    return {
        f"{section}.{key}": rules
        for section, reference in schema["properties"].items()
        if "$ref" in reference
        for key, rules in schema["$defs"][reference["$ref"].rsplit("/", 1)[1]]["properties"].items()
    }


def rule(schema: Mapping[str, Any]) -> str:
    """What a value must be, in words."""
    if "rule" in schema:
        return f"must be {schema['rule']}"
    if "enum" in schema:
        return "must be one of " + ", ".join(f"`{choice}`" for choice in schema["enum"])
    return f"must be a whole number from {schema['minimum']} to {schema['maximum']}"


def in_file(path: Path, values: Mapping[str, Any], errors: Iterable[ErrorDetails]) -> list[Problem]:
    """The problems that pydantic found in the file's values."""
    problems = (_in_file(f"`{path}`:", values, error) for error in errors)
    return list({str(problem): problem for problem in problems}.values())


def setting_of(error: ErrorDetails) -> str:
    """`section.key`, also where pydantic tells of each kind that a value might have been."""
    return ".".join(str(part) for part in error["loc"][:2])


def _in_file(file: str, values: Mapping[str, Any], error: ErrorDetails) -> Problem:
    known = settings()
    key = setting_of(error)
    where = f"{file} `{key}`"
    match error["loc"]:
        case (section, name, *_) if key in known:
            return Problem(where, rule(known[key]), values[str(section)][name])
        case (section,) if section in Settings.model_fields:
            return Problem(where, f"must be a section, `[{section}]`", error["input"])
    meant = _meant(key, known)
    if meant is None:
        return Problem(where, "is not a setting")
    if meant in Settings.model_fields:
        return Problem(where, f"is not a section; did you mean `[{meant}]`?")
    return Problem(where, f"is not a setting; did you mean `{meant}`?", error["input"])


def _meant(key: str, known: Mapping[str, Any]) -> str | None:
    """The nearest setting: in its own section, else of that name in another, else by its path."""
    section, _, name = key.rpartition(".")
    names = {path.partition(".")[2]: path for path in known if path.startswith(f"{section}.")}
    if near := difflib.get_close_matches(name, names, n=1):
        return names[near[0]]
    if near := [path for path in known if path.endswith(f".{name}")]:
        return near[0]
    return _nearest(key, [*known, *Settings.model_fields])


def _nearest(name: str, known: Iterable[str]) -> str | None:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    return near[0] if near else None


def in_environment(name: str, key: str, value: str) -> Problem:
    """The problem with a variable that is known and has a wrong value."""
    return Problem(f"`{name}`", rule(settings()[key]), value)


def unknown_variable(name: str, value: str, known: Iterable[str]) -> Problem:
    """A variable that begins like June's and is none of them.

    Its value is shown only where the variable that was meant holds no secret.
    """
    if name.upper().startswith("JUNE_PRICES_"):
        return Problem(f"`{name}`", "is not a variable: prices come from `agent.toml` only")
    meant = _nearest(name.upper(), known)
    if meant is None:
        return Problem(f"`{name}`", "is not a variable that June knows")
    return Problem(
        f"`{name}`",
        f"is not a variable that June knows; did you mean `{meant}`?",
        value if "__" in meant and not is_secret_name(meant) else None,
    )


def only_in_environment(path: Path, key: str, variables: Iterable[str]) -> Problem:
    """A secret, or a part of one, that stands in the file."""
    if key == "store.url":
        rule = "with a password is read only from the environment: set `JUNE_STORE__URL`"
        return Problem(f"`{path}`:", f"`store.url` {rule}")
    spelled, last = (word.upper().replace(".", "_") for word in (key, key.rpartition(".")[2]))
    meant = [name for name in variables if name == spelled or name.endswith(f"_{spelled}")]
    meant = meant or [name for name in variables if name == f"JUNE_{last}"]
    where_to = f": set `{meant[0]}`" if meant else ""
    return Problem(f"`{path}`:", f"`{key}` is read only from the environment{where_to}")


def unreadable(path: Path, error: Exception) -> Problem:
    """A file that is missing, unreadable or no TOML."""
    match error:
        case OSError():
            return Problem(f"`{path}`", f"cannot be read: {error.strerror}")
        case UnicodeDecodeError():
            return Problem(f"`{path}`", "is not UTF-8 text")
        case RecursionError():
            return Problem(f"`{path}`", "is nested too deeply")
    words, line, column = str(error), "", ""
    if found := re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", words, re.DOTALL):
        words, line, column = found.groups()
    place = f", line {line}, column {column}:" if line else ":"
    return Problem(f"`{path}`{place}", f"not TOML: {shown(words)}")

"""The one redactor: what it has seen holds no secret, no caller's words and nothing unprintable."""

import math
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

HIDDEN = "[secret]"

DEEPEST = 6
"""Levels of a nested field; below them its text stands for it."""

# Repetitions are bounded where they may fail: a hostile text costs no more than its length.
SHAPES = (
    re.compile(r"\bsk-[\w-]{8,}"),
    re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}"),
    re.compile(r"(?i)(?<=\bbearer )\s*[\w.~+/=-]{6,}"),
    re.compile(r"(?i)(?<=\bbasic )\s*[\w+/]{12,}={0,2}"),
    # A password may hold `/` and `@` unescaped, so whatever comes before the last `@` is hidden.
    re.compile(r"(?<=://)[^\s\"'<>/@]{0,256}:[^\s\"'<>]{0,1000}(?=@)"),
    # LiveKit quotes what a provider answered, and providers quote what a caller said.
    re.compile(r"(?s)(?<=\bmessage=).{1,8000}?(?=, status_code=)"),
    re.compile(r"(?<=, body=)[^\n]{1,8000}?(?=, retrying in |$)", re.MULTILINE),
    re.compile(r"(?<=no audio frames were pushed for text: )[^\n]{1,8000}"),
    re.compile(
        r"(?i)(?<![a-z])(?:[a-z_-]{0,40}[_-])?(?:api_?-?key|secret(?:_?-?key)?|token|passw(?:or)?d)"
        r"[\"']?\s*[:=]\s*[\"']?(?!\[)(?P<value>[^\s\"'&,;)}\]]+)"
    ),
)

SECRET_NAME = re.compile(
    r"(?:^|[_.-])(?:secret(?:s|[_-]?key)?|passw(?:or)?d|token|jwt|authorization|cookie|credentials?"
    r"|(?:api|private|signing|access)[_-]?key)$"
)

CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret: `api_key` does, `input_tokens` does not."""
    return SECRET_NAME.search(CAMEL_CASE.sub("_", name).lower()) is not None


def is_private_name(name: str) -> bool:
    """Whether a field holds what people say: a part of its name is `pii`, as in LiveKit's own."""
    return "pii" in name.lower().split(".")


def printable(text: str) -> str:
    """The text with control characters spelled out: a room's name must not drive a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in "\n\t"
        else character.encode("unicode_escape", "backslashreplace").decode("ascii")
        for character in text
    )


class Redactor:
    """Knows how secrets look, and those that it is told. Lives as long as the process."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= 6}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for shape in SHAPES:
            text = shape.sub(_hide, text)
        return printable(text)

    def fields(self, fields: Mapping[Any, Any], *, depth: int = 0) -> dict[str, Any]:
        """The fields as plain JSON values, safe to show, to pickle and to send on."""
        return {
            self.text(str(name)): self._value(str(name), value, depth)
            for name, value in fields.items()
            if not is_private_name(str(name))
        }

    def _value(self, name: str, value: object, depth: int) -> Any:
        match value:
            case None | bool() | int():
                return value
            case float():
                return value if math.isfinite(value) else str(value)
            case Enum():
                return self._value(name, value.value, depth)
            case _ if is_secret_name(name):
                return HIDDEN
            case str():
                return self.text(value)
            case bytes() | bytearray() | memoryview():
                return f"[{len(value)} bytes]"
            case Mapping() if depth < DEEPEST:
                return self.fields(value, depth=depth + 1)
            case list() | tuple() | set() | frozenset() if depth < DEEPEST:
                return [self._value(name, item, depth + 1) for item in value]
            case BaseException():
                return self.text(f"{type(value).__name__}: {value}".removesuffix(": "))
            case _:
                return self.text(str(value))


def _hide(found: re.Match[str]) -> str:
    if "value" not in found.re.groupindex:
        return HIDDEN
    start = found.start("value") - found.start()
    return found.group()[:start] + HIDDEN

"""What may stand in a slot of a phrase, by the type of the argument that it fills."""

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin

from skills.durations import EXPRESSION, IN_SECONDS, duration_of
from skills.words import Words, words_of

LONGEST_TEXT_WORDS = 120


@dataclass(frozen=True)
class Saying:
    """Narrows a text: `Annotated[str, Saying("is")]` takes only texts in which this is found."""

    pattern: str
    """A regular expression over normalised words."""


@dataclass(frozen=True)
class Slot:
    """A kind of slot."""

    pattern: str
    """A regular expression over normalised words."""
    value: Callable[[Words, int, int], Any]
    """From the tokens of the slot, the first and the one after the last; None if it is none."""
    kind: str = ""
    """Empty where anything may stand in it."""

    @property
    def is_open(self) -> bool:
        return not self.kind


def slot_of(annotation: Any) -> Slot:
    """Raises `ValueError` for a type that cannot be said."""
    if IN_SECONDS in getattr(annotation, "__metadata__", ()):
        return _DURATION
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [one for one in get_args(annotation) if one is not type(None)]
        if len(inner) == 1:
            return slot_of(inner[0])
    if get_origin(annotation) is Literal:
        return _one_of({words_of(str(one)).plain: one for one in get_args(annotation)})
    if hasattr(annotation, "__metadata__"):
        slot = slot_of(get_args(annotation)[0])
        sayings = [one for one in annotation.__metadata__ if isinstance(one, Saying)]
        return _narrowed(slot, re.compile(sayings[0].pattern)) if sayings else slot
    if annotation in _BY_TYPE:
        return _BY_TYPE[annotation]
    raise ValueError(f"a slot cannot be a `{getattr(annotation, '__name__', annotation)}`")


def _narrowed(slot: Slot, pattern: re.Pattern[str]) -> Slot:
    def value(words: Words, first: int, end: int) -> Any:
        is_found = pattern.search(_plain(words, first, end)) is not None
        return slot.value(words, first, end) if is_found else None

    return replace(slot, value=value)


def _text(words: Words, first: int, end: int) -> str | None:
    said = words.original(first, end).strip()
    return said if end - first <= LONGEST_TEXT_WORDS and any(map(str.isalnum, said)) else None


def _plain(words: Words, first: int, end: int) -> str:
    return " ".join(token.plain for token in words.tokens[first:end])


def _whole_number(words: Words, first: int, end: int) -> int:
    return int(_plain(words, first, end))


def _number(words: Words, first: int, end: int) -> float:
    return float(_plain(words, first, end))


def _duration(words: Words, first: int, end: int) -> float | None:
    return duration_of(_plain(words, first, end))


def _one_of(choices: Mapping[str, Any]) -> Slot:
    by_length = sorted(choices, key=len, reverse=True)
    return Slot(
        "|".join(map(re.escape, by_length)),
        lambda words, first, end: choices.get(_plain(words, first, end)),
        kind="|".join(sorted(choices)).replace(" ", "_"),
    )


_DURATION = Slot(EXPRESSION, _duration, "duration")
_BY_TYPE: Mapping[Any, Slot] = {
    str: Slot(r"\S.*?", _text),
    int: Slot(r"\d{1,15}", _whole_number, "number"),
    float: Slot(r"\d{1,15}(?:\.\d{1,15})?", _number, "number"),
}

"""The little language of phrases: `[optional]`, `(one|other)`, `{slot}`, as all its wordings."""

import re
from collections.abc import Sequence

MOST_WORDINGS = 4_000

_PIECE = re.compile(r"\{\s*(\w+)\s*\}|[\[\]()|]|[^\[\](){}|]+|.")

Wording = tuple[str, ...]
"""Literal words, and slots as `{name}`, in order."""


def wordings(pattern: str) -> tuple[Wording, ...]:
    """Everything that a pattern stands for, each once; the ones with most words come first.

    Raises:
        ValueError: names the pattern and what is wrong with it.
    """
    reader = _Reader(pattern)
    found = reader.choices(closing="")
    unique = dict.fromkeys(tuple(" ".join(one).split()) for one in found)
    if not all(unique):
        raise ValueError(f'the phrase "{pattern}" may be empty')
    return tuple(sorted(unique, key=len, reverse=True))


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._pieces = [match[0] for match in _PIECE.finditer(pattern)]
        self._place = 0

    def choices(self, closing: str) -> list[Wording]:
        """Until `closing`: alternatives, each a sequence."""
        found: list[Wording] = []
        while True:
            sequence, ended_by = self._sequence()
            found += sequence
            if len(found) > MOST_WORDINGS:
                raise self._wrong(f"has more than {MOST_WORDINGS:,} wordings")
            if ended_by == closing:
                return found
            if ended_by != "|":
                raise self._wrong(
                    f"lacks `{closing}`" if closing else f"has a `{ended_by}` too many"
                )

    def _sequence(self) -> tuple[list[Wording], str]:
        """One alternative, and what ended it: `|`, a bracket, or the end."""
        found: list[Wording] = [()]
        while self._place < len(self._pieces):
            piece = self._pieces[self._place]
            self._place += 1
            match piece:
                case "|" | "]" | ")":
                    return found, piece
                case "[":
                    found = self._times(found, [(), *self.choices("]")])
                case "(":
                    found = self._times(found, self.choices(")"))
                case "{" | "}":
                    raise self._wrong("has a slot that is not `{name}`")
                case _:
                    found = [(*one, piece) for one in found]
        return found, ""

    def _times(self, found: Sequence[Wording], choices: Sequence[Wording]) -> list[Wording]:
        if len(found) * len(choices) > MOST_WORDINGS:
            raise self._wrong(f"has more than {MOST_WORDINGS:,} wordings")
        return [(*one, *choice) for one in found for choice in choices]

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f'the phrase "{self._pattern}" {what}')

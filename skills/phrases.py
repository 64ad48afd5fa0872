"""Does an utterance ask for something? Whole utterances only, whatever they are wrapped in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from skills.patterns import MOST_WORDINGS, wordings
from skills.polite import unwrapped
from skills.slots import Slot, slot_of
from skills.words import Words, words_of

LONGEST_WORDS = 160
"""A longer utterance asks for nothing by phrase."""

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Match:
    """What an utterance holds."""

    slots: Mapping[str, Any]
    literal_words: int
    """Words that are the phrase's own, or could not be any others: more are a better match."""


@dataclass(frozen=True)
class _Wording:
    """One wording with slots, ready to be looked for."""

    literal: frozenset[str]
    """Words that must be there; a quick look before a slow one."""
    literal_words: int
    pattern: str
    ends_open: bool
    """Whether a free text is the last of it."""

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """Read when it is first needed: most wordings never are."""
        return re.compile(self.pattern)


class Phrases:
    """Some phrases that ask for one thing. Lives as long as its skill; safe from any thread.

    Raises:
        ValueError: names the phrase and what is wrong with it.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        *,
        slots: Mapping[str, Any] | None = None,
        heard_as: Sequence[str] = (),
    ) -> None:
        self._slots: dict[str, Slot] = {}
        self._fixed: dict[str, int] = {}
        self._open: list[_Wording] = []
        self._expansions: set[str] = set()
        for pattern in (*patterns, *heard_as):
            for wording in wordings(pattern):
                self._add(pattern, " ".join(wording), slots or {})
            if len(self._expansions) > MOST_WORDINGS:
                raise ValueError(f'the phrase "{pattern}" has one wording too many')

    def _add(self, pattern: str, wording: str, types: Mapping[str, Any]) -> None:
        names = _SLOT.findall(wording)
        for name in names:
            if name not in types:
                raise ValueError(
                    f'the phrase "{pattern}" has the slot `{name}`, which nobody fills'
                )
            try:
                self._slots[name] = slot_of(types[name])
            except ValueError as error:
                raise ValueError(f'`{name}` in the phrase "{pattern}": {error}') from None
        if len(set(names)) != len(names):
            raise ValueError(f'the phrase "{pattern}" has a slot twice')
        pieces = [words_of(piece).plain for piece in _SLOT.split(wording)[::2]]
        if not any(pieces):
            raise ValueError(f'the phrase "{pattern}" has no words of its own')
        are_open = [self._slots[name].is_open for name in names]
        pairs = zip(pieces[1:-1], pairwise(are_open), strict=True)
        if any(not piece and all(sides) for piece, sides in pairs):
            raise ValueError(f'the phrase "{pattern}" has two texts side by side')
        literal = [word for piece in pieces for word in piece.split()]
        kinds = [f"{{{self._slots[name].kind}}}" for name in names]
        self._expansions.add(_joined(pieces, kinds))
        if not names:
            self._fixed[pieces[0]] = len(literal)
            return
        groups = [f"(?P<{name}>{self._slots[name].pattern})" for name in names]
        expression = _joined([re.escape(piece).replace(r"\ ", " ") for piece in pieces], groups)
        ends_open = not pieces[-1] and self._slots[names[-1]].is_open
        self._open.append(_Wording(frozenset(literal), len(literal), expression, ends_open))

    def expansions(self) -> frozenset[str]:
        """Every wording, normalised, with `{}` for a text and `{kind}` for another slot."""
        return frozenset(self._expansions)

    def match(self, words: Words) -> Match | None:
        """The wording that shares most words with the utterance; None if there is none."""
        if not 0 < len(words.tokens) <= LONGEST_WORDS:
            return None
        plain = [token.plain for token in words.tokens]
        # A contraction is one token and two words: politeness is looked for in words.
        owner = [place for place, token in enumerate(plain) for _ in token.split()]
        said = " ".join(plain).split()
        stops = words.set_off()
        set_off = {place for place, token in enumerate(owner) if token in stops}
        best: Match | None = None
        for part in unwrapped(said, set_off):
            inside = slice(part.start, part.end)
            found = self._match(words, said[inside], owner[inside], is_sure=part.is_sure)
            if found is not None and (best is None or _rank(found) > _rank(best)):
                best = found
        return best

    def _match(
        self, words: Words, said: Sequence[str], owner: Sequence[int], *, is_sure: bool
    ) -> Match | None:
        text = " ".join(said)
        if text in self._fixed:
            return Match({}, self._fixed[text])
        there = set(said)
        best: Match | None = None
        for wording in self._open:
            if not wording.literal <= there or (wording.ends_open and not is_sure):
                continue
            match = wording.expression.fullmatch(text)
            slots = None if match is None else self._filled(words, text, owner, match)
            if match is None or slots is None:
                continue
            closed = [name for name in slots if not self._slots[name].is_open]
            sure = sum(len(match[name].split()) for name in closed)
            found = Match(slots, wording.literal_words + sure)
            if best is None or _rank(found) > _rank(best):
                best = found
        return best

    def _filled(
        self, words: Words, text: str, owner: Sequence[int], match: re.Match[str]
    ) -> dict[str, Any] | None:
        filled = {}
        for name in match.groupdict():
            first = text.count(" ", 0, match.start(name))
            last = text.count(" ", 0, match.end(name))
            value = self._slots[name].value(words, owner[first], owner[last] + 1)
            if value is None:
                return None
            filled[name] = value
        return filled


def _joined(pieces: Sequence[str], slots: Sequence[str]) -> str:
    """Literal pieces and slots in turn, with single blanks."""
    together = [piece for pair in zip(pieces, [*slots, ""], strict=True) for piece in pair]
    return " ".join(piece for piece in together if piece)


def _rank(match: Match) -> tuple[int, int]:
    return match.literal_words, -sum(len(str(value)) for value in match.slots.values())

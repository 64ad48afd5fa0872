"""Which two fresh words somebody said, however they were spelled: "pay per pyramid" is one pair.

As the words come from short lists, what was heard is taken for the pair that is nearest to it in
letters (Levenshtein's distance), if that is near enough and no other pair is as near. So whatever
is heard stands for one pair at most, and the choice of today's is as hard to guess as before.
"""

from collections.abc import Iterable, Sequence

from skills.mockingbird.word_list import KINDS, THINGS

MOST_WRONG = 0.25
"""Of the letters of a pair: added, lost or replaced."""

_Distances = Sequence[int]
"""Of a word to each part of what was heard, by the place that parts the two words."""


def stands_for(heard: str, kind: str, thing: str) -> bool:
    """Whether these two are nearest to `heard`, letters without blanks. A few milliseconds."""
    pair = kind + thing
    if heard == pair:
        return True
    if abs(len(heard) - len(pair)) > MOST_WRONG * len(pair):
        return False
    kinds = {word: _to_beginnings(word, heard) for word in KINDS}
    things = {word: _to_beginnings(word[::-1], heard[::-1])[::-1] for word in THINGS}
    this_kind, this_thing = kinds.pop(kind), things.pop(thing)
    other_kind, other_thing = _least(kinds.values()), _least(things.values())
    wrong = _together(this_kind, this_thing)
    others = (
        _together(other_kind, _least([this_thing, other_thing])),
        _together(this_kind, other_thing),
    )
    return wrong <= MOST_WRONG * len(pair) and wrong < min(others)


def _to_beginnings(word: str, heard: str) -> _Distances:
    row = list(range(len(heard) + 1))
    for letter in word:
        before, row = row, [row[0] + 1]
        for place, other in enumerate(heard):
            changed = before[place] + (letter != other)
            row.append(min(changed, before[place + 1] + 1, row[-1] + 1))
    return row


def _least(found: Iterable[_Distances]) -> _Distances:
    return [min(column) for column in zip(*found, strict=True)]


def _together(kind: _Distances, thing: _Distances) -> int:
    """The distance of two words, one behind the other: where they are parted best."""
    return min(map(sum, zip(kind, thing, strict=True)))

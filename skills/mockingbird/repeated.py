"""How near what was heard is to the sentence of consent that June asked for.

A closed world: "same" is only what holds every word that carries meaning, in order, with nothing
around it but what is listed here. So no negation, condition or question can be part of it,
whichever words it uses, and a word that is not listed costs one more question, never a voice. Only
the two fresh words, which say nothing, are taken for what they sound like.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from skills.mockingbird.fresh_words import stands_for
from skills.mockingbird.word_list import (
    ASKING,
    BETWEEN,
    HEARD_AS,
    KINDS,
    REFUSING,
    SMALL,
    TENS_HEARD,
    THINGS,
)
from skills.words import words_of

Nearness = Literal["same", "near", "other"]

MOST_LOST = 1
"""Small words that a caller, or speech recognition, may leave out."""

MOST_BEGUN_AGAIN = 2
"""How often a caller may go back some words: "I agree, I agree that June …"."""

MOST_MORE = 6
"""Words that an attempt may have more than the sentence; who says more tells something."""

ATTEMPT_SHARE = 0.5
"""Of the words of a sentence, in order, that make it an attempt at this sentence."""

MOST_PARTS = 5
"""Words that speech recognition makes of two."""

_Place = tuple[int, int, int, int]
"""Where in the sentence, where in what was heard, how many words lost, how often begun again."""


def how_near(asked: str, heard: str) -> Nearness:
    """Whether a caller repeated a sentence: "near" is an attempt that June may ask for again.

    `asked` is a sentence of `fresh_sentence`, or a provider's phrase, in which nothing is fresh.
    The number must be exact; the fresh words must be nearer to what was heard than all others.
    """
    wanted, said = _plain(asked), _number_together(_plain(heard))
    if not wanted or len(said) > len(wanted) * (MOST_BEGUN_AGAIN + 1):
        return "other"
    if _is_repeated(wanted, said):
        return "same"
    if _turns_it(wanted, said) or len(said) > len(wanted) + MOST_MORE:
        return "other"
    return "near" if _in_order(wanted, said) >= ATTEMPT_SHARE * len(wanted) else "other"


def _plain(text: str) -> tuple[str, ...]:
    return tuple(words_of(text).plain.split())


def _number_together(said: Sequence[str]) -> tuple[str, ...]:
    """With "50 9", and "15 9", as 59: the fresh numbers have no teens and no bare tens."""
    together: list[str] = []
    for word in said:
        tens = TENS_HEARD.get(together[-1]) if together else None
        if tens is not None and word in tuple("123456789"):
            together[-1] = f"{tens}{word}"
        else:
            together.append(word)
    return tuple(together)


def _is_repeated(wanted: Sequence[str], said: Sequence[str]) -> bool:
    """Whether some way leads through both to their ends."""
    seen: set[_Place] = set()
    open_places: list[_Place] = [(0, 0, 0, 0)]
    while open_places:
        place = open_places.pop()
        if place[:2] == (len(wanted), len(said)):
            return True
        if place not in seen:
            seen.add(place)
            open_places += _further(wanted, said, place)
    return False


def _further(wanted: Sequence[str], said: Sequence[str], place: _Place) -> Iterator[_Place]:
    at, ear, lost, again = place
    for more, taken in _heard_here(wanted[at:], said[ear:]):
        yield at + more, ear + taken, lost, again
    for filler in BETWEEN:
        if tuple(said[ear : ear + len(filler)]) == filler:
            yield at, ear + len(filler), lost, again
    if at < len(wanted) and wanted[at] in SMALL and lost < MOST_LOST:
        yield at + 1, ear, lost + 1, again
    if again < MOST_BEGUN_AGAIN:
        for back in range(at):
            yield back, ear, lost, again + 1


def _heard_here(wanted: Sequence[str], said: Sequence[str]) -> Iterator[tuple[int, int]]:
    """How many words of the sentence may be how many of the heard ones, at the beginning of both.

    Words that are written together or apart are the same: "open AI" is "OpenAI".
    """
    for more in range(1, min(2, len(wanted)) + 1):
        for taken in range(1, min(MOST_PARTS, len(said)) + 1):
            one, other = tuple(wanted[:more]), tuple(said[:taken])
            is_plain = one == other if more == taken else _is_joined(one, other)
            if is_plain or other in HEARD_AS.get(one, ()) or _is_fresh_pair(one, other):
                yield more, taken


def _is_fresh_pair(one: tuple[str, ...], other: Sequence[str]) -> bool:
    if len(one) != 2 or one[0] not in KINDS or one[1] not in THINGS:
        return False
    if any(_refuses(word) or word.isdigit() for word in other):
        return False
    return stands_for("".join(other), one[0], one[1])


def _refuses(word: str) -> bool:
    return word in REFUSING or word.endswith("n't")


def _is_joined(one: Sequence[str], other: Sequence[str]) -> bool:
    return "".join(one) == "".join(other) and "".join(one).isalpha()


def _turns_it(wanted: Sequence[str], said: Sequence[str]) -> bool:
    """Whether it says no, makes a condition, asks, or tells of somebody else."""
    more = [word for word in said if word not in wanted]
    asks = [word for word in said if (word,) not in BETWEEN][:1]
    return any(map(_refuses, more)) or (
        asks != list(wanted[:1]) and any(word in ASKING for word in asks)
    )


def _in_order(wanted: Sequence[str], said: Sequence[str]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(said) + 1)
    for word in wanted:
        before = row
        row = [0]
        for place, other in enumerate(said):
            row.append(before[place] + 1 if word == other else max(row[-1], before[place + 1]))
    return row[-1]

"""Numbers as people say them: "twenty five" is 25."""

from collections.abc import Sequence

UNITS = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
TENS = {
    word: 10 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}


def number_at(words: Sequence[str], start: int) -> tuple[str, int] | None:
    """The number that begins at this word, in digits, and where it ends; None where none does.

    Up to 999,999, with tenths ("two point five"). Words are in lower case.
    """
    whole = _whole(words, start)
    if whole is None:
        return None
    value, end = whole
    tenths, after = "", end + 1
    if _word(words, end) == "point":
        while (digit := UNITS.get(_word(words, after), 10)) < 10:
            tenths += str(digit)
            after += 1
    return (f"{value}.{tenths}", after) if tenths else (str(value), end)


def _whole(words: Sequence[str], start: int) -> tuple[int, int] | None:
    below = _below_thousand(words, start)
    if below is None:
        return None
    value, end = below
    if _word(words, end) != "thousand" or value == 0:
        return None if _word(words, start) in ("a", "an") and end == start + 1 else below
    rest = _below_thousand(words, _after_and(words, end + 1), with_article=False)
    return (value * 1000, end + 1) if rest is None else (value * 1000 + rest[0], rest[1])


def _below_thousand(
    words: Sequence[str], start: int, *, with_article: bool = True
) -> tuple[int, int] | None:
    below = _below_hundred(words, start)
    if below is None and with_article and _word(words, start) == "a":
        is_number = _word(words, start + 1) in ("hundred", "thousand")
        below = (1, start + 1) if is_number else None
    if below is None:
        return None
    value, end = below
    if _word(words, end) != "hundred" or value == 0:
        return below
    rest = _below_hundred(words, _after_and(words, end + 1))
    return (value * 100, end + 1) if rest is None else (value * 100 + rest[0], rest[1])


def _below_hundred(words: Sequence[str], start: int) -> tuple[int, int] | None:
    word = _word(words, start)
    if word in UNITS:
        return UNITS[word], start + 1
    if word.isascii() and word.isdecimal() and len(word) <= 3:
        is_factor = _word(words, start + 1) in ("hundred", "thousand")
        return (int(word), start + 1) if is_factor else None
    if word not in TENS:
        return None
    unit = UNITS.get(_word(words, start + 1), 0)
    return (TENS[word] + unit, start + 2) if 0 < unit < 10 else (TENS[word], start + 1)


def _after_and(words: Sequence[str], place: int) -> int:
    return place + 1 if _word(words, place) == "and" else place


def _word(words: Sequence[str], place: int) -> str:
    return words[place] if place < len(words) else ""

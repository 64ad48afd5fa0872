"""An utterance as words: the same however speech recognition happened to write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills.numbers import TENS, UNITS
from skills.words import LONGEST_CHARACTERS, words_of

UNIT = {value: word for word, value in UNITS.items()}
TEN = {value: word for word, value in TENS.items()}


def below_hundred(number: int) -> str:
    if number < 20:
        return UNIT[number]
    tens, unit = divmod(number, 10)
    return TEN[10 * tens] + (f" {UNIT[unit]}" if unit else "")


def below_thousand(number: int, link: str) -> str:
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return below_hundred(rest)
    said = f"{UNIT[hundreds]} hundred"
    return f"{said}{link}{below_hundred(rest)}" if rest else said


def as_words(number: int, link: str = " ") -> str:
    """As people say a number, with or without "and"."""
    thousands, rest = divmod(number, 1000)
    if not thousands:
        return below_thousand(rest, link)
    said = f"{below_thousand(thousands, link)} thousand"
    return f"{said} {below_thousand(rest, link)}" if rest else said


@given(st.integers(0, 999_999), st.sampled_from([" ", " and "]))
def test_numbers_in_words_become_digits(number: int, link: str) -> None:
    """All of them."""
    assert words_of(as_words(number, link)).plain == str(number)


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("", ""),
        ("…!?", ""),
        ("What's the time, June?", "what is the time june"),
        ("What\u2019s up", "what is up"),
        ("Um, uh, tell me", "tell me"),
        ("Hmm.", "hmm"),
        ("twenty-five minutes", "25 minutes"),
        ("a hundred and one", "101"),
        ("a thousand nights and one night", "1000 nights and 1 night"),
        ("two point five hours", "2.5 hours"),
        ("five ten", "5 10"),
        ("at 5:30 p.m. sharp", "at 5 30 pm sharp"),
        ("7 a.m.", "7 am"),
        ("1,000 miles", "1000 miles"),
        ("O.K., okay, ok", "ok ok ok"),
        ("Mocking Bird", "mockingbird"),
        ("the story teller", "the storyteller"),
        ("I don't know", "i don't know"),
        ("Let's go, I'd say", "let us go i would say"),
        ("another one", "another 1"),
        ("the other one, no one, this one", "the other 1 no 1 this 1"),
        ("Uh-huh, mm-hmm", "mhm mhm"),
        ("he dunno, c'mon", "he don't know come on"),
        ("what a gain", "what a gain"),
        ("nineteen eighty four", "19 84"),
        ("a hand and an eye", "a hand and an eye"),
        ("Ωmega Straße 你好", "ωmega strasse 你好"),
    ],
)
def test_one_spelling_a_word(said: str, plain: str) -> None:
    """Punctuation, case and hesitations are speech recognition's."""
    assert words_of(said).plain == plain


@given(st.text(max_size=200))
def test_any_text_is_words(said: str) -> None:
    """Each token is somewhere in the text, in order, and the words of words are the same."""
    words = words_of(said)
    places = [(token.start, token.end) for token in words.tokens]
    assert places == sorted(places)
    assert all(start < end <= len(said) for start, end in places)
    assert all(token.plain == token.plain.strip() != "" for token in words.tokens)


def test_the_original_text_can_be_had_back() -> None:
    """From one word to another, as it was written."""
    words = words_of("Um, note that Ann's flight is at twenty five!")
    assert words.original(2, 6) == "Ann's flight is at"
    assert words.original(6, 7) == "twenty five"
    assert words.original(3, 3) == ""


@pytest.mark.parametrize(
    "said",
    [
        "cafe\u0301",
        "नमस्ते",
        "$5",
        "-5 degrees",
        "50%",
        "C++",
        "X (really)",
        '"hi"',
        "eggs \U0001f642",
    ],
)
def test_signs_belong_to_their_word(said: str) -> None:
    """Accents of their own, money, brackets; but no stops."""
    words = words_of(f"so {said}, thanks")
    assert words.original(1, len(words.tokens) - 1) == said


def test_a_stop_sets_words_off() -> None:
    """A comma does, a hyphen does not."""
    words = words_of("No, tell me a twenty-five, um word story. Thanks")
    assert words.plain == "no tell me a 25 word story thanks"
    assert words.set_off() == {1, 5, 7}


def test_an_endless_text_is_looked_at_no_further() -> None:
    """Nobody's phrase is so long."""
    assert len(words_of("so " * 10_000).tokens) <= LONGEST_CHARACTERS // 3 + 1

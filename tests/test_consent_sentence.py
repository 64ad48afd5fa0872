"""The words of consent: fresh each time, and taken for nothing that was not said."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skills.mockingbird.fresh_words import MOST_WRONG, stands_for
from skills.mockingbird.repeated import how_near
from skills.mockingbird.sentence import CONSENT, fresh_sentence
from skills.mockingbird.word_list import HEARD_AS, KINDS, NUMBERS, REFUSING, THINGS
from skills.words import words_of

ASKED = f"{CONSENT} Silver window forty-two."
PHRASE = (
    "I am the owner of this voice and I consent to OpenAI using this voice to create a "
    "synthetic voice model."
)
"""What OpenAI demands: nothing of it is fresh."""

sentences = st.integers(0, 2**32).map(lambda seed: fresh_sentence(random.Random(seed)))
denials = st.sampled_from(
    [
        *("not", "never", "no", "don't", "doesn't", "isn't", "won't", "cannot", "can't", "nobody"),
        *("refuse", "unless", "if", "hardly", "neither", "nor", "without", "except", "forbid"),
        *("barely", "nowhere", "disallowed", "stop", "false", "maybe", "tomorrow", "ain't"),
    ]
)


@settings(deadline=None)
@given(sentences)
def test_a_sentence_is_itself(sentence: str) -> None:
    """Whatever its case, its punctuation, and whether its number is written in digits."""
    words = words_of(sentence).plain
    for heard in (sentence, sentence.upper(), words, words.title(), f"  {words}?!"):
        assert how_near(sentence, heard) == "same"
    assert how_near(sentence, ", ".join(words.split())) == "same"
    assert how_near(sentence, sentence.replace("-", " ")) == "same"


@settings(deadline=None)
@given(sentences, sentences)
def test_two_sentences_are_never_the_same(one: str, other: str) -> None:
    """So yesterday's, recorded, is no consent today."""
    if one != other:
        assert how_near(one, other) != "same"


@settings(deadline=None)
@given(sentences, st.data())
def test_one_fresh_word_that_is_another_is_noticed(sentence: str, data: st.DataObject) -> None:
    """Each of the three alone."""
    words = words_of(sentence).plain.split()
    place = data.draw(st.integers(len(words) - 3, len(words) - 1))
    fresh = (KINDS, THINGS, NUMBERS)[place - len(words) + 3]
    other = data.draw(st.sampled_from([words_of(word).plain for word in fresh]))
    if other != words[place]:
        words[place] = other
        assert how_near(sentence, " ".join(words)) == "near"
    del words[place]
    assert how_near(sentence, " ".join(words)) == "near"


@settings(deadline=None)
@given(sentences | st.just(PHRASE), denials, st.data())
def test_nothing_denied_is_the_same(sentence: str, denial: str, data: st.DataObject) -> None:
    """Wherever the word stands that turns the sentence, and also in the place of another."""
    words = sentence.split()
    place = data.draw(st.integers(0, len(words)))
    assert how_near(sentence, " ".join([*words[:place], denial, *words[place:]])) != "same"
    assert how_near(sentence, " ".join([*words[:place], denial, *words[place + 1 :]])) != "same"


@settings(deadline=None)
@given(sentences | st.just(PHRASE), st.data())
def test_a_sentence_said_in_another_order_is_not_the_same(
    sentence: str, data: st.DataObject
) -> None:
    """As a question has the same words."""
    words = words_of(sentence).plain.split()
    mixed = data.draw(st.permutations(words))
    if mixed != words:
        assert how_near(sentence, " ".join(mixed)) != "same"


@settings(deadline=None)
@given(st.text(), st.text())
def test_any_text_is_compared(asked: str, heard: str) -> None:
    """Without a fault."""
    assert how_near(asked, heard) in ("same", "near", "other")


@pytest.mark.parametrize(
    "heard",
    [
        "June is allowed to speak with my voice. Silver window 42",
        "um, okay so, June is allowed to speak, uh, with my voice. Silver, um, window forty two.",
        "Yes, sure: June is allowed, June is allowed to speak with my voice. silver window 42",
        "June is, is allowed to speak with my voice silver window silver window 42, thank you",
        "Jun is allowed to speak with my voice, Silverwindow forty two.",
        "June is allowed to speak with my voice, sylver win doe, forty two.",
        "June's allowed to speak with my voice. Silver window, forty-two. Okay.",
        "June allowed to speak with my voice silver window 42",
        "June is allowed to speak with my voice, silver window 14 2.",
        "June is allowed to speak with my voice, silver windows, forty, two.",
    ],
)
def test_what_people_and_recognition_make_of_it_is_the_same(heard: str) -> None:
    """Hesitations, a second start, politeness, a word written apart, a small word lost."""
    assert how_near(ASKED, heard) == "same"


@pytest.mark.parametrize(
    "heard",
    [
        "June is allowed to speak with my voice",
        "June is allowed to speak with my voice. Silver window.",
        "June is allowed to speak with my voice. Silver window four two.",
        "June is allowed to speak with my voice. Silver rocket 42.",
        "June is allowed to speak with my voice. Silver window 7 42.",
        "June is allowed to speak with your voice. Silver window 42.",
        "June is allowed to eat with my voice. Silver window 42.",
        "June allowed speak my voice. Silver window 42.",
        "June is allowed to speak with my",
    ],
)
def test_an_attempt_is_asked_again(heard: str) -> None:
    """Less, or other words, but this sentence."""
    assert how_near(ASKED, heard) == "near"


@pytest.mark.parametrize(
    "heard",
    [
        "",
        "um",
        "What is the weather like today?",
        "June is not allowed to speak with my voice. Silver window 42.",
        "June isn't allowed to speak with my voice. Silver window 42.",
        "June is never allowed to speak with my voice. Silver window 42.",
        "June is allowed to speak with my voice, silver window 42, but not today.",
        "June is allowed to speak with my voice silver window 42 if I say so",
        "June is allowed to speak with my voice, silver window 42. No.",
        "No, June is allowed to speak with my voice, silver window 42.",
        "Is June allowed to speak with my voice? Silver window 42.",
        "Why is June allowed to speak with my voice? Silver window 42.",
        "My friend said June is allowed to speak with my voice. Silver window 42.",
        "I doubt that June is allowed to speak with my voice. Silver window 42.",
        "I can't say that June is allowed to speak with my voice silver window 42",
        "stop",
        "yes",
    ],
)
def test_what_is_not_meant_as_consent_is_nothing_of_it(heard: str) -> None:
    """A denial, a condition, a question, a tale, or something else."""
    assert how_near(ASKED, heard) == "other"


@pytest.mark.parametrize(
    ("heard", "nearness"),
    [
        (PHRASE, "same"),
        (PHRASE.replace("OpenAI", "open AI"), "same"),
        (PHRASE.replace("OpenAI", "Open A.I."), "same"),
        (PHRASE.replace("OpenAI", "open eye"), "same"),
        ("Okay. " + PHRASE.replace("I am", "I\u2019m") + " Thanks.", "same"),
        (PHRASE.replace("owner", "loaner"), "near"),
        ("I am the owner of this voice and I consent to", "near"),
        (PHRASE.replace("I consent", "I do not consent"), "other"),
        (PHRASE.replace("I consent", "I don't consent"), "other"),
        (PHRASE.replace("I am", "I'm not"), "other"),
        (f"If {PHRASE}", "other"),
        (ASKED, "other"),
    ],
)
def test_a_phrase_without_fresh_words_is_compared_too(heard: str, nearness: str) -> None:
    """As exactly, and with the same patience."""
    assert how_near(PHRASE, heard) == nearness


def test_there_are_enough_sentences() -> None:
    """A recording of one is another one's with a chance below 1 in 100,000."""
    for words in (KINDS, THINGS, NUMBERS):
        assert len(set(words)) == len(words)
    assert len(KINDS) * len(THINGS) * len(NUMBERS) > 100_000
    assert not set(KINDS) & set(THINGS)


def test_every_fresh_word_is_one_plain_word() -> None:
    """Which nothing makes another spelling of, or a number."""
    for word in (*KINDS, *THINGS):
        assert words_of(word).plain == word
        assert (word,) not in HEARD_AS
    for number in NUMBERS:
        assert words_of(number).plain.isdigit()


def test_no_two_fresh_words_are_spelled_alike() -> None:
    """So that a letter that is wrong makes no other of them, and no word that refuses is near."""
    for one, other in (
        *itertools.combinations(KINDS, 2),
        *itertools.combinations(THINGS, 2),
        *itertools.product((*KINDS, *THINGS), REFUSING),
    ):
        assert letters_apart(one, other) >= (2 if other in REFUSING else 3), (one, other)
    joined = {kind + thing for kind in KINDS for thing in THINGS}
    assert len(joined) == len(KINDS) * len(THINGS)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(KINDS), st.sampled_from(THINGS), st.data())
def test_what_was_heard_stands_for_the_nearest_pair(
    kind: str, thing: str, data: st.DataObject
) -> None:
    """And for none, where two are as near or all are far."""
    right = kind + thing
    start = data.draw(st.integers(0, len(right)))
    end = data.draw(st.integers(start, min(start + 4, len(right))))
    heard = right[:start] + data.draw(st.text("aeinst", max_size=4)) + right[end:]
    apart = {(one, other): letters_apart(one + other, heard) for one in KINDS for other in THINGS}
    least = min(apart.values())
    nearest = [pair for pair, wrong in apart.items() if wrong == least]
    is_near = least <= MOST_WRONG * len("".join(nearest[0]))
    for pair in {(kind, thing), nearest[0]}:
        assert stands_for(heard, *pair) == (nearest == [pair] and is_near)


@pytest.mark.parametrize(
    ("heard", "kind", "thing", "stands"),
    [
        ("payperturtle", "paper", "turtle", True),
        ("crispalwindow", "crystal", "window", False),
        ("crispalwindow", "crispy", "window", False),
        ("silverhotter", "silver", "hotel", False),
        ("silverhotter", "silver", "letter", False),
        ("fabuxxxxwindow", "fabulous", "window", False),
        ("fabuxxlouswindow", "fabulous", "window", True),
    ],
)
def test_what_may_be_two_pairs_or_is_far_from_all_is_none(
    heard: str, kind: str, thing: str, stands: bool
) -> None:
    """Two letters may be wrong, if no other word has two wrong."""
    assert stands_for(heard, kind, thing) == stands


def letters_apart(one: str, other: str) -> int:
    """Levenshtein's distance."""
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        before, row = row, [place]
        for at, second in enumerate(other, start=1):
            row.append(min(before[at] + 1, row[-1] + 1, before[at - 1] + (letter != second)))
    return row[-1]

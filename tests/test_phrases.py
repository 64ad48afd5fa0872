"""Phrases: whole utterances, however politely wrapped, and what stands in their slots."""

import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from skills.durations import Duration
from skills.patterns import wordings
from skills.phrases import Phrases
from skills.polite import AFTER, AFTER_A_STOP, BEFORE
from skills.words import words_of

TIMER = Phrases(
    [
        "(set|start) [a|the] timer for {seconds} [(called|named) {name}]",
        "(set|start) [a|the] {name} timer for {seconds}",
        "[a] {seconds} timer",
    ],
    slots={"seconds": Duration, "name": str},
)
NOTE = Phrases(["(take|make) a note [that|to] {text}", "note that {text}"], slots={"text": str})
LONG = Phrases(
    ["a {x} a {y} a {z} b", "wait {seconds} end"],
    slots=dict.fromkeys("xyz", str) | {"seconds": Duration},
)
PAINT = Phrases(
    ["paint it {color}", "paint {count} of it", "paint {what} in {color}", "paint {share} percent"],
    slots={
        "color": Literal["red", "dark blue", "blue"],
        "count": int,
        "what": str,
        "share": float | None,
    },
    heard_as=["pain it {color}"],
)


def found(phrases: Phrases, said: str) -> Mapping[str, Any] | None:
    match = phrases.match(words_of(said))
    return None if match is None else match.slots


@pytest.mark.parametrize(
    ("said", "slots"),
    [
        ("set a timer for five minutes", {"seconds": 300}),
        ("June, could you please set a timer for five minutes? Thanks!", {"seconds": 300}),
        ("Um, start the tea timer for ninety seconds.", {"seconds": 90, "name": "tea"}),
        (
            "set timer for an hour and a half called Ann's Pasta, please",
            {"seconds": 5400, "name": "Ann's Pasta"},
        ),
        ("ten minute timer please", {"seconds": 600}),
        ("Let's set a timer for half an hour", {"seconds": 1800}),
        ("set a timer for ever", None),
        ("I set a timer for five minutes yesterday", None),
        ("set a timer", None),
        ("", None),
    ],
)
def test_a_phrase_is_a_whole_utterance(said: str, slots: Mapping[str, Any] | None) -> None:
    """With what it is wrapped in."""
    assert found(TIMER, said) == slots


@pytest.mark.parametrize(
    ("said", "slots"),
    [
        ("Note that Ann's flight is at 5 p.m.", {"text": "Ann's flight is at 5 p.m."}),
        ("Please make a note to buy MILK, thank you!", {"text": "buy MILK"}),
        ("take a note: twenty five eggs 🙂", {"text": "twenty five eggs 🙂"}),
        ("take a note that Zoë's café is closed", {"text": "Zoë's café is closed"}),
        ("take a note that", {"text": "that"}),
        ("note that I fly today", {"text": "I fly today"}),
        ("note that the meeting is in June", {"text": "the meeting is in June"}),
        ("note that I like you, June", {"text": "I like you"}),
        ("note that this one is for me please", {"text": "this one is for me"}),
        ("note that this is it, for me, please, June.", {"text": "this is it"}),
        ("take a note", None),
        ("take a note …", None),
    ],
)
def test_text_keeps_its_spelling(said: str, slots: Mapping[str, Any] | None) -> None:
    """Without the thanks after it."""
    assert found(NOTE, said) == slots


@pytest.mark.parametrize(
    ("said", "slots"),
    [
        ("paint it Dark Blue", {"color": "dark blue"}),
        ("pain it red", {"color": "red"}),
        ("paint twelve of it", {"count": 12}),
        ("paint the old house in blue", {"what": "the old house", "color": "blue"}),
        ("paint the old house in dark blue", {"what": "the old house", "color": "dark blue"}),
        ("paint two point five percent", {"share": 2.5}),
        ("paint it green", None),
    ],
)
def test_a_slot_has_a_type(said: str, slots: Mapping[str, Any] | None) -> None:
    """What does not fit its type is no match; a closed slot is surer than an open one."""
    assert found(PAINT, said) == slots


def test_a_duration_is_found_behind_a_free_text() -> None:
    """Whatever the text holds; and also if its type has further limits."""
    remind = Phrases(
        ["remind me to {text} in {seconds}"],
        slots={"text": str, "seconds": Annotated[Duration, Field(gt=0)] | None},
    )
    said = "remind me to put it in the oven in an hour and a half, please"
    assert found(remind, said) == {"text": "put it in the oven", "seconds": 5400}
    assert found(remind, "remind me to put it in the oven in time") is None


def test_the_closer_phrase_wins() -> None:
    """More words of its own, or of closed slots."""
    match = TIMER.match(words_of("set a timer for 5 minutes called tea"))
    assert match is not None
    assert match.literal_words == 7


@given(
    st.lists(st.sampled_from(BEFORE), max_size=3),
    st.lists(st.sampled_from([*AFTER, *((",", *tail) for tail in AFTER_A_STOP)]), max_size=3),
    st.sampled_from(["Buy milk", "Ann's flight", "the 25 red ones"]),
)
def test_politeness_changes_nothing(
    before: list[tuple[str, ...]], after: list[tuple[str, ...]], text: str
) -> None:
    """Neither whether it is the phrase nor what stands in it."""
    wrapped = [*before, ("note", "that", text), *after]
    assert found(NOTE, " ".join(" ".join(part) for part in wrapped)) == {"text": text}


def test_a_no_is_politeness_before_a_comma_only() -> None:
    """No more is not more."""
    more = Phrases(["more", "another one"])
    assert found(more, "no more") is None
    assert found(more, "No, more!") == {}
    assert found(more, "No. Another one, please.") == {}


def test_politeness_alone_is_a_phrase_too() -> None:
    """An utterance is never taken apart to nothing."""
    assert found(Phrases(["thank you"]), "Thank you!") == {}
    assert found(Phrases(["please"]), "please please") == {}


@pytest.mark.parametrize("phrase", ["another one", "[go|get] back (to|into) [the] start", "no one"])
def test_every_wording_of_a_phrase_matches_it(phrase: str) -> None:
    """Patterns are read as utterances are."""
    phrases = Phrases([phrase])
    for wording in wordings(phrase):
        assert found(phrases, " ".join(wording)) == {}


def test_a_pattern_has_wordings() -> None:
    """Each once."""
    assert {" ".join(wording) for wording in wordings("(go|get [me]) back [now]")} == {
        "go back now",
        "go back",
        "get me back now",
        "get me back",
        "get back now",
        "get back",
    }
    assert Phrases(["what's (up|up)"]).expansions() == {"what is up"}


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [
        ("tell (me", "lacks `)`"),
        ("tell me]", "has a `]` too many"),
        ("[please]", "may be empty"),
        ("", "may be empty"),
        ("tell {}", "not `{name}`"),
        ("tell {who", "not `{name}`"),
        ("tell {nobody}", "the slot `nobody`"),
        ("{text}", "no words of its own"),
        ("say {text} {other}", "two texts side by side"),
        ("say {text} and {text}", "a slot twice"),
        ("say {list} now", "cannot be a `list`"),
        ("say {several} now", "a slot cannot be"),
        ("say " + "[a|b|c|d] " * 7, "more than 4,000 wordings"),
    ],
)
def test_a_wrong_phrase_is_named(pattern: str, wrong: str) -> None:
    """With what is wrong with it."""
    with pytest.raises(ValueError, match="the phrase") as raised:
        Phrases(
            [pattern],
            slots={"text": str, "other": str, "list": list, "who": str, "several": int | str},
        )
    assert wrong in str(raised.value)
    assert pattern.strip() in str(raised.value)


@pytest.mark.parametrize(
    "said",
    [
        "set a timer for " + "5 minutes called " * 200,
        "note that " * 300,
        "please " * 900,
        "paint it " * 300 + "blue",
        "hey june could you please " * 100 + "note that it is so",
        "x" * 4_000,
        "a b " + "a x " * 78,
        "wait end " + "a minute and a half " * 30,
        "please can you " * 20 + "a b a " * 20 + " please thanks" * 20,
        "( $" * 1_000,
        "five hundred thousand and " * 150,
    ],
)
def test_no_utterance_takes_long(said: str) -> None:
    """A caller may say anything; n = 1 each, far from what a backtracking expression would take."""
    words = words_of(said)
    began = time.perf_counter()
    for phrases in (TIMER, NOTE, PAINT, LONG):
        phrases.match(words)
    assert time.perf_counter() - began < 0.5


@given(st.text(max_size=300))
def test_no_utterance_raises(said: str) -> None:
    """Whatever it is made of."""
    for phrases in (TIMER, NOTE, PAINT):
        phrases.match(words_of(said))

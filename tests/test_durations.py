"""Durations, in words and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from skills.durations import Duration, duration_of, spoken
from skills.words import words_of


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("five minutes", 300),
        ("1 minute", 60),
        ("a minute", 60),
        ("an hour", 3_600),
        ("an hour and a half", 5_400),
        ("one and a half hours", 5_400),
        ("two and a half minutes", 150),
        ("half an hour", 1_800),
        ("a half hour", 1_800),
        ("quarter of an hour", 900),
        ("a quarter of an hour", 900),
        ("three quarters of an hour", 2_700),
        ("one hour and thirty minutes", 5_400),
        ("1 hour 30 minutes 5 seconds", 5_405),
        ("ninety seconds", 90),
        ("a couple of minutes", 120),
        ("ten mins", 600),
        ("five minute", 300),
        ("1.5 hours", 5_400),
        ("a year", 31_536_000),
        ("two weeks", 1_209_600),
        ("zero seconds", 0),
        ("an hour and a quarter", 4_500),
        ("couple of hours", 7_200),
        ("half a minute", 30),
        ("half an hour and ten seconds", 1_810),
        ("twenty-five minutes", 1_500),
        ("a fortnight", 1_209_600),
    ],
)
def test_a_duration_has_seconds(said: str, seconds: float) -> None:
    """However it is said."""
    assert duration_of(words_of(said).plain) == seconds


@pytest.mark.parametrize(
    "said", ["", "five", "minutes", "a", "soon", "five apples", "30 seconds and", "5 minutes ago"]
)
def test_what_is_no_duration_is_none(said: str) -> None:
    """A number alone is none either."""
    assert duration_of(words_of(said).plain) is None


def test_parts_come_in_order() -> None:
    """Nobody says the seconds first."""
    assert duration_of("5 seconds 1 hour") is None
    assert duration_of("1 hour 1 hour") is None


@given(st.integers(1, 40 * 86_400))
def test_what_june_says_she_understands(seconds: int) -> None:
    """To the second."""
    assert duration_of(words_of(spoken(seconds)).plain) == seconds


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (300, "5 minutes"),
        (60, "1 minute"),
        (5_400, "1 hour and 30 minutes"),
        (90_061, "1 day, 1 hour, 1 minute and 1 second"),
        (0.2, "0 seconds"),
        (-3.0, "0 seconds"),
        (59.7, "1 minute"),
    ],
)
def test_a_duration_is_spoken(seconds: float, said: str) -> None:
    """In whole seconds."""
    assert spoken(seconds) == said


def test_a_duration_is_a_number_for_a_model() -> None:
    """Its schema says that it is seconds."""

    class Wait(BaseModel):
        seconds: Duration

    schema = Wait.model_json_schema()["properties"]["seconds"]
    assert (schema["type"], schema["description"]) == ("number", "A duration in seconds")

"""What the model is told, and June's own lines by language."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from agent.lines import ENGLISH, GERMAN, LINES, lines_for
from agent.prompt import instructions

DAY = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)


def told(
    language: str = "en",
    persona: str = "You are Ada.",
    further: str = "",
    *,
    can_hang_up: bool = True,
) -> str:
    return instructions(
        persona=persona, further=further, language=language, today=DAY, can_hang_up=can_hang_up
    )


def test_the_model_knows_who_it_is_how_to_speak_and_the_day() -> None:
    """All that a call needs, in one place."""
    words = told(further="The shop opens at nine.")
    for part in ("You are Ada.", "opens at nine", "one to three", "end_call", "Wednesday"):
        assert part in words
    assert "25 November 2026" in words
    assert "Speak English" in words


@pytest.mark.parametrize(
    ("language", "name"), [("de", "German"), ("de-CH", "German"), ("fr", "the tag `fr`")]
)
def test_the_model_is_told_the_language(language: str, name: str) -> None:
    """Also one that June has no lines of her own in."""
    assert name in told(language)


def test_a_tool_that_she_has_not_is_not_named() -> None:
    """`[skills] enabled` may leave `end_call` out."""
    assert "end_call" not in told(can_hang_up=False)


def test_nothing_is_said_about_what_is_not_configured() -> None:
    """No empty paragraph."""
    assert "\n\n\n" not in told(further="  ")


def test_german_is_complete_and_is_not_english() -> None:
    """Each sentence, and none of them twice."""
    for field in fields(GERMAN):
        assert getattr(GERMAN, field.name) != getattr(ENGLISH, field.name), field.name
    for lines in LINES.values():
        assert len(set(lines.all())) == len(lines.all())


@pytest.mark.parametrize(
    ("language", "lines"), [("de-AT", GERMAN), ("DE", GERMAN), ("en-GB", ENGLISH), ("fr", ENGLISH)]
)
def test_lines_are_found_by_language(language: str, lines: object) -> None:
    """Whatever the region; English where there are none."""
    assert lines_for(language) is lines

"""Texts that are too long end where a sentence does."""

import time

import pytest

from skills.cut import cut


@pytest.mark.parametrize(
    ("text", "characters", "left"),
    [
        ("", 10, ""),
        ("Short.", 6, "Short."),
        ("One. Two. Three.", 12, "One. Two."),
        ("One. Two. Three.", 9, "One. Two."),
        ("One. Two. Three.", 8, "One."),
        ('He said "no!" Then he left.', 15, 'He said "no!"'),
        ("Version 1.5 of it is out", 12, "Version 1.5"),
        ("no sentence ends in here", 11, "no sentence"),
        ("no sentence ends in here", 14, "no sentence"),
        ("Donaudampfschifffahrt", 5, "Donau"),
        (" " * 20, 5, " " * 5),
        ("a\ud800b", 10, "a?b"),
    ],
)
def test_a_text_is_cut_at_its_best_place(text: str, characters: int, left: str) -> None:
    """A sentence's end, else a word's, else anywhere."""
    assert cut(text, characters) == left


def test_a_text_of_any_size_is_cut_at_once() -> None:
    """A skill may return a whole book, and it is cut on the call's own thread."""
    book = "And so it went on, " * 1_000_000
    began = time.perf_counter()
    assert len(cut(book, 2_000)) <= 2_000
    assert time.perf_counter() - began < 0.05

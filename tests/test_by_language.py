"""Yes, no, and stop, in the language of a call."""

import pytest

from skills.by_language import OTHERS, answers, leaves
from skills.words import words_of


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        *((said, "yes") for said in ("Ja.", "Ja, bitte!", "Gerne, danke.", "Okay.", "Nur zu.")),
        *((said, "yes") for said in ("In Ordnung.", "Machen Sie das, bitte.", "Yes, go ahead.")),
        *((said, "no") for said in ("Nein.", "Nein danke", "Lieber nicht.", "Vielleicht später.")),
        *((said, "no") for said in ("Stopp!", "Hören Sie auf.", "Bitte abbrechen.", "No.")),
        *((said, "unclear") for said in ("", "Wie bitte?", "Jaguar", "Ich weiß nicht", "Bitte")),
    ],
)
def test_a_german_answer_is_understood(said: str, answer: str) -> None:
    """An English one too; what is neither is unclear."""
    assert answers(words_of(said), "de") == answer


@pytest.mark.parametrize(
    "said", ["Stopp.", "Hör auf, bitte.", "Danke, das reicht.", "Beenden", "Back to normal."]
)
def test_a_german_caller_gets_out(said: str) -> None:
    """Politely or not."""
    assert leaves(words_of(said), "de")


@pytest.mark.parametrize(
    "said", ["Die Bushaltestelle", "Hör nicht auf", "Das reicht mir noch nicht", "Am Ende", ""]
)
def test_who_only_speaks_of_it_stays(said: str) -> None:
    """Whole utterances, as in English."""
    assert not leaves(words_of(said), "de")


def test_in_another_language_only_english_is_listened_for() -> None:
    """German means nothing to an English call."""
    assert answers(words_of("Nein"), "en") == "unclear"
    assert not leaves(words_of("Schluss"), "fr")
    assert leaves(words_of("stop"), "fr")


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_listened_for_can_be_heard(language: str) -> None:
    """In the form that words take, and no word is both a yes and a no."""
    others = OTHERS[language]
    for said in others.YES | others.NO | others.EXITS:
        assert words_of(said).plain == said
    assert not others.YES & (others.NO | others.EXITS)

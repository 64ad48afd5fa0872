"""The offline brain: a few questions, answered rightly and honestly."""

import pytest

from agent.lines import LINES
from agent.models import brain
from agent.models.brain import Question, Said, answer, normalised


def ask(text: str, *earlier: Said) -> str:
    return answer(Question(text=text, earlier=earlier))


@pytest.mark.parametrize(
    "question",
    ["Who are you?", "What's your name?", "who is this", "Are you a robot?", "Are you human?"],
)
def test_june_says_who_she_is(question: str) -> None:
    """Whoever asks hears that she is an AI."""
    assert ask(question) == brain.WHO


@pytest.mark.parametrize(
    "question", ["What did I just say?", "What did I say?", "what have i said"]
)
def test_what_the_caller_said_is_said_back(question: str) -> None:
    """The last words before the question, not June's own and not the question."""
    earlier = (Said(True, "My dog is green."), Said(False, "I see."))
    assert ask(question, *earlier) == "You said: My dog is green."


def test_nothing_said_yet_is_said_so() -> None:
    """The first sentence of a first call may be this question."""
    assert ask("What did I just say?") == brain.NOTHING_SAID


def test_somebody_known_is_remembered() -> None:
    """What was said in an earlier call counts."""
    assert ask("Do you remember me?", Said(True, "I am Ann.")) == "Yes. You said: I am Ann."
    assert "haven't" in ask("Do you remember me?")


@pytest.mark.parametrize(
    "question",
    ["How do I connect a language model?", "How can I add a model?", "how do i set up an llm"],
)
def test_how_to_connect_a_model_is_explained(question: str) -> None:
    """The way out of the offline brain is one of the things that it knows."""
    assert ask(question) == brain.CONNECT


@pytest.mark.parametrize("words", ["Stop.", "Wait, please.", "please stop that", "Never mind."])
def test_who_is_told_to_stop_says_little(words: str) -> None:
    """The interruption was the point; a lecture would be another one."""
    assert ask(words) == brain.QUIET


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "Tell me a story about a knight.",
        "Every time I call, my sister laughs.",
        "Hello, can you book a table for two?",
        "",
        "…",
        "\x00\x07",
    ],
)
def test_what_june_cannot_answer_she_says_she_cannot(question: str) -> None:
    """No guess, no silence, and a way on."""
    assert ask(question) == brain.UNKNOWN


def test_june_repeats_herself() -> None:
    """Asked again, she says her last sentence again."""
    assert ask("Could you repeat that?", Said(False, "It's noon.")) == "It's noon."
    assert ask("What did you say?") == brain.NOTHING_TO_REPEAT


@pytest.mark.parametrize(
    ("heard", "same"),
    [("What's the TIME?!", "what is the time"), ("what\u2019s  the time", "what is the time")],
)
def test_spelling_and_punctuation_do_not_matter(heard: str, same: str) -> None:
    """Speech recognition decides both by chance."""
    assert normalised(heard) == same


def test_junes_own_lines_can_be_spoken() -> None:
    """No digits, signs or markup; and the greeting says that she is an AI."""
    for lines in LINES.values():
        for line in lines.all():
            assert line
            assert not set(line) & set("0123456789*_#`<>{}[]|/\\")
        assert "AI" in lines.greeting or "KI" in lines.greeting
        assert "AI" in lines.greeting_again or "KI" in lines.greeting_again

"""The offline brain: a few questions, answered rightly and honestly."""

from datetime import UTC, datetime

import pytest

from agent.lines import LINES
from agent.models import brain
from agent.models.brain import Question, Said, answer, normalised

NOON = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)


def ask(text: str, *earlier: Said, now: datetime = NOON) -> str:
    return answer(Question(text=text, earlier=earlier, now=now))


@pytest.mark.parametrize(
    "question",
    ["Who are you?", "What's your name?", "who is this", "Are you a robot?", "Are you human?"],
)
def test_june_says_who_she_is(question: str) -> None:
    """Whoever asks hears that she is an AI."""
    assert ask(question) == brain.WHO


@pytest.mark.parametrize(
    ("hour", "minute", "spoken"),
    [(0, 0, "12:00 a.m."), (12, 5, "12:05 p.m."), (13, 59, "1:59 p.m."), (9, 7, "9:07 a.m.")],
)
def test_the_time_is_told_as_people_say_it(hour: int, minute: int, spoken: str) -> None:
    """Twelve-hour clock, with its half."""
    told = ask("What time is it?", now=NOON.replace(hour=hour, minute=minute))
    assert told == f"It's {spoken}"


@pytest.mark.parametrize(
    "question", ["What is the date today?", "what day is it", "Which day is today?"]
)
def test_the_date_is_told_with_its_weekday(question: str) -> None:
    """A date is spoken whole."""
    assert ask(question) == "Today is Monday, November 23, 2026."


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


@pytest.mark.parametrize("question", ["What can you do?", "What else can I ask?", "Help."])
def test_june_says_what_she_can_do(question: str) -> None:
    """And that the rest needs a model."""
    assert "language model" in ask(question)


@pytest.mark.parametrize(
    "words",
    [
        "Goodbye.",
        "Bye!",
        "Good bye, June.",
        "Good-by.",
        "Okay, bye bye.",
        "Thanks, that's all, goodbye.",
        "Thank you very much. Bye now!",
        "Please hang up.",
        "End the call, please.",
    ],
)
def test_a_goodbye_ends_the_call(words: str) -> None:
    """And is answered by one."""
    assert brain.is_goodbye(words)
    assert ask(words) == brain.GOODBYE


@pytest.mark.parametrize(
    "words",
    [
        "Don't say goodbye.",
        "What does goodbye mean?",
        "How do you say goodbye?",
        "I never said bye.",
        "She said goodbye to me and then went home in the rain.",
        "Goodbye is a word with seven letters.",
        "What time is it?",
        "Can I buy a ticket?",
        "",
    ],
)
def test_who_talks_about_goodbyes_is_not_hung_up_on(words: str) -> None:
    """A call that ends by mistake is worse than one that goes on."""
    assert not brain.is_goodbye(words)


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

"""The caller's page is told of June's apologies, by what she really said."""

import json

import pytest
from livekit.agents import ConversationItemAddedEvent, llm

from agent.apologies import Apologies, Stage
from agent.events import Event
from agent.lines import ENGLISH, GERMAN, Lines


class Page:
    """What it is told in a call."""

    def __init__(self, lines: Lines) -> None:
        self._events: list[Event] = []
        self.apologies = Apologies(lines, self._events.append)

    def says(self, text: str, role: llm.ChatRole = "assistant") -> None:
        item = llm.ChatMessage(role=role, content=[text])
        self.apologies.commit(ConversationItemAddedEvent(item=item))

    @property
    def told(self) -> list[dict[str, str]]:
        return [json.loads(event.as_json()) for event in self._events]


def told(lines: Lines, text: str, role: llm.ChatRole = "assistant") -> list[dict[str, str]]:
    page = Page(lines)
    page.says(text, role)
    return page.told


@pytest.mark.parametrize("lines", [ENGLISH, GERMAN], ids=["en", "de"])
def test_each_apology_names_what_failed(lines: Lines) -> None:
    for line in (lines.trouble, lines.lost_words, lines.not_understood):
        assert told(lines, line) == [{"type": "trouble", "stage": "llm"}]


STAGES: list[tuple[str, Stage]] = [
    (ENGLISH.trouble, "tts"),
    (ENGLISH.cannot_hear, "stt"),
    (ENGLISH.cannot_hear, "vad"),
    (ENGLISH.not_caught, "stt"),
]


@pytest.mark.parametrize(("line", "stage"), STAGES)
def test_one_line_may_be_said_for_several(line: str, stage: Stage) -> None:
    """Whoever says it knows which; nothing is told before the caller has heard it, and once."""
    page = Page(ENGLISH)
    page.apologies.begun(line, stage)
    assert page.told == []
    page.says(f" {line} ")
    assert page.told == [{"type": "trouble", "stage": stage}]


def test_an_apology_that_nobody_heard_is_not_told() -> None:
    """The caller spoke again; the next one is for what fails then."""
    page = Page(ENGLISH)
    page.apologies.begun(ENGLISH.trouble, "tts")
    page.says("Hello?", role="user")
    page.says(ENGLISH.trouble)
    assert page.told == [{"type": "trouble", "stage": "llm"}]


def test_no_words_that_could_be_heard_are_no_trouble() -> None:
    """June asks for them again, and nothing has failed."""
    assert told(ENGLISH, ENGLISH.not_caught) == []


def test_an_answer_that_broke_off_ends_with_one() -> None:
    assert told(ENGLISH, f"Once upon a time {ENGLISH.lost_words}") == [
        {"type": "trouble", "stage": "llm"}
    ]


def test_whoever_else_says_so_has_no_trouble() -> None:
    """A caller who repeats it, and answers that are as they should be."""
    assert told(ENGLISH, ENGLISH.trouble, role="user") == []
    assert told(ENGLISH, "All is well.") == []
    assert told(ENGLISH, ENGLISH.greeting) == []

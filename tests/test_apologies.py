"""The caller's page is told of June's apologies, by what she really said."""

import json

import pytest
from livekit.agents import ConversationItemAddedEvent, llm

from agent.apologies import Apologies
from agent.events import Event
from agent.lines import ENGLISH, GERMAN, Lines


def told(lines: Lines, text: str, role: llm.ChatRole = "assistant") -> list[dict[str, str]]:
    events: list[Event] = []
    item = llm.ChatMessage(role=role, content=[text])
    Apologies(lines, events.append).commit(ConversationItemAddedEvent(item=item))
    return [json.loads(event.as_json()) for event in events]


@pytest.mark.parametrize("lines", [ENGLISH, GERMAN], ids=["en", "de"])
def test_each_apology_names_what_failed(lines: Lines) -> None:
    for line in (lines.trouble, lines.lost_words, lines.not_understood):
        assert told(lines, line) == [{"type": "trouble", "stage": "llm"}]
    for line in (lines.cannot_hear, lines.not_caught):
        assert told(lines, f" {line} ") == [{"type": "trouble", "stage": "stt"}]


def test_an_answer_that_broke_off_ends_with_one() -> None:
    assert told(ENGLISH, f"Once upon a time {ENGLISH.lost_words}") == [
        {"type": "trouble", "stage": "llm"}
    ]


def test_whoever_else_says_so_has_no_trouble() -> None:
    """A caller who repeats it, and answers that are as they should be."""
    assert told(ENGLISH, ENGLISH.trouble, role="user") == []
    assert told(ENGLISH, "All is well.") == []
    assert told(ENGLISH, ENGLISH.greeting) == []

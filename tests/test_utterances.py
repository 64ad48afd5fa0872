"""What people say, and what June makes of it: recall, precision, and no false start or exit."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from skills.answers import answer_in
from skills.exits import is_exit
from skills.loading import load_skills
from skills.registry import Begin, Registry, Use
from skills.words import words_of

FOLDER = Path(__file__).parent / "utterances"

NOTHING = ("none", "in_mode_none", "unclear")
"""Labels of what asks for nothing."""

SAME = {
    "set_alarm": "set_timer",
    "set_reminder": "set_timer",
    "cancel_timers": "cancel_timer",
    "remember": "add_note",
    "delete_note": "delete_notes",
    "what_can_you_do": "help",
}
"""Abilities that the data does not tell apart."""


@dataclass(frozen=True)
class Utterance:
    label: str
    text: str
    holds: Mapping[str, Any] = field(default_factory=dict)


def utterances() -> list[Utterance]:
    found = []
    for path in sorted(FOLDER.glob("*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                label, text, *holds = line.split("\t")
                found.append(Utterance(label, text, json.loads(holds[0]) if holds else {}))
    return found


@cache
def registry() -> Registry:
    def fail(file: str, problem: BaseException | str) -> None:
        raise AssertionError(f"{file}: {problem}")

    return load_skills(["*"], None, fail)


def understood(utterance: Utterance) -> tuple[str, Mapping[str, Any]]:
    """The label of what June makes of it, and what it holds."""
    words = words_of(utterance.text)
    if utterance.label in ("yes", "no", "unclear"):
        return answer_in(words), {}
    if utterance.label in ("exit", "in_mode_none"):
        exits = [(), *(mode.exits for mode in registry().modes.values())]
        return ("exit" if any(is_exit(words, one) for one in exits) else "in_mode_none"), {}
    match registry().find(words):
        case Use(ability, slots):
            return SAME.get(ability.name, ability.name), slots
        case Begin(mode, slots):
            return mode.name, slots
        case _:
            return "none", {}


def test_there_are_enough_of_them() -> None:
    """Half of them by somebody who did not know the phrases."""
    assert len(utterances()) >= 200
    blind = (FOLDER / "blind.tsv").read_text(encoding="utf-8").splitlines()
    assert sum(not line.startswith("#") for line in blind) >= len(utterances()) / 2


def test_most_of_what_people_ask_for_is_understood() -> None:
    """Recall of at least 98 %; precision is printed beside it, by label and in all."""
    asked: Counter[str] = Counter()
    right: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    for utterance in utterances():
        label, _ = understood(utterance)
        asked[utterance.label] += 1
        taken[label] += 1
        right[label] += label == utterance.label
        if label != utterance.label:
            print(f"{utterance.label}, taken for {label}: {utterance.text}")
    for label in sorted(asked):
        precision = right[label] / taken[label] if taken[label] else 1.0
        print(f"{label:13} recall {right[label]}/{asked[label]}, precision {precision:.2f}")
    wanted = [label for label in asked if label not in NOTHING]
    recall = sum(right[label] for label in wanted) / sum(asked[label] for label in wanted)
    precision = sum(right[label] for label in wanted) / sum(
        count for label, count in taken.items() if label not in NOTHING
    )
    print(f"recall {recall:.3f}, precision {precision:.3f}")
    assert recall >= 0.98


@pytest.mark.parametrize("label", NOTHING)
def test_nothing_happens_that_nobody_asked_for(label: str) -> None:
    """No false start, no false exit, and no consent that was none."""
    for utterance in utterances():
        if utterance.label == label:
            assert understood(utterance)[0] == label, utterance.text


def test_what_is_asked_for_is_asked_for_rightly() -> None:
    """The timer's length, the language, the note: as they were said."""
    wrong = []
    for utterance in utterances():
        _, slots = understood(utterance)
        for name, value in utterance.holds.items():
            if name in slots and _plain(slots[name]) != _plain(value):
                wrong.append((utterance.text, name, slots[name], value))
    assert wrong == []


def _plain(value: Any) -> Any:
    return words_of(value).plain if isinstance(value, str) else value

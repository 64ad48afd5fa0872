"""Notes: taken, read back and deleted, by phrase and by a model."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from skill_fakes import FakePorts

import skills.notes
from skills import Ability, SkillError
from skills.collecting import skill_of_module
from skills.notes import (
    LONGEST_CHARACTERS,
    NONE,
    NOT_FOUND,
    NOTHING_NOTED,
    TOO_LONG,
    WHAT,
    WHICH,
    add_note,
    delete_note,
    delete_notes,
    read_notes,
    remember,
)
from skills.registry import Registry, Use
from skills.words import words_of

REGISTRY = Registry([skill_of_module(skills.notes)])

KEPT = {
    "take a note buy milk": "buy milk",
    "Take a note: buy milk.": "buy milk",
    "Could you please take a note? Buy Milk.": "Buy Milk",
    "make a note that the plumber comes on Friday": "the plumber comes on Friday",
    "note down the code is 4 7 1 1": "the code is 4 7 1 1",
    "write down that I owe Bob ten dollars, please": "I owe Bob ten dollars",
    "June, make a note to call Dr. Smith": "call Dr. Smith",
    "add milk to my notes": "milk",
    "please note that I am away in June": "I am away in June",
    "note to self call mum": "call mum",
    "jot this down: the password is swordfish": "the password is swordfish",
    "don't let me forget to buy milk": "buy milk",
    "remember to buy milk": "buy milk",
    "remember that my locker is 12": "my locker is 12",
    "Please remember that Anna's shoe size is thirty eight.": ("Anna's shoe size is thirty eight"),
    "remember my locker number is 12": "my locker number is 12",
    "remember I parked on level three": "I parked on level three",
    "keep in mind that I'm allergic to nuts": "I'm allergic to nuts",
    "don't forget that the cat needs food": "the cat needs food",
    "remember this: the gate is open": "the gate is open",
}
READ = [
    *("read my notes", "Read my notes, please.", "what are my notes", "read me my notes"),
    *("what did I ask you to remember", "do I have any notes", "show me my notes", "list my notes"),
    *("what's in my notes", "can you read my notes back to me", "read out my notes"),
    *("how many notes do I have", "what did you write down for me", "what notes have I made"),
]
DELETED_ALL = [
    *("delete my notes", "Delete all my notes.", "clear my notes please", "erase all notes"),
    *("throw away my notes", "delete every note", "erase everything you wrote down for me"),
]
NOT_FOR_NOTES = [
    *("remember that time we went to Rome", "remember that time in Rome", "remember that film"),
    *("remember that time we were in Rome", "Remember that day when I was ill?", "remember me"),
    *(
        "do you remember that I told you my name",
        "remember the time",
        "take note",
        "what is a note",
    ),
    *("remember when we were young", "remember what is important", "my notes are a mess", "note"),
    *("my boss left me a note on my desk", "music notes are hard to read", "note the difference"),
    *("he took a note", "read my mind", "delete my account", "is there a note in C major", "notes"),
    *("do I have a note from my doctor", "she hit all the high notes", "what did you write"),
    *("forget it", "I wrote it down", "can you remember things", "delete the last sentence"),
]
NOTES = (
    "buy milk",
    "call the dentist",
    "the code is 12",
    "buy milk for Bob",
    "feed the cat",
    "six",
)
DELETED = {
    "delete the last note": "six",
    "delete my most recent note": "six",
    "delete note 2": "call the dentist",
    "delete note number two": "call the dentist",
    "delete the second note": "call the dentist",
    "erase the first note": "buy milk",
    "remove the note about the dentist": "call the dentist",
    "delete the note about Bob": "buy milk for Bob",
    "forget the cat note": "feed the cat",
    "delete note 12": "the code is 12",
}


def kept(*texts: str, answers: Sequence[str] = ()) -> FakePorts:
    """Ports of a caller who has these notes."""
    ports = FakePorts(answers=answers)
    ports.memory.texts = {f"{place:03}": text for place, text in enumerate(texts)}
    return ports


async def said(text: str, ports: FakePorts) -> str:
    """What June says to it."""
    found = REGISTRY.find(words_of(text))
    assert isinstance(found, Use), text
    return await used(found.ability, ports, **found.slots)


async def used(ability: Ability, ports: FakePorts, **arguments: Any) -> str:
    return await ability.use(ports, ability.arguments.model_validate(arguments))


@pytest.mark.parametrize(("text", "note"), KEPT.items())
async def test_a_note_is_kept_in_the_callers_words(text: str, note: str) -> None:
    """Their spelling as well; and it is read back, so that a mistake is heard."""
    ports = FakePorts()
    assert await said(text, ports) == f"Noted: {note}."
    assert list(ports.memory.texts.values()) == [note]


@pytest.mark.parametrize("text", NOT_FOR_NOTES)
def test_what_is_no_note_is_left_alone(text: str) -> None:
    """Who says "remember that time" tells something."""
    assert REGISTRY.find(words_of(text)) is None


@pytest.mark.parametrize("text", ["take a note", "Add a note, please.", "new note", "make a note"])
async def test_an_empty_note_is_asked_for(text: str) -> None:
    """The next words of the caller are the note."""
    ports = FakePorts(answers=["Buy milk."])
    assert await said(text, ports) == "Noted: Buy milk."
    assert ports.asked == [WHAT]


@pytest.mark.parametrize("answer", ["never mind", "cancel", "", "\u2026", "stop it please"])
async def test_who_has_nothing_to_note_notes_nothing(answer: str) -> None:
    """After they were asked."""
    ports = FakePorts(answers=[answer])
    assert await said("take a note", ports) == NOTHING_NOTED
    assert ports.memory.texts == {}


async def test_notes_are_read_in_the_order_of_their_times() -> None:
    """Also those of one moment, and of a moment with fewer digits."""
    ports = FakePorts()
    for number in range(4):
        await used(add_note, ports, text=f"note {number}")
        ports.pass_time(0.999 * number + 0.001)
    assert await said("read my notes", ports) == (
        "You have 4 notes. Number 1: note 0. Number 2: note 1. Number 3: note 2. Number 4: note 3."
    )
    await used(add_note, ports, text="twice")
    await used(add_note, ports, text="twice")
    assert list(ports.memory.texts.values()).count("twice") == 2


@pytest.mark.parametrize("text", READ)
async def test_notes_are_read(text: str) -> None:
    """However one asks for them."""
    assert await said(text, FakePorts()) == NONE
    assert await said(text, kept("buy milk")) == "You have one note: buy milk."
    assert await said(text, kept("Buy milk.", "Why?")) == (
        "You have 2 notes. Number 1: Buy milk. Number 2: Why?"
    )


async def test_many_notes_are_not_read_at_once() -> None:
    """Five, and how many more there are."""
    told = await said("read my notes", kept(*NOTES))
    assert told.endswith("Number 5: feed the cat. There is 1 more.")
    told = await said("read my notes", kept(*NOTES, *NOTES))
    assert told.endswith("Number 5: feed the cat. There are 7 more.")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("read my last note", "six."),
        ("read note 2", "call the dentist."),
        ("what is my first note", "buy milk."),
        ("read the note about milk", "buy milk. buy milk for Bob."),
        ("read note nine", NOT_FOUND),
    ],
)
async def test_one_note_is_read(text: str, told: str) -> None:
    """By its place or its words."""
    assert await said(text, kept(*NOTES)) == told


@pytest.mark.parametrize(("text", "note"), DELETED.items())
async def test_one_note_is_deleted(text: str, note: str) -> None:
    """By its place or its words, and no other one."""
    ports = kept(*NOTES)
    assert await said(text, ports) == f"I deleted the note: {note}."
    assert list(ports.memory.texts.values()) == [one for one in NOTES if one != note]


@pytest.mark.parametrize("text", ["delete note 99", "delete the note about a zebra"])
async def test_a_note_that_is_not_there_is_not_deleted(text: str) -> None:
    """And neither is any other."""
    ports = kept(*NOTES)
    assert await said(text, ports) == NOT_FOUND
    assert len(ports.memory.texts) == len(NOTES)
    assert await said(text, FakePorts()) == NONE


async def test_of_several_that_may_be_meant_none_is_deleted() -> None:
    """The caller says more."""
    ports = kept(*NOTES)
    assert "There are 2 such notes" in await said("delete the note about milk", ports)
    assert len(ports.memory.texts) == len(NOTES)


async def test_which_note_is_asked_if_there_are_several() -> None:
    """The only one needs no name."""
    ports = kept(*NOTES, answers=["the last one"])
    assert await said("delete that note", ports) == "I deleted the note: six."
    assert ports.asked == [WHICH]
    ports = kept(*NOTES, answers=["never mind"])
    assert await said("delete the note", ports) == NOT_FOUND
    assert await said("delete the note", kept("buy milk")) == "I deleted the note: buy milk."


@pytest.mark.parametrize("text", DELETED_ALL)
async def test_all_notes_are_deleted(text: str) -> None:
    """And then there are none."""
    ports = kept(*NOTES)
    assert await said(text, ports) == "I deleted all your 6 notes."
    assert ports.memory.texts == {}
    assert await said(text, ports) == NONE
    assert await said(text, kept("one")) == "I deleted your note."


@pytest.mark.parametrize("ability", [add_note, remember])
async def test_a_note_may_not_be_too_long(ability: Ability) -> None:
    """Nobody would hear it out."""
    argument = next(iter(ability.arguments.model_fields))
    ports = FakePorts()
    assert await used(ability, ports, **{argument: "x" * (LONGEST_CHARACTERS + 1)}) == TOO_LONG
    assert ports.memory.texts == {}
    await used(ability, ports, **{argument: "x" * LONGEST_CHARACTERS})
    assert len(ports.memory.texts) == 1


async def test_a_model_may_keep_nothing() -> None:
    """It gives what it likes: it is kept in one line, or not at all."""
    ports = FakePorts()
    assert await used(remember, ports, fact=" \n ") == NOTHING_NOTED
    assert await used(remember, ports, fact=" two\n\n lines ") == "Noted: two lines."
    assert list(ports.memory.texts.values()) == ["two lines"]


@pytest.mark.parametrize("ability", [add_note, read_notes, delete_note, delete_notes])
async def test_a_store_that_is_away_or_full_says_so_itself(ability: Ability) -> None:
    """In a sentence of June's."""
    ports = FakePorts()
    ports.memory.is_away = True
    given = {"text": "buy milk"} if ability is add_note else {}
    with pytest.raises(SkillError, match="memory"):
        await used(ability, ports, **given)


@pytest.mark.parametrize(
    ("ability", "arguments"),
    [
        (add_note, {"text": 7}),
        (add_note, {"text": None}),
        (add_note, {"text": "a", "title": "b"}),
        (remember, {}),
        (delete_note, {"which": 2}),
        (delete_notes, {"sure": True}),
        (read_notes, {"which": ["1"]}),
    ],
)
def test_arguments_of_the_wrong_type_are_refused(
    ability: Ability, arguments: dict[str, Any]
) -> None:
    """Before the skill is used."""
    with pytest.raises(ValidationError):
        ability.arguments.model_validate(arguments)


@given(which=st.text(max_size=20))
async def test_anything_may_be_asked_for(which: str) -> None:
    """The answer is a sentence, and at most one note is gone."""
    ports = kept(*NOTES, answers=["the last one"])
    assert (await used(delete_note, ports, which=which))[-1] in ".!?"
    assert len(ports.memory.texts) >= len(NOTES) - 1

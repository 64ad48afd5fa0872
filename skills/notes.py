"""Notes: kept for the caller until they delete them."""

import secrets
from collections.abc import Mapping
from typing import Annotated

from skills.ability import ability
from skills.ports import Ports
from skills.slots import Saying

HELP = "keep notes"

LONGEST_CHARACTERS = 500
MOST_READ = 5

NONE = "You have no notes."
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")

_KEEP = "(keep in mind|remember|remember for me|do not forget|don't forget)"
_NOTES = "(notes|note|reminders and notes|list of notes)"


Fact = Annotated[
    str,
    Saying(
        r"\b(is|are|am|was|were|has|have|will|needs?|wants?|likes?|lives?|must|should|comes?|leaves?"
        r"|starts?|begins?|ends?|goes|owes?|costs?|parked|put|left|called|prefers?|hates?|can't)\b"
    ),
]
"""Who says "remember that time in Rome" tells, and asks for nothing."""


@ability(
    phrases=[
        "(take|make|write|leave|add|create|save|keep|jot down|put down) (a|the|one|another|this) "
        "(note|memo) [that|to|saying|of|about] {text}",
        "(take|make|write|save|keep) (a|another) (note|memo) for me [that|to] {text}",
        "(jot|write|note|put) (this|that|it) down {text}",
        "(add|put|write|save) {text} (to|in|into|on|down in) my notes",
        "note [down] [that|to] {text}",
        "(write|jot) down [that|this] {text}",
        f"{_KEEP} to {{text}}",
        f"{_KEEP} (this|the following) {{text}}",
        "note to self {text}",
        "new note {text}",
    ]
)
async def add_note(ports: Ports, text: str) -> str:
    """Keep a note for the caller, in their own words, until they delete it."""
    return await _kept(ports, text)


@ability(phrases=[f"{_KEEP} that {{fact}}"])
async def remember(ports: Ports, fact: Fact) -> str:
    """Keep something in mind that the caller wants to be remembered in later calls."""
    return await _kept(ports, fact)


async def _kept(ports: Ports, text: str) -> str:
    kept = " ".join(text.split())
    if len(kept) > LONGEST_CHARACTERS:
        return "That is too long for a note. Could you say it in fewer words?"
    if not any(map(str.isalnum, kept)):
        return "There was nothing to note."
    # By time, so that they are read in order; two in one moment are two.
    key = f"{ports.now().timestamp():017.3f}-{secrets.token_hex(4)}"
    await ports.memory.put(key, kept)
    return f"Noted: {kept.rstrip('.!?')}."


@ability(
    phrases=[
        f"(read|show|list|tell me|give me|repeat|check) [me] [all] [of] my {_NOTES}",
        f"what (are|is) [in|on] my {_NOTES}",
        f"what {_NOTES} do i have",
        f"do i have [any] {_NOTES} [saved|stored|written down]",
        "(hear|see|get|have) my notes [again|read]",
        "what did i (note|write down|ask you to remember|tell you to remember|note down)",
        "what did i (ask|tell) you to (write down|note|keep|note down)",
        "what (have i|did i) (noted|written down|asked you to remember)",
        "(read|play) back my notes",
        "read my notes (back|to me)",
        "what (should|did) you remember for me",
    ]
)
async def read_notes(ports: Ports) -> str:
    """Read the caller's notes to them."""
    notes = list((await ports.memory.all()).values())
    if not notes:
        return NONE
    read = " ".join(_sentence(note) for note in notes[:MOST_READ])
    more = len(notes) - MOST_READ
    count = "one note" if len(notes) == 1 else f"{len(notes)} notes"
    rest = f" There {'is' if more == 1 else 'are'} {more} more." if more > 0 else ""
    return f"You have {count}. {read}{rest}"


@ability(
    phrases=[
        "(delete|remove|erase|forget) [the|my] note (about|number|that says|on|saying) {which}",
        "(delete|remove|erase|clear|forget) (the|my) {which} note",
        "(delete|remove|erase|forget) note {which}",
    ]
)
async def delete_note(ports: Ports, which: str) -> str:
    """Delete one note: by its number, `last`, or some words that are in it."""
    notes = await ports.memory.all()
    if not notes:
        return NONE
    found = _found(notes, which)
    if not found:
        return "I found no such note."
    if len(found) > 1:
        return f"There are {len(found)} such notes. Say more of the one that you mean."
    if await ports.memory.take(found[0]) is None:
        return "I found no such note."
    return f"I deleted the note: {_sentence(notes[found[0]])}"


@ability(
    phrases=[
        "(delete|remove|erase|clear|forget|throw away) [all] [of] my notes",
        "(delete|remove|erase|clear) (all|every one of) [the] notes",
        "(delete|remove|erase|clear|forget) (everything|all) [that] (i|you) "
        "(noted|wrote down|have noted|kept|remembered|noted down) [for me]",
        "clear (the|my) (note list|list of notes)",
    ]
)
async def delete_notes(ports: Ports) -> str:
    """Delete all notes of the caller, when they ask for it."""
    deleted = [await ports.memory.take(key) for key in await ports.memory.all()]
    count = sum(text is not None for text in deleted)
    if not count:
        return NONE
    return "I deleted your note." if count == 1 else f"I deleted all your {count} notes."


def _found(notes: Mapping[str, str], which: str) -> list[str]:
    keys = list(notes)
    wanted = which.casefold().strip(" .!?")
    if wanted in ("last", "latest", "newest", "most recent"):
        return keys[-1:]
    if wanted.isdecimal():
        return keys[int(wanted) - 1 : int(wanted)] if int(wanted) > 0 else []
    if wanted in ORDINALS:
        place = ORDINALS.index(wanted)
        return keys[place : place + 1]
    return [key for key, text in notes.items() if wanted in text.casefold()]


def _sentence(note: str) -> str:
    return note if note.endswith((".", "!", "?")) else f"{note}."

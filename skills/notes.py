"""Notes: kept for the caller until they delete them."""

import secrets
from collections.abc import Mapping
from typing import Annotated

from skills.ability import ability
from skills.exits import is_exit
from skills.ports import Ports
from skills.slots import Saying
from skills.words import words_of

HELP = "keep notes"

LONGEST_CHARACTERS = 500
MOST_READ = 5

NONE = "You have no notes."
WHAT = "What should I note?"
WHICH = "Which one should I delete?"
NOTHING_NOTED = "All right, I noted nothing."
TOO_LONG = "That is too long for a note. Could you say it in fewer words?"
NOT_FOUND = "I found no such note."
LAST = ("last", "latest", "newest", "most recent", "last 1")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")

_KEEP = "(remember|keep in mind|remember for me|do not forget|don't forget)"
_FORGET = "(delete|remove|erase|clear|forget|cross out|get rid of)"
_TAKE = "(take|make|write|leave|add|create|save|keep|jot down|put down|start)"
_READ = "(read|read me|read out|show|show me|list|tell me|give me|repeat|check|hear|see|go through)"

Fact = Annotated[
    str,
    Saying(
        r"^(?!(?:the |this |that )?(?:time|times|day|days|night|summer|winter|trip|movie|film|song"
        r"|story|book|game|guy|girl|man|woman|1|what|who|when|where|how|why|if|me)\b)"
        r".*\b(is|are|am|was|were|has|have|will|needs?|wants?|likes?|lives?|must|should|comes?"
        r"|leaves?|starts?|begins?|ends?|goes|owes?|costs?|parked|put|left|called|prefers?|hates?"
        r"|can't)\b"
    ),
]
"""Who says "remember that time in Rome" tells, and asks for nothing."""

_LITTLE = frozenset(
    ("the", "a", "an", "my", "about", "note", "notes", "number", "with", "st", "nd", "rd", "th")
)


@ability(
    phrases=[
        f"{_TAKE} (a|the|one|another|this) (note|memo) "
        "[to|that|saying|that says|of|about] {text}",
        "(take|make|write|save|keep) (a|another) (note|memo) for me [to|that] {text}",
        "(make|take) a note of this {text}",
        f"{_TAKE} (a|another|one) [new] (note|memo) [for me]",
        "(jot|write|note|put) (this|that|it|something) down [{text}]",
        "(add|put|write|save) {text} (to|in|into|on|down in) my notes",
        "note down [to|that] {text}",
        "(note|please note) (that|to) {text}",
        "(write|jot) down [that|this] {text}",
        f"{_KEEP} to {{text}}",
        "(don't|do not) let me forget to {text}",
        f"{_KEEP} (this|the following) {{text}}",
        "[new|a] note to (self|myself) {text}",
        "new note [{text}]",
    ]
)
async def add_note(ports: Ports, text: str = "") -> str:
    """Keep a note for the caller, in their own words, until they delete it."""
    if not _says_something(text):
        text = await ports.ask(WHAT)
        if is_exit(words_of(text)) or not _says_something(text):
            return NOTHING_NOTED
    return await _kept(ports, text)


@ability(phrases=[f"{_KEEP} that {{fact}}", f"{_KEEP} {{fact}}"])
async def remember(ports: Ports, fact: Fact) -> str:
    """Keep something in mind that the caller wants to be remembered in later calls."""
    return await _kept(ports, fact) if _says_something(fact) else NOTHING_NOTED


async def _kept(ports: Ports, text: str) -> str:
    kept = " ".join(text.split())
    if len(kept) > LONGEST_CHARACTERS:
        return TOO_LONG
    # By time, so that they are read in order; two in one moment are two.
    key = f"{ports.now().timestamp():017.3f}-{secrets.token_hex(4)}"
    await ports.memory.put(key, kept)
    return f"Noted: {_sentence(kept)}"


def _says_something(text: str) -> bool:
    return any(map(str.isalnum, text))


@ability(
    phrases=[
        f"{_READ} [all] [of] my notes [again|back|back to me|to me|out|aloud|out loud]",
        f"{_READ} (the|all the|all) notes",
        f"{_READ} (my|the) {{which}} note",
        f"{_READ} note [number] {{which}}",
        f"{_READ} (my|the) note about {{which}}",
        "(read|play) back my notes",
        "what (are|is) [in|on] my (notes|list of notes|note list)",
        "what (is|was|does) (my|the) {which} note [say]",
        "what do my notes say",
        "what notes (do i have|have i got|have i made|did i make|are there)",
        "how many notes (do i have|have i got|are there)",
        "do i have [any] notes [saved|stored|written down]",
        "(have|get) my notes [read]",
        "what did i (note|write down|note down|ask you to remember|tell you to remember)",
        "what did i (ask|tell) you to (write down|note|keep|note down)",
        "what did you (note|write down|note down) [for me]",
        "what have (i|you) (noted|written down|noted down) [for me]",
        "what (have i|did i) asked you to remember",
        "what (should|did) you remember for me",
    ],
    heard_as=["(red|bread) my notes", "red mine notes", "what are mine notes"],
)
async def read_notes(ports: Ports, which: str = "") -> str:
    """Read the caller's notes to them: all, or the one that `which` names."""
    notes = await ports.memory.all()
    if not notes:
        return NONE
    if _says_something(which):
        found = _found(notes, which)
        return " ".join(_sentence(notes[key]) for key in found[:MOST_READ]) or NOT_FOUND
    if len(notes) == 1:
        return f"You have one note: {_sentence(*notes.values())}"
    texts = list(notes.values())[:MOST_READ]
    read = " ".join(f"Number {number}: {_sentence(text)}" for number, text in enumerate(texts, 1))
    more = len(notes) - len(texts)
    rest = f" There {'is' if more == 1 else 'are'} {more} more." if more else ""
    return f"You have {len(notes)} notes. {read}{rest}"


@ability(
    phrases=[
        f"{_FORGET} [the|my] note (about|number|that says|on|saying|with|to) {{which}}",
        f"{_FORGET} (the|my) {{which}} note",
        f"{_FORGET} (the|my) {{which}} (of my notes|of the notes)",
        f"{_FORGET} note {{which}}",
        f"{_FORGET} (the|my|that|this) note",
        f"{_FORGET} {{which}} from my notes",
    ],
    last_words=True,
)
async def delete_note(ports: Ports, which: str = "") -> str:
    """Delete one note: by its number, `last`, or some words that are in it."""
    notes = await ports.memory.all()
    if not notes:
        return NONE
    if not _says_something(which) and len(notes) > 1:
        which = await ports.ask(WHICH)
    found = _found(notes, which)
    if not found:
        return NOT_FOUND
    if len(found) > 1:
        return f"There are {len(found)} such notes. Say more of the one that you mean."
    if await ports.memory.take(found[0]) is None:
        return NOT_FOUND
    return f"I deleted the note: {_sentence(notes[found[0]])}"


@ability(
    phrases=[
        "(delete|remove|erase|clear|forget|throw away|get rid of) [all] [of] my notes",
        f"{_FORGET} (all|every one of|all of) [the] notes",
        f"{_FORGET} (every|each) note",
        f"{_FORGET} (everything|all) [that] (i|you) "
        "(noted|wrote down|have noted|kept|noted down) [for me]",
        "clear (the|my) (note list|list of notes)",
    ],
    last_words=True,
)
async def delete_notes(ports: Ports) -> str:
    """Delete all notes of the caller, when they ask for it."""
    deleted = [await ports.memory.take(key) for key in await ports.memory.all()]
    count = sum(text is not None for text in deleted)
    if not count:
        return NONE
    return "I deleted your note." if count == 1 else f"I deleted all your {count} notes."


def _found(notes: Mapping[str, str], which: str) -> list[str]:
    """The keys of the notes that may be meant; of one alone, that one."""
    keys = list(notes)
    words = [word for word in words_of(which).plain.split() if word not in _LITTLE]
    wanted = " ".join(words)
    if not words:
        return keys if len(keys) == 1 else []
    if wanted in LAST:
        return keys[-1:]
    if words[0] in ORDINALS and words[1:] in ([], ["1"]):
        place = ORDINALS.index(words[0])
        return keys[place : place + 1]
    if wanted.isdecimal() and 0 < int(wanted) <= len(keys):
        return [keys[int(wanted) - 1]]
    return [key for key, text in notes.items() if set(words) <= set(words_of(text).plain.split())]


def _sentence(note: str) -> str:
    return note if note.endswith((".", "!", "?")) else f"{note}."

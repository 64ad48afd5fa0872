"""Notes: kept for the caller until they delete them."""

import secrets
from collections.abc import Mapping

from skills.ability import ability
from skills.ports import Ports

HELP = "keep notes"

LONGEST_CHARACTERS = 500
MOST_READ = 5

NONE = "You have no notes."
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")

_KEEP = "(keep in mind|remember|remember for me|do not forget|don't forget)"
_NOTES = "(notes|note|reminders and notes|list of notes)"


@ability(
    phrases=[
        "(take|make|write|leave|add|create|save|keep|jot down|put down) (a|the|one|another|this) "
        "(note|memo) [that|to|saying|of|for me that|about] {text}",
        "(add|put|write|save) {text} (to|in|into|on|down in) my notes",
        "note [down] [that|to] {text}",
        "(write|jot) down [that|this] {text}",
        f"{_KEEP} that (my|i|the|we|our|his|her|she|he|they|it|there|tomorrow|today) {{text}}",
        f"{_KEEP} to {{text}}",
        f"{_KEEP} (this|the following) {{text}}",
        "note to self {text}",
        "new note {text}",
    ]
)
async def add_note(ports: Ports, text: str) -> str:
    """Keep a note for the caller, in their own words, until they delete it."""
    kept = " ".join(text.split())
    if len(kept) > LONGEST_CHARACTERS:
        return "That is too long for a note. Could you say it in fewer words?"
    if not any(map(str.isalnum, kept)):
        return "There was nothing to note."
    # By time, so that they are read in order; two in one moment are two.
    key = f"{ports.now().timestamp():017.3f}-{secrets.token_hex(4)}"
    await ports.memory.put(key, kept)
    return f"Noted: {kept.rstrip('.!?')}."

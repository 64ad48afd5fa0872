"""A phrase as a person would say it, to be shown or told as an example."""

import re
from collections.abc import Mapping
from typing import Any

from skills.slots import slot_of

EXAMPLES: Mapping[str, str] = {
    "seconds": "5 minutes",
    "name": "tea",
    "at": "7 o'clock",
    "place": "Tokyo",
    "what": "call Bob",
    "text": "buy milk",
    "fact": "my locker is number 12",
    "topic": "a dragon",
    "language": "French",
    "source": "English",
    "stay": "stay in",
    "which": "milk",
    "about": "timers",
    "kind": "timer",
    "kinds": "timers",
}
"""What stands in a slot of this name; in another one what its type says, or its name."""

OF_KIND: Mapping[str, str] = {"number": "3", "duration": "5 minutes"}

LITTLE = ("a", "an", "the", "my", "your", "me", "to", "for", "at", "left")
"""What is optional and reads well."""

_AGREEMENT = (
    (re.compile(r"\bi\b"), "I"),
    (re.compile(r"\ba (?=[aeiou])"), "an "),
    (re.compile(r"\b5 minutes (?=timer|alarm)"), "5 minute "),
)
_CHOICE = re.compile(r"\(([^()\[\]]*)\)")
_OPTION = re.compile(r"\[([^()\[\]]*)\]")


def as_said(pattern: str, types: Mapping[str, Any] | None = None) -> str:
    """The first choice everywhere; what is optional is left out, unless it is a little word.

    `types` are those of the slots, where they are known.
    """
    said, before = pattern, ""
    while said != before:
        before = said
        said = _CHOICE.sub(lambda choice: choice[1].split("|")[0], said)
        said = _OPTION.sub(_little, said)
    said = re.sub(r"\{(\w+)\}", lambda slot: _example(slot[1], types or {}), said)
    said = " ".join(said.split())
    for wrong, right in _AGREEMENT:
        said = wrong.sub(right, said)
    return said


def _example(name: str, types: Mapping[str, Any]) -> str:
    if name in EXAMPLES:
        return EXAMPLES[name]
    kind = slot_of(types[name]).kind if name in types else ""
    # Of a few words that may be said, the first one.
    said = OF_KIND.get(kind) or kind.partition("|")[0] or name
    return said.replace("_", " ")


def _little(option: re.Match[str]) -> str:
    first = option[1].split("|")[0].strip()
    return first if first in LITTLE else ""

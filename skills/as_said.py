"""A phrase as a person would say it, to be shown or told as an example."""

import re
from collections.abc import Mapping

EXAMPLES: Mapping[str, str] = {
    "seconds": "5 minutes",
    "name": "tea",
    "at": "7 o'clock",
    "place": "Tokyo",
    "text": "buy milk",
    "topic": "a dragon",
    "language": "French",
    "which": "milk",
    "about": "timers",
}
"""What stands in a slot of this name; in another one stands its name."""

ARTICLES = ("a", "an", "the", "my", "your", "me", "to")

_CHOICE = re.compile(r"\(([^()\[\]]*)\)")
_OPTION = re.compile(r"\[([^()\[\]]*)\]")


def as_said(pattern: str) -> str:
    """The first choice everywhere; what is optional is left out, unless it is a little word."""
    said, before = pattern, ""
    while said != before:
        before = said
        said = _CHOICE.sub(lambda choice: choice[1].split("|")[0], said)
        said = _OPTION.sub(_little, said)
    said = re.sub(r"\{(\w+)\}", lambda slot: EXAMPLES.get(slot[1], slot[1]), said)
    return re.sub(r"\bi\b", "I", " ".join(said.split()))


def _little(option: re.Match[str]) -> str:
    first = option[1].split("|")[0].strip()
    return first if first in ARTICLES else ""

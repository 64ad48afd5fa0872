"""A summary by rule, where no model writes one; and how long any summary may be."""

from collections import deque
from collections.abc import Sequence

from session.records import Role

LONGEST_SUMMARY_CHARACTERS = 1_500
LONGEST_SAYING_CHARACTERS = 120


def by_rule(earlier: str | None, said: Sequence[tuple[Role, str]]) -> str:
    """What the caller said, a line for each message, after the lines of `earlier`.

    Where there is no room for all of them the oldest ones go.
    """
    lines = [*(earlier or "").splitlines(), *_told(said)]
    kept: deque[str] = deque()
    room = LONGEST_SUMMARY_CHARACTERS
    for line in reversed(lines):
        if len(line) > room:
            break
        kept.appendleft(line)
        room -= len(line) + 1
    return "\n".join(kept)


def _told(said: Sequence[tuple[Role, str]]) -> list[str]:
    return [
        f"The caller said: {shortened(text, LONGEST_SAYING_CHARACTERS)}"
        for role, text in said
        if role == "user" and text.strip()
    ]


def shortened(text: str, longest_characters: int) -> str:
    """As one line, and cut where it is too long."""
    line = " ".join(text.split())
    if len(line) <= longest_characters:
        return line
    return line[: longest_characters - 1].rstrip() + "…"

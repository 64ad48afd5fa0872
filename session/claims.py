"""Duplicates: who is the first to do something, and what came of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """What came of an attempt to be the first."""

    is_first: bool
    result: str | None = None
    """What the first one has left for those after it, once it is done."""

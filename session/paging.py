"""How much one answer may hold."""

MOST_SESSIONS = 1_000

MOST_SKIPPED = 2**40
"""A database counts no further than 2**63."""


def within(limit: int, skip: int) -> tuple[int, int]:
    """The nearest to these that a store can be asked for."""
    return min(max(limit, 0), MOST_SESSIONS), min(max(skip, 0), MOST_SKIPPED)

"""How long replies took: a true mean, and percentiles by nearest rank."""

import math
from collections.abc import Sequence

from session.records import ReplyTimes

NEWEST = 10_000
"""So many replies at most are looked at for one figure."""


def reply_times(seconds: Sequence[float]) -> ReplyTimes:
    """In any order."""
    if not seconds:
        return ReplyTimes()
    ordered = sorted(seconds)
    return ReplyTimes(
        turns=len(ordered),
        mean_seconds=math.fsum(ordered) / len(ordered),
        p50_seconds=nearest_rank(ordered, 0.50),
        p95_seconds=nearest_rank(ordered, 0.95),
    )


def nearest_rank(ordered: Sequence[float], part: float) -> float:
    """The smallest value that at least this part of all, smallest first, does not exceed."""
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]

"""How often somebody may do something: the rules as values, and the arithmetic all stores share.

A store keeps *hits* under keys: when something was done, each under a tag, so that attempts at one
turn count once. A refused attempt spends nothing. Who is refused too often is blocked for a while,
and for twice as long each further time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

NEAR = 0.8
"""How much of a limit must be used before somebody is warned."""

STRIKES_KEPT_SECONDS = 86_400.0
"""How long after its end a block makes the next one longer."""


@dataclass(frozen=True)
class Window:
    """At most `limit` hits of `key` within any `seconds`."""

    key: str
    limit: int
    seconds: float
    reason: str
    """What a refusal by it is called."""
    leads_to_block: bool = True
    """Whether a refusal by it is the user's own doing; by what all share it is not."""


@dataclass(frozen=True)
class BlockRule:
    """So many refusals within a time block `key`, first for the shortest time, at last the longest.

    Each block doubles the time of the next, until there was none for `STRIKES_KEPT_SECONDS`.
    """

    key: str
    refusals: int = 3
    within_seconds: float = 60.0
    shortest_seconds: float = 900.0
    longest_seconds: float = 14_400.0

    def seconds(self, strikes: int) -> float:
        """How long a block lasts after so many earlier ones."""
        # Beyond this exponent every block is the longest one, and a float would overflow.
        return min(self.longest_seconds, self.shortest_seconds * 2.0 ** min(strikes, 64))


@dataclass(frozen=True)
class Ask:
    """One thing somebody wants to do: a turn, a call."""

    tag: str
    """Attempts under the same tag count once."""
    windows: tuple[Window, ...]
    block: BlockRule | None = None
    budgets: tuple["Budget", ...] = ()
    """Looked at, not spent: whether there is any money left for it."""
    counts: bool = True
    """False for one who only asks: neither what is allowed nor a refusal is counted."""


@dataclass(frozen=True)
class Budget:
    """What one account may spend. None: no limit."""

    key: str
    """The account: a fleet's day, a user's day, a session."""
    reason: str
    """What a refusal by it is called."""
    micros: int | None = None
    """Millionths of a dollar."""
    tokens: int | None = None
    requests: int | None = None
    ends_at: float | None = None
    """When it begins anew; None for never."""
    trips_breaker: bool = False
    """Whether a refusal by it stops all of June until it begins anew."""


@dataclass(frozen=True)
class Decision:
    """The answer to "may this happen now?"."""

    allowed: bool
    reason: str | None = None
    """Of a refusal: `too_long`, `blocked`, `paused`, or the reason of a window or a budget."""
    retry_after_seconds: float = 0.0
    """Of a refusal: after exactly so long it would be allowed, as far as is known now.

    0 also where waiting does not help: a session's money is spent, or a model has no price.
    """
    near: str | None = None
    """Of what was allowed: the reason of a window that is nearly used up."""
    budget_used: float = 0.0
    """The largest part of a budget that is spent or reserved; 1.0 is all of it."""


ALLOWED = Decision(allowed=True)


@dataclass(frozen=True)
class Block:
    """Of one key: until when it is blocked, and how often it has been."""

    until: float = -math.inf
    strikes: int = 0


@dataclass(frozen=True)
class Hits:
    """What a store found under the key of a window: times, oldest first, and whether the tag is
    among them.
    """

    times: Sequence[float] = field(default_factory=tuple)
    has_tag: bool = False


def judge(ask: Ask, found: Sequence[Hits], now: float) -> Decision:
    """By the windows alone; `found` has the hits of each window that are still within it."""
    refused: list[tuple[float, str]] = []
    near = None
    for window, hits in zip(ask.windows, found, strict=True):
        count = len(hits.times)
        if is_full(window, hits):
            # It is allowed once so many have left that one more fits.
            leaves = hits.times[count - window.limit] if window.limit else now
            refused.append((leaves + window.seconds - now, window.reason))
        elif is_near(count if hits.has_tag else count + 1, window.limit):
            near = window.reason
    if refused:
        retry_after, reason = max(refused)
        return Decision(allowed=False, reason=reason, retry_after_seconds=retry_after)
    return Decision(allowed=True, near=near)


def leads_to_block(ask: Ask, found: Sequence[Hits]) -> bool:
    """Whether it is refused by at least one window that leads to a block."""
    return any(
        window.leads_to_block and is_full(window, hits)
        for window, hits in zip(ask.windows, found, strict=True)
    )


def is_full(window: Window, hits: Hits) -> bool:
    """For an attempt that was not counted in it before."""
    return not hits.has_tag and len(hits.times) >= window.limit


def is_near(count: int, limit: int) -> bool:
    """Whether a window of this limit is nearly used up; a limit of one or two never warns."""
    return limit > 2 and count >= math.ceil(limit * NEAR)


def blocked_for(rule: BlockRule, block: Block, now: float) -> float:
    """Seconds; 0 for not at all. A clock that was set back does not make a block longer."""
    return max(0.0, min(block.until - now, rule.longest_seconds))


def next_block(rule: BlockRule, block: Block, now: float) -> Block:
    """After one refusal too many."""
    # In the future: the clock was set back.
    is_old = now - block.until > STRIKES_KEPT_SECONDS
    strikes = 0 if is_old else block.strikes
    return Block(until=now + rule.seconds(strikes), strikes=strikes + 1)

"""Limits as plainly as they can be said: lists that are walked through, and nothing is kept twice.

Of `session.limits` only the questions are used, none of its arithmetic.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from session.limits import Ask, BlockRule, Window

DAY_SECONDS = 86_400.0


@dataclass
class Hit:
    tag: str
    at: float


@dataclass(frozen=True)
class Answer:
    """What a store must say; of several windows that are nearly used up it may name any."""

    allowed: bool
    reason: str | None = None
    retry_after_seconds: float = 0.0
    near: frozenset[str] = frozenset()


class PlainLimits:
    def __init__(self) -> None:
        self._hits: defaultdict[tuple[str, float], list[Hit]] = defaultdict(list)
        """By key and length of a window."""
        self._block_ends: defaultdict[str, list[float]] = defaultdict(list)
        """By key: when each block of a row of them ends, the last one last."""

    def admit(self, ask: Ask, now: float) -> Answer:
        counted = [self._alive(window.key, window.seconds, now) for window in ask.windows]
        lacking = [hits for hits in counted if not has(hits, ask.tag)]
        if lacking or not ask.windows:
            wait = self._blocked_seconds(ask.block, now)
            if wait > 0:
                return Answer(allowed=False, reason="blocked", retry_after_seconds=wait)
        full = [
            (seconds_until_free(hits, window, now), window.reason, window.leads_to_block)
            for window, hits in zip(ask.windows, counted, strict=True)
            if not has(hits, ask.tag) and len(hits) >= window.limit
        ]
        if full:
            wait, reason, _ = max(full)
            answer = Answer(False, reason, wait)
            is_their_own = any(leads_to_block for _, _, leads_to_block in full)
            return self._refuse(ask, answer, now) if is_their_own else answer
        for hits in lacking:
            hits.append(Hit(ask.tag, now))
        near = {
            window.reason
            for window, hits in zip(ask.windows, counted, strict=True)
            if window.limit >= 3 and 5 * len(hits) >= 4 * window.limit
        }
        return Answer(allowed=True, near=frozenset(near))

    def _alive(self, key: str, seconds: float, now: float) -> list[Hit]:
        """Whoever looks brings hits of the future to now, and forgets the old ones for good."""
        hits = self._hits[key, seconds]
        for hit in hits:
            hit.at = min(hit.at, now)
        hits[:] = [hit for hit in hits if now - hit.at < seconds]
        return hits

    def _blocked_seconds(self, rule: BlockRule | None, now: float) -> float:
        if rule is None or not (ends := self._block_ends[rule.key]):
            return 0.0
        ends[-1] = min(ends[-1], now + rule.longest_seconds)
        return ends[-1] - now

    def _refuse(self, ask: Ask, answer: Answer, now: float) -> Answer:
        rule = ask.block
        if rule is None:
            return answer
        refusals = self._alive(f"{rule.key} refused", rule.within_seconds, now)
        if not has(refusals, ask.tag):
            refusals.append(Hit(ask.tag, now))
        if len(refusals) < rule.refusals:
            return answer
        refusals.clear()
        ends = self._block_ends[rule.key]
        if ends and now - ends[-1] > DAY_SECONDS:
            ends.clear()
        seconds = rule.shortest_seconds
        for _ in ends:
            seconds = min(2 * seconds, rule.longest_seconds)
        ends.append(now + seconds)
        return Answer(allowed=False, reason="blocked", retry_after_seconds=seconds)


def has(hits: Sequence[Hit], tag: str) -> bool:
    return any(hit.tag == tag for hit in hits)


def seconds_until_free(hits: Sequence[Hit], window: Window, now: float) -> float:
    """Until the first moment at which one more would fit; its whole length if none ever does."""
    for moment in sorted(hit.at + window.seconds for hit in hits):
        if sum(hit.at + window.seconds > moment for hit in hits) < window.limit:
            return moment - now
    return window.seconds

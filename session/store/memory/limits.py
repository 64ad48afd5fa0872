"""Windows and blocks in this process's memory."""

from dataclasses import replace

from session.limits import (
    Ask,
    Block,
    BlockRule,
    Decision,
    Hits,
    Window,
    blocked_for,
    judge,
    leads_to_block,
    next_block,
)
from session.store.memory.ledger import MemoryLedger
from session.store.retention import HITS_KEPT_SECONDS, KEPT_SECONDS


class MemoryLimits:
    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger
        self._hits: dict[tuple[str, float], dict[str, float]] = {}
        """By key and length of a window: the time of each tag."""
        self._blocks: dict[str, Block] = {}

    async def admit(self, ask: Ask, *, now: float) -> Decision:
        seen = self._ledger.look(ask.budgets, now)
        if not seen.allowed:
            return seen
        found = [self._found(window, ask.tag, now) for window in ask.windows]
        was_counted = bool(found) and all(hits.has_tag for hits in found)
        if ask.block is not None and not was_counted and (wait := self._blocked(ask.block, now)):
            return Decision(allowed=False, reason="blocked", retry_after_seconds=wait)
        decision = judge(ask, found, now)
        if not decision.allowed:
            if ask.block is None or not ask.counts or not leads_to_block(ask, found):
                return decision
            return self._refused(ask, ask.block, decision, now)
        for window in ask.windows if ask.counts else ():
            self._hits_of(window).setdefault(ask.tag, now)
        return Decision(allowed=True, near=decision.near, budget_used=seen.budget_used)

    def _blocked(self, rule: BlockRule, now: float) -> float:
        block = self._blocks.get(rule.key, Block())
        wait = blocked_for(rule, block, now)
        if block.until > now + wait:  # the clock was set back
            self._blocks[rule.key] = replace(block, until=now + wait)
        return wait

    def _hits_of(self, window: Window) -> dict[str, float]:
        return self._hits.setdefault((window.key, window.seconds), {})

    def _found(self, window: Window, tag: str, now: float) -> Hits:
        hits = self._hits_of(window)
        for one, at in list(hits.items()):
            # Gone for good: a clock that is set back must not bring it back.
            if at <= now - window.seconds:
                del hits[one]
            elif at > now:  # the clock was set back
                hits[one] = now
        return Hits(times=sorted(hits.values()), has_tag=tag in hits)

    def _refused(self, ask: Ask, rule: BlockRule, decision: Decision, now: float) -> Decision:
        """Count it; after too many the user is blocked."""
        within = Window(f"{rule.key} refused", rule.refusals, rule.within_seconds, "")
        self._found(within, ask.tag, now)
        refusals = self._hits_of(within)
        refusals.setdefault(ask.tag, now)
        if len(refusals) < rule.refusals:
            return decision
        refusals.clear()
        block = self._blocks[rule.key] = next_block(rule, self._blocks.get(rule.key, Block()), now)
        return Decision(
            allowed=False, reason="blocked", retry_after_seconds=blocked_for(rule, block, now)
        )

    def purge(self, now: float) -> None:
        for key, hits in list(self._hits.items()):
            kept = {tag: at for tag, at in hits.items() if at > now - HITS_KEPT_SECONDS}
            self._hits[key] = kept
            if not kept:
                del self._hits[key]
        self._blocks = {
            key: block for key, block in self._blocks.items() if block.until >= now - KEPT_SECONDS
        }

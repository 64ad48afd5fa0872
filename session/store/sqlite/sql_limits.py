"""Windows and blocks in SQLite. Each function runs inside one transaction."""

from typing import cast

import apsw

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
from session.store.sqlite import sql_ledger
from session.store.sqlite.rows import rows


def admit(db: apsw.Connection, ask: Ask, now: float) -> Decision:
    seen = sql_ledger.look(db, ask.budgets, now)
    if not seen.allowed:
        return seen
    found = [_found(db, window, ask.tag, now) for window in ask.windows]
    was_counted = bool(found) and all(hits.has_tag for hits in found)
    if ask.block is not None and not was_counted and (wait := _blocked(db, ask.block, now)):
        return Decision(allowed=False, reason="blocked", retry_after_seconds=wait)
    decision = judge(ask, found, now)
    if not decision.allowed:
        if ask.block is None or not ask.counts or not leads_to_block(ask, found):
            return decision
        return _refused(db, ask, ask.block, decision, now)
    for window in ask.windows if ask.counts else ():
        _hit(db, window, ask.tag, now)
    return Decision(allowed=True, near=decision.near, budget_used=seen.budget_used)


def _key(window: Window) -> str:
    """Windows of one key and several lengths are counted each by itself."""
    return f"{window.key} {window.seconds}"


def _hit(db: apsw.Connection, window: Window, tag: str, now: float) -> None:
    db.execute("INSERT INTO hits VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (_key(window), tag, now))


def _found(db: apsw.Connection, window: Window, tag: str, now: float) -> Hits:
    key = _key(window)
    # Gone for good: a clock that is set back must not bring it back.
    db.execute("DELETE FROM hits WHERE key = ? AND at <= ?", (key, now - window.seconds))
    # In the future: the clock was set back.
    db.execute("UPDATE hits SET at = ? WHERE key = ? AND at > ?", (now, key, now))
    within = rows(db, "SELECT at, tag FROM hits WHERE key = ? ORDER BY at", (key,))
    return Hits(times=[at for at, _ in within], has_tag=any(tag == one for _, one in within))


def _refused(
    db: apsw.Connection, ask: Ask, rule: BlockRule, decision: Decision, now: float
) -> Decision:
    """Count it; after too many the user is blocked."""
    within = Window(f"{rule.key} refused", rule.refusals, rule.within_seconds, "")
    _found(db, within, ask.tag, now)
    _hit(db, within, ask.tag, now)
    if len(_found(db, within, ask.tag, now).times) < rule.refusals:
        return decision
    db.execute("DELETE FROM hits WHERE key = ?", (_key(within),))
    block = next_block(rule, _block(db, rule.key), now)
    db.execute("REPLACE INTO blocks VALUES (?, ?, ?)", (rule.key, block.until, block.strikes))
    return Decision(
        allowed=False, reason="blocked", retry_after_seconds=blocked_for(rule, block, now)
    )


def _blocked(db: apsw.Connection, rule: BlockRule, now: float) -> float:
    wait = blocked_for(rule, _block(db, rule.key), now)
    # It would last longer than any block does: the clock was set back.
    db.execute(
        "UPDATE blocks SET until = ? WHERE key = ? AND until > ?",
        (now + wait, rule.key, now + wait),
    )
    return wait


def _block(db: apsw.Connection, key: str) -> Block:
    found = rows(db, "SELECT until, strikes FROM blocks WHERE key = ?", (key,))
    return Block(*cast("tuple[float, int]", found[0])) if found else Block()

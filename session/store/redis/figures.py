"""Figures over all sessions in Redis: of nearly one moment, because nobody must wait for them."""

from collections.abc import Awaitable
from typing import Protocol

from session.percentiles import reply_times
from session.records import Session, SessionStats
from session.store.figures import stats_of
from session.store.redis.client import RedisClient
from session.store.redis.keys import CREATED, REPLIES, SESSIONS

AT_ONCE = 500
"""Sessions that one script reads."""


class Page(Protocol):
    def __call__(self, limit: int, *, skip: int = 0) -> Awaitable[tuple[Session, ...]]: ...


async def stats(db: RedisClient, page: Page) -> SessionStats:
    count = await db.ask("ZCARD", SESSIONS)
    # By id: whoever shows life meanwhile may be on two pages.
    sessions = {
        session.session_id: session
        for skip in range(0, count, AT_ONCE)
        for session in await page(AT_ONCE, skip=skip)
    }
    replies = await db.ask("ZRANGE", REPLIES, 0, -1)
    return stats_of(
        sessions.values(),
        created=int(await db.ask("GET", CREATED) or 0),
        reply=reply_times([float(reply.rpartition(" ")[2]) for reply in replies]),
    )

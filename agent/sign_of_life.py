"""Tells the store now and then that a call goes on, so that it can be resumed if it is cut off."""

import asyncio

import structlog

from session import SessionService, StoreError

log = structlog.get_logger(__name__)

EVERY_SECONDS = 30.0
"""A call that has shown none for ten minutes is not resumed."""


async def show_life(sessions: SessionService, session_id: str) -> None:
    """Until it is cancelled."""
    is_away = False
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            await sessions.touch(session_id)
            is_away = False
        except StoreError as error:
            if not is_away:
                log.warning("store.unavailable", error=str(error))
            is_away = True

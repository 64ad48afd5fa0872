"""Tells the store now and then that a call goes on, so that it can be resumed if it is cut off."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from session import SessionService, StoreError

log = structlog.get_logger(__name__)

EVERY_SECONDS = 30.0
"""A call that has shown none for ten minutes is not resumed."""


@contextmanager
def showing_life(sessions: SessionService, session_id: str) -> Iterator[None]:
    """As long as the call."""
    living = asyncio.create_task(_show_life(sessions, session_id), name="june.sign_of_life")
    try:
        yield
    finally:
        living.cancel()


async def _show_life(sessions: SessionService, session_id: str) -> None:
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

"""Deletes what nobody may speak with any more, also where it was made, and sees that it is gone."""

import asyncio
from collections.abc import Mapping

import structlog

from agent.voices.cloner import CloneFailed, Cloner
from session.voice_records import Doomed
from session.voices import Voices

log = structlog.get_logger(__name__)

DELETE_SECONDS = 12.0
"""For one, at its maker's."""


async def remove_doomed(voices: Voices, cloners: Mapping[str, Cloner | None]) -> frozenset[str]:
    """By the names of their cloners; None for one that keeps nothing itself.

    What it returns are the names of voices that are still there, to be tried again later. May
    raise `StoreError`.
    """
    left: set[str] = set()
    for one in await voices.overdue():
        is_gone = one.cloner in cloners and await _delete(one, cloners[one.cloner])
        await voices.gone(one.name, verified=is_gone)
        if not is_gone:
            left.add(one.name)
    return frozenset(left)


async def _delete(one: Doomed, cloner: Cloner | None) -> bool:
    if cloner is None:
        return True
    try:
        async with asyncio.timeout(DELETE_SECONDS):
            await cloner.delete(one.name)
    except (CloneFailed, TimeoutError) as error:
        log.warning("voice.not_deleted", cloner=one.cloner, error=str(error) or "it took too long")
        return False
    except Exception as error:  # noqa: BLE001  the others are to be deleted all the same
        log.warning("voice.not_deleted", cloner=one.cloner, error=type(error).__name__)
        return False
    log.info("voice.deleted", cloner=one.cloner, why=one.why)
    return True

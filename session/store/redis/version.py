"""Which June wrote what Redis holds, and whether Redis was emptied meanwhile."""

import structlog

from session.errors import StoreUnusable
from session.store.redis.client import RedisClient
from session.store.redis.keys import VERSION
from session.store.redis.scripts import script

log = structlog.get_logger(__name__)

KNOWN = 3
"""To be raised with whatever an older June would not understand."""

_VERSION = script("version")


async def check(db: RedisClient) -> None:
    """Set the version where there is none or an older one, or find one that is known.

    Raises:
        StoreUnusable: for another one.
    """
    found, _ = await db.run(_VERSION, [VERSION], [KNOWN])
    if not found.isdigit():
        raise StoreUnusable(
            f"the store `{db.address}` has a key `{VERSION}` that is not June's\n"
            "hint: name another database in `[store] url`, such as `redis://HOST:6379/1`"
        )
    if int(found) > KNOWN:
        raise StoreUnusable(
            f"the store `{db.address}` was written by a newer June (its version is {found}, this "
            f"one knows {KNOWN})\n"
            "hint: update June, or name another database in `[store] url`"
        )


async def notice_if_emptied(db: RedisClient) -> None:
    """Where something is missing, somebody may have emptied Redis: of all processes one says so."""
    _, was_missing = await db.run(_VERSION, [VERSION], [KNOWN])
    if was_missing:
        log.error("store.emptied", store=str(db.address))

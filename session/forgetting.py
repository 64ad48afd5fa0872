"""What is deleted of users; their voice first, because a session leads to the one given in it."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from session.errors import StoreError
from session.records import Removed
from session.store.protocol import Claims, Store
from session.voices import Voices

CLEANING_SECONDS = {"at start": 60.0, "every hour": 3_540.0}
"""How long a clean-up counts for all processes; a little less than until the next one."""


async def delete_session(store: Store, voices: Voices, session_id: str) -> bool:
    """With the voice that was consented to in it; False where there is none."""
    session = await store.sessions.get(session_id)
    if session is not None:
        await voices.delete_with_session(session)
    return (await store.sessions.delete(session_id)).sessions > 0


async def forget_user(store: Store, voices: Voices, user: str) -> Removed:
    """`user` is a keyed hash."""
    deleted = await voices.delete(user, "forgotten")
    return await store.sessions.forget(user) + Removed(voices=deleted is not None)


async def purge(store: Store, voices: Voices, *, seen_before: float, now: float) -> Removed:
    """Sessions that have shown no life since, and voices whose consent has run out."""
    removed = await store.sessions.purge(seen_before=seen_before, now=now)
    return removed + Removed(voices=await voices.expire())


async def clean_up_once(
    claims: Claims, when: str, clean_up: Callable[[], Awaitable[Removed]], *, now: float
) -> Removed | None:
    """None if another process has just done so; one that fails leaves it to the next."""
    key = f"clean-up {when}"
    claim = await claims.claim(key, ttl_seconds=CLEANING_SECONDS[when], now=now)
    if not claim.is_first:
        return None
    try:
        return await clean_up()
    except BaseException:
        with suppress(StoreError):
            await claims.release(key)
        raise

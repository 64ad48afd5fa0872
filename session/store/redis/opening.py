"""How a conversation is opened in Redis: planned here, written there if nothing came between."""

from collections.abc import Iterator, Sequence

from session.errors import StoreError
from session.records import Channel, Session, new_session
from session.resume import plan
from session.store.redis.client import RedisClient, Value
from session.store.redis.keys import CREATED, key_of
from session.store.redis.records import fields_of, sessions_of, time_text
from session.store.redis.scripts import script

TRIES = 50
"""Each failed one is somebody else's success."""

_OPEN = script("open_session", "sessions")


async def open_session(
    db: RedisClient, room: str, user: str, *, channel: Channel, language: str, now: float
) -> Session:
    """As `Sessions.open`."""
    indexes = [key_of("visits", f"{user}:{room}"), key_of("room", room), key_of("user", user)]
    # Most callers have none; whoever has is told at the first try.
    known: tuple[Session, ...] = ()
    for _ in range(TRIES):
        planned = plan(known, now)
        session = planned.resume or new_session(
            room, user, channel=channel, language=language, now=now
        )
        is_new = planned.resume is None
        changed = planned.close if is_new else (*planned.close, session)
        arguments = [*_known(known), *_changed(changed), *_new(session if is_new else None)]
        found = await db.run(_OPEN, [*indexes, CREATED], arguments)
        if found is None:
            return session
        known = sessions_of(found)
    raise StoreError(f"the store `{db.address}` is too busy with one room", retryable=True)


def _known(sessions: Sequence[Session]) -> Iterator[Value]:
    yield len(sessions)
    for session in sessions:
        yield session.session_id
        yield session.status
        yield time_text(session.seen_at)
        yield session.resumes


def _changed(sessions: Sequence[Session]) -> Iterator[Value]:
    yield len(sessions)
    for session in sessions:
        yield session.session_id
        yield time_text(session.seen_at)
        yield session.status
        yield session.resumes
        yield "" if session.closed_at is None else time_text(session.closed_at)
        yield session.close_reason or ""


def _new(session: Session | None) -> Iterator[Value]:
    if session is None:
        yield from ("", "")
    else:
        yield from (session.session_id, time_text(session.created_at), *fields_of(session))

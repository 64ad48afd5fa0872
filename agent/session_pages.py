"""A page of sessions, of one user or of all: for `./june sessions list` and over HTTP."""

from session import Session, SessionService
from session.storable import storable


async def page_of(
    sessions: SessionService,
    *,
    limit: int,
    skip: int,
    user: str | None = None,
    room: str | None = None,
) -> tuple[list[Session], bool]:
    """The newest sign of life first, and whether there are more.

    Of a room it is the one that showed life last; of a user and a room, all of theirs in it.
    Raises `StoreError`.
    """
    if user is None and room is None:
        # One more than is shown: is there more?
        page = await sessions.list_sessions(limit + 1, skip=skip)
        return list(page[:limit]), len(page) > limit
    if user is not None:
        found = list(await sessions.get_user_sessions(user))
        found.sort(key=lambda one: (-one.seen_at, one.session_id))
        if room is not None:
            found = [one for one in found if one.room_name == storable(room)]
    else:
        last = await sessions.get_session_by_room(room or "")
        found = [] if last is None else [last]
    return found[skip : skip + limit], len(found) > skip + limit

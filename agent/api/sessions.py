"""What June keeps, over HTTP: sessions, what was said in them, and that it is forgotten."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from agent.api.fields import Body, Identity, RoomName, SessionId
from agent.api.parts import Parts
from agent.api.problems import answers
from agent.guest_tokens import TO_JOIN
from session import Message, Removed, Session, SessionStats
from session.records import ReplyTimes

MOST_SESSIONS = 500
MOST_SKIPPED = 1_000_000


class Page(BaseModel):
    """Some sessions; the ones that showed life last come first."""

    sessions: list[Session]
    next_skip: int | None
    """What to skip for the next page; None on the last."""


class SessionAnswer(BaseModel):
    """One session, how fast June replied in it, and what it cost in micro-dollars."""

    session: Session
    reply_times: ReplyTimes
    spent_micros: int


class GuestRequest(Body):
    """Somebody who is to join a session's room."""

    identity: Identity


class GuestAnswer(BaseModel):
    """A token to join it with."""

    url: str
    token: str
    room: str
    expires_in_seconds: int


class ForgetRequest(Body):
    """Of whom all is to be deleted: an identity, not a hash."""

    user: Identity


ID = Annotated[SessionId, Path(description="As the list of sessions tells it")]


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["sessions"], responses=answers())
    sessions = parts.sessions

    @routes.get("/sessions")
    async def listed(
        limit: Annotated[int, Query(ge=1, le=MOST_SESSIONS)] = 50,
        skip: Annotated[int, Query(ge=0, le=MOST_SKIPPED)] = 0,
        user: Annotated[Identity | None, Query(description="An identity, not a hash")] = None,
        room: Annotated[RoomName | None, Query(description="Its newest session alone")] = None,
    ) -> Page:
        """Everybody's, or a user's, or a room's."""
        if room is not None:
            found = await sessions.get_session_by_room(room)
            of_room = [] if found is None or skip else [found]
            return Page(sessions=of_room, next_skip=None)
        if user is None:
            page = await sessions.list_sessions(limit + 1, skip=skip)
        else:
            page = (await sessions.get_user_sessions(user))[skip : skip + limit + 1]
        more = len(page) > limit
        return Page(sessions=list(page[:limit]), next_skip=skip + limit if more else None)

    @routes.get("/sessions/stats")
    async def stats() -> SessionStats:
        """Over all sessions, and today's money."""
        return await sessions.get_stats()

    @routes.get("/sessions/{session_id}", responses=answers(404))
    async def one(session_id: ID) -> SessionAnswer:
        """Without what was said in it."""
        session = await sessions.get_session(session_id)
        return SessionAnswer(
            session=session,
            reply_times=await sessions.reply_times(session_id),
            spent_micros=await sessions.money.spent_by(session),
        )

    @routes.get("/sessions/{session_id}/messages", responses=answers(404))
    async def history(session_id: ID) -> list[Message]:
        """What was said in it, in order."""
        await sessions.get_session(session_id)
        return list(await sessions.history(session_id))

    @routes.post("/sessions/{session_id}/token", responses=answers(404))
    async def guest_token(session_id: ID, guest: GuestRequest) -> GuestAnswer:
        """To join the session's room as a guest: to speak, type and listen."""
        session = await sessions.get_session(session_id)
        return GuestAnswer(
            url=parts.config.livekit.url or "",
            token=sessions.generate_guest_token(session.room_name, guest.identity),
            room=session.room_name,
            expires_in_seconds=int(TO_JOIN.total_seconds()),
        )

    @routes.delete("/sessions/{session_id}", status_code=204, responses=answers(404))
    async def delete(session_id: ID) -> None:
        """With all that was said in it, and a voice that was given in it."""
        await sessions.get_session(session_id)
        await sessions.delete_session(session_id)

    @routes.post("/users/forget")
    async def forget(whom: ForgetRequest) -> Removed:
        """Delete all that June keeps of a user; what that was."""
        return await sessions.forget_user(whom.user)

    return routes

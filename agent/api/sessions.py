"""What June keeps, over HTTP: sessions, what was said in them, and that it is forgotten."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from agent.api.bodies import JsonRoute
from agent.api.fields import Body, Identity, Kept
from agent.api.parts import Parts
from agent.api.problems import answers
from agent.guest_tokens import TO_JOIN
from agent.session_pages import page_of
from session import Message, Removed, Session, SessionStats, TurnMetrics, UnknownSession
from session.paging import MOST_SKIPPED
from session.records import ReplyTimes

MOST_ON_A_PAGE = 500


class Which(Body):
    """Which sessions to list, as the query of an address."""

    limit: Annotated[int, Field(ge=1, le=MOST_ON_A_PAGE)] = 50
    skip: Annotated[int, Field(ge=0, le=MOST_SKIPPED)] = 0
    user: Annotated[Kept | None, Field(description="An identity, not a hash")] = None
    room: Annotated[Kept | None, Field(description="The last one seen in it, or a user's")] = None


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
    identity: str
    expires_in_seconds: int
    """Until then one may join; they may stay longer."""


class ForgetRequest(Body):
    """Of whom all is to be deleted: an identity, not a hash."""

    user: Kept


ID = Annotated[Kept, Path(description="As the list of sessions tells it")]


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["sessions"], responses=answers(), route_class=JsonRoute)
    sessions = parts.sessions

    @routes.get("/sessions")
    async def listed(which: Annotated[Which, Query()]) -> Page:
        """Everybody's, or a user's, or a room's."""
        found, is_more = await page_of(
            sessions, limit=which.limit, skip=which.skip, user=which.user, room=which.room
        )
        return Page(sessions=found, next_skip=which.skip + which.limit if is_more else None)

    @routes.get("/sessions/stats")
    async def stats() -> SessionStats:
        """Over all sessions, and today's money."""
        return await sessions.get_stats()

    @routes.get("/sessions/{session_id}", responses=answers(404))
    async def one(session_id: ID) -> SessionAnswer:
        """What was said in it is asked for apart."""
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

    @routes.get("/sessions/{session_id}/turns", responses=answers(404))
    async def turns(session_id: ID) -> list[TurnMetrics]:
        """How each turn of it went, and where its time went."""
        await sessions.get_session(session_id)
        return list(await sessions.turn_metrics(session_id))

    @routes.post("/sessions/{session_id}/token", responses=answers(404))
    async def guest_token(session_id: ID, guest: GuestRequest) -> GuestAnswer:
        """To join the session's room as a guest: to speak, type and listen."""
        session = await sessions.get_session(session_id)
        return GuestAnswer(
            url=parts.config.livekit.url or "",
            token=sessions.generate_guest_token(session.room_name, guest.identity),
            room=session.room_name,
            identity=guest.identity,
            expires_in_seconds=int(TO_JOIN.total_seconds()),
        )

    @routes.delete("/sessions/{session_id}", status_code=204, responses=answers(404))
    async def delete(session_id: ID) -> None:
        """With all that was said in it, and a voice that was given in it."""
        if not await sessions.delete_session(session_id):
            raise UnknownSession(session_id)

    @routes.post("/users/forget")
    async def forget(whom: ForgetRequest) -> Removed:
        """Delete all that June keeps of a user; what that was.

        Of a call that is going on she knows until its end what was said: ask again after it.
        How often they called and what it cost stays for three days, as numbers under a hash.
        """
        return await sessions.forget_user(whom.user)

    return routes

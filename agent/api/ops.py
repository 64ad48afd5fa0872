"""What the operator's page asks: how June is just now, live, and that a call is ended."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from agent.api.bodies import JsonRoute
from agent.api.endless import OPS_STREAM_ROUTE, EventStream
from agent.api.fields import Body, Kept
from agent.api.ops_feed import Feed
from agent.api.ops_now import Now, Present
from agent.api.ops_sessions import NewestSessions
from agent.api.parts import Parts
from agent.api.problems import Problem, answers


class EndRequest(Body):
    """Which call is to end."""

    room: Kept


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(tags=["ops"], responses=answers(), route_class=JsonRoute)
    present = Present(parts)
    feed = Feed(present.text, NewestSessions(parts.sessions).text)

    @routes.get("/api/ops")
    async def now() -> Now:
        """Calls, workers, times, money and breakers, on all workers together."""
        return await present.look()

    @routes.get(
        OPS_STREAM_ROUTE,
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def stream() -> Response:
        """The same as server-sent events: `now` when it has changed, `sessions` with their turns.

        For 16 at once.
        """
        return EventStream(feed.seat(), feed.events())

    @routes.post("/api/calls/end", status_code=204, responses=answers(404))
    async def end(wanted: EndRequest) -> None:
        """June says goodbye within a second or two, and nobody is sent again."""
        if not await parts.sessions.end_call(wanted.room):
            raise Problem(
                HTTPStatus.NOT_FOUND, "no June is in a call there; `GET /api/ops` lists the calls"
            )

    return routes

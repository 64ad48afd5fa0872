"""LiveKit's webhooks: signed by the server, and a reason to look into the rooms at once."""

import time
from http import HTTPStatus

from fastapi import APIRouter, Request
from livekit.api import TokenVerifier, WebhookReceiver
from livekit.protocol.webhook import WebhookEvent

from agent.api.parts import Parts
from agent.api.problems import Problem, answers

OLDEST_SECONDS = 300.0
CLOCKS_APART_SECONDS = 60.0


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(tags=["livekit"])
    livekit = parts.config.livekit
    assert livekit.api_secret is not None, "a worker has it"
    receiver = WebhookReceiver(
        TokenVerifier(livekit.api_key, livekit.api_secret.get_secret_value())
    )

    @routes.post("/api/webhooks/livekit", status_code=204, responses=answers(401))
    async def webhook(request: Request) -> None:
        """As `webhook.urls` of a LiveKit server's configuration names it."""
        body = await request.body()
        event = _received(receiver, body, request.headers.get("authorization", ""))
        if not -CLOCKS_APART_SECONDS <= time.time() - event.created_at <= OLDEST_SECONDS:
            raise _foreign("it is too old")
        parts.look_again()

    return routes


def _received(receiver: WebhookReceiver, body: bytes, token: str) -> WebhookEvent:
    """Raises `Problem`."""
    try:
        return receiver.receive(body.decode(), token.removeprefix("Bearer ").strip())
    except Exception as error:  # LiveKit raises bare exceptions, and jwt and protobuf their own
        raise _foreign("its signature does not fit its words") from error


def _foreign(why: str) -> Problem:
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        f"this is no webhook of June's LiveKit server: {why}",
        headers={"WWW-Authenticate": "Bearer"},
    )

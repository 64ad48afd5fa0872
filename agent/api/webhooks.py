"""LiveKit's webhooks: signed by the server, and a reason to look into the rooms at once.

Nothing else comes of them. So one that is lost costs half a second, and one that is sent again by
somebody who overheard it costs nothing.
"""

from http import HTTPStatus

from fastapi import APIRouter, Request
from livekit.api import TokenVerifier, WebhookReceiver
from livekit.protocol.webhook import WebhookEvent

from agent.api.access import WEBHOOK_ROUTE
from agent.api.parts import Parts
from agent.api.problems import Problem, answers
from agent.config import LiveKitSettings

OLDEST_SECONDS = 300.0
CLOCKS_APART_SECONDS = 60.0

BODY = {"content": {"application/webhook+json": {"schema": {"type": "object"}}}}
"""Read as text, because it is the text that is signed."""


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(tags=["livekit"])
    receiver = _receiver(parts.config.livekit)

    @routes.post(
        WEBHOOK_ROUTE,
        status_code=204,
        responses=answers(),
        openapi_extra={"requestBody": BODY},
    )
    async def webhook(request: Request) -> None:
        """As `webhook.urls` of a LiveKit server's configuration names it."""
        event = _received(receiver, await request.body(), request.headers.get("authorization", ""))
        age_seconds = parts.sessions.now() - event.created_at
        if not -CLOCKS_APART_SECONDS <= age_seconds <= OLDEST_SECONDS:
            raise _foreign("it is not of now; do the clocks of both machines agree?")
        parts.look_again(event.room.name)

    return routes


def _receiver(livekit: LiveKitSettings) -> WebhookReceiver:
    # Without them the verifier would look for others in the environment.
    assert livekit.api_key is not None, "a worker has it"
    assert livekit.api_secret is not None, "a worker has it"
    return WebhookReceiver(TokenVerifier(livekit.api_key, livekit.api_secret.get_secret_value()))


def _received(receiver: WebhookReceiver, body: bytes, token: str) -> WebhookEvent:
    """Raises `Problem`."""
    try:
        return receiver.receive(body.decode(), token.removeprefix("Bearer ").strip())
    except Exception:  # noqa: BLE001  LiveKit raises bare ones, jwt and protobuf their own
        raise _foreign("its signature does not fit its words") from None


def _foreign(why: str) -> Problem:
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        f"this is no webhook of June's LiveKit server: {why}",
        headers={"WWW-Authenticate": 'Bearer realm="livekit"'},
    )

"""Tokens for callers, and June in their room: what a web site asks before somebody talks to her."""

import secrets
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from agent.api.access import TOKEN_ROUTE, Who
from agent.api.bodies import JsonRoute
from agent.api.dispatches import Dispatches
from agent.api.fields import Body, Identity, LanguageTag, Name, Persona, RoomName
from agent.api.limits_said import refused
from agent.api.parts import Parts
from agent.api.problems import Problem, Wrong, answers
from agent.guest_tokens import TO_JOIN
from agent.metadata import LONGEST_CHARACTERS, metadata_text

TOKENS_PER_MINUTE = 60
"""By the key of the token route, on all machines together."""


class TokenRequest(Body):
    """Who wants to talk to June."""

    identity: Annotated[Identity, Field(description="Whom June listens to in the room")]
    name: Annotated[Name, Field(description="As others in the room see them")] = ""
    room: Annotated[RoomName | None, Field(description="A fresh one unless it is given")] = None
    language: Annotated[LanguageTag | None, Field(description="What June speaks")] = None
    persona: Annotated[
        Persona | None, Field(description="Who June is, in words for the language model")
    ] = None


class TokenAnswer(BaseModel):
    """What is needed to join."""

    url: str
    token: str
    room: str
    identity: str
    expires_in_seconds: int
    """Until then one may join; the call may last longer."""
    is_full: bool = False
    """This worker has all its calls: June comes once one ends, or from another worker."""


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(tags=["livekit"], route_class=JsonRoute)
    dispatches = Dispatches(parts.rooms)

    @routes.post(TOKEN_ROUTE, responses=answers(429, 502))
    async def token(request: Request, wanted: TokenRequest) -> TokenAnswer:
        """A token for one room, to be joined within ten minutes; June comes there, once."""
        if request.state.who is Who.SITE:
            used = await parts.sessions.asking.use_key("token", per_minute=TOKENS_PER_MINUTE)
            if not used.allowed:
                raise refused(used)
        metadata = _metadata(wanted)
        is_known = parts.config.call.user == "identity"
        decision = await parts.sessions.asking.may_call(wanted.identity if is_known else None)
        if not decision.allowed:
            raise refused(decision)
        room = wanted.room or f"call-{secrets.token_hex(8)}"
        granted = parts.rooms.caller_token(room, wanted.identity, wanted.name, join_within=TO_JOIN)
        await dispatches.send(room, metadata)
        parts.look_again(room)
        return TokenAnswer(
            url=parts.config.livekit.url or "",
            token=granted,
            room=room,
            identity=wanted.identity,
            expires_in_seconds=int(TO_JOIN.total_seconds()),
            is_full=parts.worker.calls >= parts.config.worker.max_calls,
        )

    return routes


def _metadata(wanted: TokenRequest) -> dict[str, str]:
    """As `agent.metadata` reads it. Raises `Problem`: what is longer it would not read at all."""
    metadata = {
        "identity": wanted.identity,
        "language": wanted.language,
        "persona": wanted.persona,
    }
    told = {key: one for key, one in metadata.items() if one is not None}
    if len(metadata_text(told)) > LONGEST_CHARACTERS:
        # What cannot be printed is six characters in JSON, a quotation mark two.
        wrong = Wrong(
            field="persona", wrong=f"has more than {LONGEST_CHARACTERS:,} characters as JSON"
        )
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"`{wrong.field}`: {wrong.wrong}", errors=[wrong]
        )
    return told

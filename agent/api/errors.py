"""What is raised in a route, by whomever, becomes a problem."""

from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from agent.api.problems import Problem, Wrong
from agent.redact import printable
from agent.rooms import LiveKitError, LiveKitUnreachable
from session import NoGuestTokens, StoreError, TextTooLong, UnknownSession
from session.rules import STORE_IS_DOWN

log = structlog.get_logger(__name__)

LONGEST_FIELD_CHARACTERS = 100
MOST_ERRORS = 20

LIVEKIT_IS_AWAY = "livekit_is_away"

AGAIN_IN_SECONDS = 5.0
"""What is away is asked again after so long."""

BY_THE_FRAMEWORK = {
    404: "there is nothing here; `/openapi.json` lists what there is",
    405: "this address does not take this method; `/openapi.json` lists those that it takes",
}
"""It says nothing but the title."""


def add_handlers(app: FastAPI) -> None:
    """For all that may be foreseen; the rest is a mistake of June's, and for `Bounds` to tell."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(UnknownSession, _unknown)
    app.add_exception_handler(TextTooLong, _too_long)
    app.add_exception_handler(NoGuestTokens, _no_tokens)
    app.add_exception_handler(StoreError, _store)
    app.add_exception_handler(LiveKitError, _livekit)


async def _http(request: Request, error: Exception) -> Response:
    if isinstance(error, Problem):
        return error.response()
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        # The framework knows those of one route only, also where several have this path.
        path = getattr(request.scope.get("route"), "path", "")
        methods = request.app.openapi()["paths"].get(path, ["get"])
        headers["Allow"] = ", ".join(sorted(method.upper() for method in methods))
    return Problem(status, BY_THE_FRAMEWORK.get(status, error.detail), headers=headers).response()


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Without the values: they may be words of somebody, or a secret in the wrong field.
    errors = [
        Wrong(field=_field(one["loc"]), wrong=one["msg"].removeprefix("Value error, "))
        for one in error.errors()[:MOST_ERRORS]
    ]
    detail = "; ".join(f"`{one.field}`: {one.wrong}" for one in errors[:3])
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors).response()


def _field(place: tuple[int | str, ...]) -> str:
    """Without `body` before it. The name of a field that does not exist is a stranger's."""
    names = place[1:] if len(place) > 1 and place[0] in ("body", "query", "path") else place
    return printable(".".join(map(str, names)))[:LONGEST_FIELD_CHARACTERS]


async def _unknown(_: Request, __: Exception) -> Response:
    detail = "no session has this id; `GET /api/sessions` lists them"
    return Problem(HTTPStatus.NOT_FOUND, detail).response()


async def _too_long(_: Request, error: Exception) -> Response:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)).response()


async def _no_tokens(_: Request, __: Exception) -> Response:
    detail = "June makes no tokens here: she runs without LiveKit"
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail).response()


async def _store(_: Request, error: Exception) -> Response:
    log.warning("http.store_away", error=str(error))
    # The error's own words may hold the address of a database.
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "June's store does not answer just now; her log says why",
        reason=STORE_IS_DOWN,
        retry_after_seconds=AGAIN_IN_SECONDS,
    ).response()


async def _livekit(_: Request, error: Exception) -> Response:
    log.warning("http.livekit_failed", error=str(error))
    if not isinstance(error, LiveKitUnreachable):
        return Problem(HTTPStatus.BAD_GATEWAY, str(error)).response()
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        str(error),
        reason=LIVEKIT_IS_AWAY,
        retry_after_seconds=AGAIN_IN_SECONDS,
    ).response()

"""Every error over HTTP is a problem detail (RFC 9457), in words that an operator understands."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from agent.rooms import LiveKitError, LiveKitUnreachable
from session import StoreError, TextTooLong, UnknownSession

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

SHOWN_ERRORS = 10


class ProblemDetail(BaseModel):
    """As it is described to programs."""

    type: str
    title: str
    status: int
    detail: str
    reason: str | None = None
    """For programs: why a limit or a budget refused."""


class Problem(Exception):
    """Answered as it is. `detail` says what, and what to do."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        reason: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.reason = reason
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        body = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
        }
        return body if self.reason is None else {**body, "reason": self.reason}

    def response(self) -> JSONResponse:
        return JSONResponse(
            self.body(),
            status_code=int(self.status),
            headers=self.headers,
            media_type=MEDIA_TYPE,
        )


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer instead, for its description."""
    content = {MEDIA_TYPE: {"schema": ProblemDetail.model_json_schema()}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in sorted({400, 401, 403, 408, 413, 422, 503, *statuses})
    }


def add_handlers(app: FastAPI) -> None:
    """What is raised in a route becomes a problem."""

    @app.exception_handler(Problem)
    async def _(_: Request, error: Problem) -> JSONResponse:
        return error.response()

    @app.exception_handler(UnknownSession)
    async def _(_: Request, __: UnknownSession) -> JSONResponse:
        return Problem(HTTPStatus.NOT_FOUND, "no session has this id").response()

    @app.exception_handler(TextTooLong)
    async def _(_: Request, error: TextTooLong) -> JSONResponse:
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)).response()

    @app.exception_handler(StoreError)
    async def _(_: Request, error: StoreError) -> JSONResponse:
        log.warning("http.store_away", error=str(error))
        detail = "June's store does not answer just now; try again in a moment"
        return Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"}
        ).response()

    @app.exception_handler(LiveKitError)
    async def _(_: Request, error: LiveKitError) -> JSONResponse:
        away = isinstance(error, LiveKitUnreachable)
        status = HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.BAD_GATEWAY
        log.warning("http.livekit_failed", error=str(error))
        return Problem(status, str(error)).response()

    @app.exception_handler(RequestValidationError)
    async def _(_: Request, error: RequestValidationError) -> JSONResponse:
        # Without the values: they may be words of somebody, or a secret in the wrong field.
        wrong = [
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
            for one in error.errors()[:SHOWN_ERRORS]
        ]
        is_json = all(one["type"] != "json_invalid" for one in error.errors())
        status = HTTPStatus.UNPROCESSABLE_ENTITY if is_json else HTTPStatus.BAD_REQUEST
        return Problem(status, "; ".join(wrong)).response()

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        details = {
            HTTPStatus.NOT_FOUND: "there is nothing here; `/openapi.json` lists what there is",
            HTTPStatus.METHOD_NOT_ALLOWED: f"`{request.method}` is not for this address",
        }
        detail = details.get(status, str(error.detail))
        return Problem(status, detail, headers=error.headers).response()

    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> JSONResponse:
        return failed(request.scope, error).response()


def failed(scope: Mapping[str, Any], error: BaseException) -> Problem:
    """What nobody foresaw: told to the operator's log once, without what was sent."""
    route = getattr(scope.get("route"), "path", "")
    log.error("http.failed", route=route, error=type(error).__name__)
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "something failed in June; her log says what")

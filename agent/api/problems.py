"""Every error over HTTP is a problem detail (RFC 9457), in words that an operator understands.

Values that somebody sent are never shown again.
"""

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Response
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from agent.redact import printable

MEDIA_TYPE = "application/problem+json"

ANYWHERE = {400, 401, 403, 408, 413, 415, 422, 500, 503}


class Wrong(BaseModel):
    """One thing that is wrong with a request."""

    model_config = ConfigDict(extra="forbid")

    field: str
    wrong: str


class ProblemDetail(BaseModel):
    """As it is sent, without the members that are empty."""

    model_config = ConfigDict(extra="forbid")

    type: str
    title: str
    status: int
    detail: str
    """What is wrong and what to do, for a person."""
    reason: str = ""
    """For programs, where a status may mean several things: such as `too_many_calls`."""
    errors: Sequence[Wrong] = ()
    """By field, of a request that cannot be understood."""


class Problem(HTTPException):
    """Ends a request. `detail` says what is wrong, and what to do."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        reason: str = "",
        errors: Sequence[Wrong] = (),
        retry_after_seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        sent = dict(headers or {})
        if retry_after_seconds is not None:
            sent["Retry-After"] = str(max(1, math.ceil(retry_after_seconds)))
        super().__init__(status, printable(detail), sent)
        self.reason = reason
        self.errors = errors

    def response(self) -> Response:
        status = HTTPStatus(self.status_code)
        sent = ProblemDetail(
            type="about:blank",
            title=status.phrase,
            status=status,
            detail=self.detail,
            reason=self.reason,
            errors=self.errors,
        )
        return Response(
            sent.model_dump_json(exclude_defaults=True), status, self.headers, MEDIA_TYPE
        )


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer instead, for its description; its own besides those of all."""
    content = {MEDIA_TYPE: {"schema": _schema()}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in sorted({*ANYWHERE, *statuses})
    }


def _schema() -> dict[str, Any]:
    """With no reference in it: it stands inside another document."""
    schema = ProblemDetail.model_json_schema()
    schema["properties"]["errors"]["items"] = schema.pop("$defs")["Wrong"]
    return schema

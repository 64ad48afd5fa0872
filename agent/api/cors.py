"""What pages of the operator's web sites may ask from a browser."""

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import Response
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from agent.api.problems import Problem


class Cors(CORSMiddleware):
    """The framework's, with June's own way to refuse."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Retry-After"],
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        return Problem(
            HTTPStatus.FORBIDDEN,
            "`[http] origins` does not name this web site, or June does not take such a request",
        ).response()

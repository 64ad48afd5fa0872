"""Who may ask over HTTP: this machine alone, or whoever has the operator's token."""

import hmac
from collections.abc import Awaitable, Callable
from enum import StrEnum
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import Request
from pydantic import SecretStr
from starlette.responses import Response

from agent.api.problems import Problem
from agent.config import Config
from agent.config_sources import is_loopback

OPEN = frozenset({"/", "/healthz", "/readyz", "/api/webhooks/livekit"})
"""For everybody: the first three say little without a token, webhooks carry a signature."""

TOKEN_ROUTE = "/api/livekit/token"  # noqa: S105  a path


class Who(StrEnum):
    """As whom somebody asks."""

    OPERATOR = "operator"
    SITE = "site"
    """Has the key of the token route only."""
    ANYBODY = "anybody"


class Access:
    """Lives as long as the app; a middleware."""

    def __init__(self, config: Config) -> None:
        self._admin = config.admin_token
        self._site = config.token_key
        self._origins = frozenset(config.http.origins)

    async def __call__(
        self, request: Request, answer: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        try:
            request.state.who = self._let_in(request)
        except Problem as problem:
            return problem.response()
        return await answer(request)

    def _let_in(self, request: Request) -> Who:
        """Raises `Problem`."""
        who = self._who(request)
        path = request.scope["path"]
        if who is Who.OPERATOR or path in OPEN:
            return who
        if who is Who.SITE:
            if path == TOKEN_ROUTE:
                return who
            raise Problem(
                HTTPStatus.FORBIDDEN, f"this key is for `POST {TOKEN_ROUTE}` and nothing else"
            )
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "send the operator's token, the value of `JUNE_ADMIN_TOKEN`: `Authorization: Bearer …`",
            headers={"WWW-Authenticate": 'Bearer realm="june"'},
        )

    def _who(self, request: Request) -> Who:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            if _is(self._admin, given):
                return Who.OPERATOR
            if _is(self._site, given):
                return Who.SITE
        if self._admin is None:
            self._check_is_here(request)
            return Who.OPERATOR
        return Who.ANYBODY

    def _check_is_here(self, request: Request) -> None:
        """Without a token: no page of the internet may ask by the browser of this machine's user.

        The names of loopback cannot be made to mean another machine, and a browser tells the
        origin of whatever page asks.
        """
        host = _host_of(f"//{request.headers.get('host', '')}")
        origin = request.headers.get("origin")
        is_foreign = (
            origin is not None and origin not in self._origins and not is_loopback(_host_of(origin))
        )
        if not is_loopback(host) or is_foreign:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "without `JUNE_ADMIN_TOKEN` only this machine is answered, by the name `localhost` "
                "or `127.0.0.1`, and pages of `[http] origins`",
            )


def _is(secret: SecretStr | None, given: str) -> bool:
    """In the same time whatever is given."""
    if secret is None:
        return False
    return hmac.compare_digest(secret.get_secret_value().encode(), given.strip().encode())


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""

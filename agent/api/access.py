"""Who may ask over HTTP: this machine alone, or whoever has the operator's token.

A page that a browser shows on this machine could ask June, too. So without a token she answers only
to requests that name this machine as their host, which a page under a rebound name cannot, and that
no foreign page has made.
"""

import hmac
from enum import StrEnum
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.api.problems import Problem
from agent.config import Config
from agent.config_sources import is_loopback

TOKEN_ROUTE: Final = "/api/livekit/token"  # noqa: S105  a path
WEBHOOK_ROUTE: Final = "/api/webhooks/livekit"

OPEN: Final = frozenset({"/", "/ops", "/healthz", "/readyz", WEBHOOK_ROUTE})
"""For everybody: they say little without a token, webhooks carry a signature."""

PAGE_FILES: Final = "/page/"

FROM_A_PROXY: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")

SET_A_TOKEN: Final = "to let others in, set `JUNE_ADMIN_TOKEN`"  # noqa: S105  advice


def is_open(path: str) -> bool:
    """Also the files of the pages, which hold no figures."""
    return path in OPEN or path.startswith(PAGE_FILES)


class Who(StrEnum):
    """As whom somebody asks."""

    OPERATOR = "operator"
    SITE = "site"
    """Has the key of the token route only."""
    ANYBODY = "anybody"


class Access:
    """A middleware; tells the routes behind it `request.state.who`.

    It refuses before a body is read, and for paths that do not exist: a route that is added is
    closed until somebody opens it.
    """

    def __init__(self, app: ASGIApp, *, config: Config) -> None:
        self._app = app
        self._admin = _bytes(config.admin_token)
        self._site = _bytes(config.token_key)
        self._origins = frozenset(config.http.origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                who = self._let_in(scope["path"], Headers(scope=scope))
            except Problem as problem:
                await problem.response()(scope, receive, send)
                return
            scope.setdefault("state", {})["who"] = who
        await self._app(scope, receive, send)

    def _let_in(self, path: str, headers: Headers) -> Who:
        """Raises `Problem`."""
        who = self._who(headers)
        if self._admin is None and path != WEBHOOK_ROUTE:
            self._check_is_here(headers)
        if who is Who.OPERATOR or is_open(path):
            return who
        if who is Who.ANYBODY:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "send the operator's token, the value of `JUNE_ADMIN_TOKEN`: "
                "`Authorization: Bearer …`",
                headers={"WWW-Authenticate": 'Bearer realm="june"'},
            )
        if path != TOKEN_ROUTE:
            raise Problem(
                HTTPStatus.FORBIDDEN, f"this key is for `POST {TOKEN_ROUTE}` and nothing else"
            )
        return who

    def _who(self, headers: Headers) -> Who:
        token = _token_in(headers)
        if _is(token, self._admin):
            return Who.OPERATOR
        if _is(token, self._site):
            return Who.SITE
        return Who.OPERATOR if self._admin is None else Who.ANYBODY

    def _check_is_here(self, headers: Headers) -> None:
        """Raises `Problem`."""
        if not is_loopback(_host_of(f"//{headers.get('host', '')}")):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "without a token only this machine is answered, by a name such as `localhost` or "
                f"`127.0.0.1`; {SET_A_TOKEN}",
            )
        if any(name in headers for name in FROM_A_PROXY):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "without a token only this machine is answered, and this comes through a proxy, "
                f"so perhaps from anybody; {SET_A_TOKEN}",
            )
        origin = headers.get("origin")
        if origin is not None and origin not in self._origins and not is_loopback(_host_of(origin)):
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "this comes from a page of a web site that June does not know; "
                "name the site in `[http] origins`",
            )


def _bytes(secret: SecretStr | None) -> bytes | None:
    return None if secret is None else secret.get_secret_value().encode()


def _token_in(headers: Headers) -> bytes | None:
    given = headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    return token.strip().encode("latin-1") if scheme.lower() == "bearer" else None


def _is(token: bytes | None, secret: bytes | None) -> bool:
    """In the same time, however much of it is right."""
    return token is not None and secret is not None and hmac.compare_digest(token, secret)


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""

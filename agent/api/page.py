"""What a browser gets of June: her page at `/`, the operator's at `/ops`, and their files."""

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from agent.api.parts import Parts
from agent.api.problems import Problem, answers
from agent.livekit_client import client_file
from agent.version import VERSION

FOLDER = Path(__file__).parent / "page"

CLIENT = "livekit-client.js"

KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

ALWAYS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
"""A browser keeps a file, and asks each time whether it is still the same."""


class Name(BaseModel):
    """What this is."""

    name: Literal["june"] = "june"
    version: str


class File:
    """As long as June runs it stays as it was when she read it."""

    def __init__(self, path: Path, kind: str) -> None:
        self._content = path.read_bytes()
        self._kind = kind
        self._tag = f'"{hashlib.sha256(self._content).hexdigest()[:20]}"'

    def answer(self, request: Request, headers: Mapping[str, str]) -> Response:
        told = {**ALWAYS, **headers, "ETag": self._tag}
        if self._tag in request.headers.get("if-none-match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=told)
        return Response(self._content, media_type=self._kind, headers=told)


class Pages:
    """Lives as long as the app. What may be asked for is what was there when it began."""

    def __init__(self, livekit_url: str) -> None:
        self._files = {
            path.name: File(path, KINDS[path.suffix])
            for path in FOLDER.iterdir()
            if path.suffix in KINDS
        }
        # It may be installed while June runs, and does not change then.
        self._client = client_file()
        self._headers = {
            "Content-Security-Policy": policy(livekit_url),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "microphone=(self)",
            "Referrer-Policy": "no-referrer",
            "Vary": "Accept",
        }

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._files)

    @property
    def can_call(self) -> bool:
        """Whether a browser could talk to LiveKit."""
        return self._client.is_file()

    def html(self, request: Request, name: str) -> Response:
        return self._files[name].answer(request, self._headers)

    def file(self, request: Request, name: str) -> Response:
        """Raises `Problem`."""
        if name == CLIENT and name not in self._files and self.can_call:
            self._files[name] = File(self._client, KINDS[".js"])
        if name not in self._files or name.endswith(".html"):
            raise Problem(HTTPStatus.NOT_FOUND, "June's page has no such file")
        return self._files[name].answer(request, {})


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(tags=["pages"])
    pages = Pages(parts.config.livekit.url or "")

    # `curl -I` and some load balancers ask with HEAD, which the framework does not add to GET.
    @routes.head("/", response_model=None, include_in_schema=False)
    @routes.get("/", response_model=Name, responses=answers())
    async def june(request: Request, response: Response) -> Name | Response:
        """A browser gets the page to talk to June on."""
        if not wants_html(request.headers.get("accept", "")):
            response.headers["Vary"] = "Accept"
            return Name(version=VERSION)
        return pages.html(request, "index.html" if pages.can_call else "missing.html")

    @routes.head("/ops", include_in_schema=False)
    @routes.get("/ops", include_in_schema=False)
    async def ops(request: Request) -> Response:
        return pages.html(request, "ops.html")

    @routes.head("/page/{name}", include_in_schema=False)
    @routes.get("/page/{name}", include_in_schema=False)
    async def file(request: Request, name: str) -> Response:
        return pages.file(request, name)

    return routes


def wants_html(accept: str) -> bool:
    """Whether somebody asks for it by name, and not less than for JSON."""
    wished = {"text/html": 0.0, "application/json": 0.0}
    for part in accept.lower().split(","):
        kind, *parameters = (one.strip() for one in part.split(";"))
        if kind in wished:
            weights = (one[2:] for one in parameters if one.startswith("q="))
            wished[kind] = _weight(next(weights, "1"))
    return 0 < wished["text/html"] >= wished["application/json"]


def policy(livekit_url: str) -> str:
    """Nothing but June's own files, and the one LiveKit server that carries the sound."""
    host = urlsplit(livekit_url).hostname or ""
    reached = ["'self'", *_origins(livekit_url)]
    if host.endswith(".livekit.cloud"):
        # Its client asks for the nearest region, which has a name of its own.
        reached += ["https://*.livekit.cloud", "wss://*.livekit.cloud"]
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src {' '.join(reached)}; media-src 'self' blob:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )


def _origins(livekit_url: str) -> list[str]:
    """Of its web socket, and of what the client asks when that fails."""
    parts = urlsplit(livekit_url)
    if not parts.hostname:
        return []
    is_secret = parts.scheme in ("wss", "https")
    schemes = ("wss", "https") if is_secret else ("ws", "http")
    return [f"{scheme}://{parts.netloc.rpartition('@')[2]}" for scheme in schemes]


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0

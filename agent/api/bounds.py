"""No request is large, none takes long, and none that fails leaves without an answer.

But for what is endless: its answer begins in time.
"""

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from traceback import extract_tb

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.api.endless import ENDLESS
from agent.api.problems import Problem

log = structlog.get_logger(__name__)

MOST_BODY_BYTES = 65_536
MOST_SECONDS = 10.0

FRAMES_LOGGED = 6


class Bounds:
    """Around everything else. What is not expected is logged once, without a word of the request's.

    The caller of a request that is cut off gets no more of its answer.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        most_body_bytes: int = MOST_BODY_BYTES,
        most_seconds: float = MOST_SECONDS,
    ) -> None:
        self._app = app
        self._most_body_bytes = most_body_bytes
        self._most_seconds = most_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(receive, send, self._most_body_bytes)
        problem = await self._serve(scope, exchange)
        if problem is not None and not exchange.is_answered:
            await problem.response()(scope, receive, send)

    async def _serve(self, scope: Scope, exchange: "_Exchange") -> Problem | None:
        if _declared_bytes(scope) > self._most_body_bytes:
            return too_large(self._most_body_bytes)
        time = asyncio.timeout(self._most_seconds)
        try:
            async with time:
                if scope["path"] in ENDLESS:
                    exchange.on_answer = lambda: time.reschedule(None)
                await self._app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            return None
        except Exception as error:  # noqa: BLE001  whatever it is, somebody waits for an answer
            if time.expired() and isinstance(error, TimeoutError):
                return self._too_slow(exchange)
            return failed(scope, error)
        return None

    def _too_slow(self, exchange: "_Exchange") -> Problem:
        seconds = f"{self._most_seconds:g} s"
        if exchange.awaits_body:
            return Problem(
                HTTPStatus.REQUEST_TIMEOUT,
                f"the request did not arrive within {seconds}",
                headers={"Connection": "close"},
            )
        return Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"June could not answer within {seconds}; try again",
            retry_after_seconds=5,
        )


class _Exchange:
    """One request and its answer, as far as they have come."""

    def __init__(self, receive: Receive, send: Send, most_body_bytes: int) -> None:
        self._receive = receive
        self._send = send
        self._most_body_bytes = most_body_bytes
        self._bytes = 0
        self.awaits_body = False
        self.is_answered = False
        self.on_answer: Callable[[], None] = lambda: None

    async def receive(self) -> Message:
        """Raises `Problem`, which the framework hands on as it is."""
        self.awaits_body = True
        message = await self._receive()
        self.awaits_body = False
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._most_body_bytes:
            raise too_large(self._most_body_bytes)
        return message

    async def send(self, message: Message) -> None:
        if not self.is_answered:
            self.on_answer()
        self.is_answered = True
        await self._send(message)


def failed(scope: Scope, error: Exception) -> Problem:
    """What nobody foresaw: the log is told where it happened, and not what was sent or said."""
    route = getattr(scope.get("route"), "path", "")
    frames = extract_tb(error.__traceback__)[-FRAMES_LOGGED:]
    at = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
    log.error("http.failed", route=route, error=type(error).__name__, at=at)
    detail = "June made a mistake; in her log a line `http.failed` says where"
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail)


def too_large(most_bytes: int) -> Problem:
    # The rest of the body would have to be read before the connection could be used again.
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body has more than {most_bytes:,} bytes",
        headers={"Connection": "close"},
    )


def _declared_bytes(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "")
    # What is no number the server itself refuses.
    return int(declared) if re.fullmatch("[0-9]{1,20}", declared) else 0

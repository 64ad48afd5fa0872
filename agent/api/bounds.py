"""What one request may take: so many bytes, so much time."""

import asyncio
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.api.problems import Problem, failed

MOST_BYTES = 65_536
MOST_SECONDS = 10.0


class _TooMuch(Exception):
    """The body is larger than it said, or than it may be."""


class Bounds:
    """The outermost middleware; answers also what nobody caught."""

    def __init__(self, app: ASGIApp, *, most_seconds: float = MOST_SECONDS) -> None:
        self._app = app
        self._most_seconds = most_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_begun = False
        read = 0

        async def bounded_receive() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MOST_BYTES:
                raise _TooMuch
            return message

        async def noting_send(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await send(message)

        try:
            _check(scope)
            async with asyncio.timeout(self._most_seconds):
                await self._app(scope, bounded_receive, noting_send)
        except _TooMuch:
            detail = f"a request may have {MOST_BYTES:,} bytes at most"
            problem = Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, headers={"Connection": "close"}
            )
        except TimeoutError:
            detail = f"this took longer than {self._most_seconds:.0f} s and was given up"
            problem = Problem(HTTPStatus.REQUEST_TIMEOUT, detail, headers={"Connection": "close"})
        except Exception as error:  # noqa: BLE001  the last who could tell of it
            problem = failed(scope, error)
        else:
            return
        if not is_begun:
            await problem.response()(scope, receive, send)


def _check(scope: Scope) -> None:
    """What the request says of itself, before anything is read. Raises `_TooMuch`."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > MOST_BYTES:
            raise _TooMuch

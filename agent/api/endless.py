"""Answers that go on until somebody ends them: server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final

from fastapi import Response
from starlette.types import Receive, Scope, Send

OPS_STREAM_ROUTE: Final = "/api/ops/stream"

ENDLESS: Final = frozenset({OPS_STREAM_ROUTE})
"""These paths take as long as they like once their answer has begun, and end with the server."""

SEND_SECONDS = 30.0
"""Who takes nothing for so long is gone."""


def event(name: str, data: str) -> bytes:
    """As the page's browser reads it; the data is JSON, so it has no line of its own."""
    return f"event: {name}\ndata: {data}\n\n".encode()


HEARTBEAT = b": still here\n\n"


class EventStream(Response):
    """Ends with its events, or when whoever reads them is gone."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        # The framework's own knows all that it will say.
        self.status_code = 200
        self.background = None
        self.body = b""
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        saying = asyncio.create_task(self._say(send), name="june.http.events")
        leaving = asyncio.create_task(_gone(receive), name="june.http.gone")
        try:
            await asyncio.wait({saying, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if saying.done():
                saying.result()
        finally:
            for task in (saying, leaving):
                task.cancel()
            await asyncio.wait({saying, leaving})

    async def _say(self, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        )
        async for one in self._events:
            async with asyncio.timeout(SEND_SECONDS):
                await send({"type": "http.response.body", "body": one, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

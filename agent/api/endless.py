"""Answers that go on until somebody leaves: server-sent events."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

OPS_STREAM_ROUTE: Final = "/api/ops/stream"

ENDLESS: Final = frozenset({OPS_STREAM_ROUTE})
"""An answer that has begun at these paths takes as long as it likes, and ends with the server."""

HEARTBEAT = b": still here\n\n"


def event(name: str, data: str) -> bytes:
    """The data is JSON, so it has no line of its own."""
    return f"event: {name}\ndata: {data}\n\n".encode()


class EventStream(StreamingResponse):
    """`seat` is taken before the answer begins, and may raise `Problem` instead of it."""

    media_type = "text/event-stream"

    def __init__(self, seat: AbstractContextManager[None], events: AsyncIterator[bytes]) -> None:
        super().__init__(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._seat = seat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._seat:
            await super().__call__(scope, receive, send)

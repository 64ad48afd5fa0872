"""How a connection may behave before there is a request, and how many there may be."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 256
"""The worker may open a thousand files at once, calls' among them. Who is too many is cut off."""

HEAD_SECONDS = 10.0
"""For a whole request's head. Uvicorn itself would wait for ever."""


class Connection(H11Protocol):
    """Uvicorn's, which minds neither silent callers nor their number."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self._mind_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._mind_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._mind_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose_patience()
        super().connection_lost(exc)

    def _mind_head(self) -> None:
        """While no request is served one is waited for, whole, and only for so long."""
        is_served = self.cycle is not None and not self.cycle.response_complete
        if is_served:
            self._lose_patience()
        elif self._patience is None:
            self._patience = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _lose_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

"""How a connection may behave before there is a request, and how many there may be."""

import asyncio
import math
import socket
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from agent.api.endless import ENDLESS

MOST_CONNECTIONS = 256
"""The worker may open a thousand files at once, calls' among them."""

UNHEARD_SECONDS = 30
"""Who takes nothing for so long is gone; the system would try for a quarter of an hour."""

HEAD_SECONDS = 10.0
"""For a whole request's head. Uvicorn itself would wait for ever."""


class Connection(H11Protocol):
    """Uvicorn's, which minds neither silent callers nor their number.

    Where there are too many, the one that has been silent for longest makes room: a crowd that
    says nothing must not keep out whoever looks after June's health.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # what a socket of asyncio's has
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(
            socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1_000 * UNHEARD_SECONDS
        )
        self._mind_head()
        here = [one for one in self.connections if not one.transport.is_closing()]
        if len(here) > MOST_CONNECTIONS:
            # The new one is among them: it goes itself where all others have their requests served.
            own = (one for one in here if isinstance(one, Connection))
            min(own, key=Connection.silent_until).give_way()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._mind_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._mind_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose_patience()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server closes: what is being answered has a moment, but not what never ends."""
        super().shutdown()
        is_served = self.cycle is not None and not self.cycle.response_complete
        if is_served and self.scope["path"] in ENDLESS:
            self.give_way()

    def silent_until(self) -> float:
        """When it is cut off, by the loop's clock, unless a request comes; never if one has."""
        return math.inf if self._patience is None else self._patience.when()

    def give_way(self) -> None:
        self.transport.abort()

    def _mind_head(self) -> None:
        """While no request is served one is waited for, whole, and only for so long."""
        is_served = self.cycle is not None and not self.cycle.response_complete
        if is_served:
            self._lose_patience()
        elif self._patience is None:
            self._patience = self.loop.call_later(HEAD_SECONDS, self.give_way)

    def _lose_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

"""The HTTP server, in the worker's own event loop. It binds its port before anything else."""

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import structlog
import uvicorn
from starlette.types import ASGIApp

from agent import background
from agent.api.connections import Connection
from agent.errors import CannotStart

log = structlog.get_logger(__name__)

READY_SECONDS = 5.0

CLOSE_SECONDS = 2
"""For requests that are being answered when it closes; then they are cut off."""

BACKLOG = 128


class HttpServer:
    """Lives inside `async with`; closes within 3 s. Port 0 stands for any, which `port` then says.

    Raises:
        CannotStart: on entering, if it cannot listen there.
    """

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._host = host
        self._port = port
        config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            # A line for each stranger who speaks no HTTP; what fails in June `Bounds` logs itself.
            log_level="critical",
            # The scheme and address of the caller are nowhere used, so no proxy is believed.
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=CLOSE_SECONDS,
        )
        self._server = _Server(config)
        self._serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Where it really listens."""
        return self._port

    async def __aenter__(self) -> Self:
        listening = await _listen(self._host, self._port)
        self._port = listening.getsockname()[1]
        self._serving = background.begin(self._server.serve(sockets=[listening]), "june.http")
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._server.is_ready.wait()
        except BaseException:
            listening.close()
            await self.__aexit__()
            raise
        log.info("http.ready", host=self._host, port=self._port)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._serving is not None
        self._server.should_exit = True
        await self._serving
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()


class _Server(uvicorn.Server):
    """Leaves signals to the worker."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_ready.set()


async def _listen(host: str, port: int) -> socket.socket:
    """Of several addresses of a name the first of IPv4, which every program on it tries, too."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # `::` is every address, also those of IPv4.
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listening.bind(address)
            listening.listen(BACKLOG)
        except BaseException:
            listening.close()
            raise
    except (OSError, UnicodeError) as error:
        raise CannotStart(_why(error, host, port)) from error
    return listening


def _why(error: OSError | UnicodeError, host: str, port: int) -> str:
    match error:
        case OSError(errno=errno.EADDRINUSE):
            return (
                f"port {port} on {host} is taken, perhaps by another June or a model server\n"
                "hint: run `export JUNE_HTTP__PORT=0` for any free port, or set "
                "`[http] port` to one"
            )
        case OSError(errno=errno.EACCES):
            return (
                f"port {port} on {host} is for the system only\n"
                "hint: set `[http] port` to one above 1023, such as 8080"
            )
        case _:
            return (
                f"`[http] host` is `{host}`, where this machine cannot listen: {error}\n"
                "hint: set it to `127.0.0.1`, or to `0.0.0.0` for all of its addresses"
            )

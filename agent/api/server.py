"""Serves the HTTP side from the worker's own event loop."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Self

import structlog
import uvicorn
from fastapi import FastAPI

from agent import background
from agent.errors import CannotStart

log = structlog.get_logger(__name__)

CLOSE_SECONDS = 2
READY_SECONDS = 5.0
WAITING_CONNECTIONS = 128


class _Server(uvicorn.Server):
    """Leaves signals to the worker, which drains."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Lives as long as the worker. Raises `CannotStart` where it cannot listen."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The one it really has."""
        return self._port

    async def __aenter__(self) -> Self:
        listening = self._listen()
        self._port = listening.getsockname()[1]
        self._server = _Server(
            uvicorn.Config(
                self._app,
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=CLOSE_SECONDS,
                timeout_keep_alive=15,
                limit_concurrency=WAITING_CONNECTIONS,
                ws="none",
            )
        )
        self._task = background.begin(self._server.serve([listening]), "june.http")
        async with asyncio.timeout(READY_SECONDS):
            while not self._server.started and not self._task.done():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        log.info("http.ready", host=self._host, port=self._port)
        return self

    def _listen(self) -> socket.socket:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM
            )[0]
            listening = socket.socket(family, kind, protocol)
        except OSError as error:
            raise self._cannot_listen(error) from error
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(WAITING_CONNECTIONS)
            listening.setblocking(False)  # noqa: FBT003  the socket's own way
        except OSError as error:
            listening.close()
            raise self._cannot_listen(error) from error
        return listening

    def _cannot_listen(self, error: OSError) -> CannotStart:
        return CannotStart(
            f"June cannot listen at `{self._host}`, port {self._port}: {error.strerror or error}\n"
            "hint: take another port with `JUNE_HTTP__PORT=8081`, or any with `JUNE_HTTP__PORT=0`"
        )

    async def __aexit__(self, *exc_info: object) -> None:
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        _, late = await asyncio.wait([self._task], timeout=CLOSE_SECONDS + 1)
        if late:
            await background.end(self._task)

"""June's HTTP side in the test's own process: the real app, and scripted rooms behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from api_fakes import Api, api_in

from agent.api.server import HttpServer


@dataclass
class Served:
    api: Api
    url: str
    port: int
    server: HttpServer


@asynccontextmanager
async def served_in(folder: Path, **environ: str) -> AsyncIterator[Served]:
    """With these variables set; nobody listens at its LiveKit address unless one is given."""
    environ = {"LIVEKIT_URL": "ws://127.0.0.1:9", **environ}
    async with api_in(folder, **environ) as api, HttpServer(api.app, "127.0.0.1", 0) as server:
        yield Served(api, f"http://127.0.0.1:{server.port}", server.port, server)

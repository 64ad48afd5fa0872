"""June's HTTP side in the test's own process: the real app, and scripted rooms behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from api_fakes import Api, api_in

from agent.api.server import HttpServer
from agent.livekit_server import LoopbackServer


@dataclass
class Served:
    api: Api
    url: str
    port: int
    server: HttpServer


@asynccontextmanager
async def served_in(
    folder: Path, livekit: LoopbackServer | None = None, **environ: str
) -> AsyncIterator[Served]:
    """With these variables set; without a server nobody listens at its LiveKit address."""
    environ["LIVEKIT_URL"] = "ws://127.0.0.1:9"
    if livekit is not None:
        environ["LIVEKIT_URL"] = livekit.url
        environ["LIVEKIT_API_KEY"] = livekit.api_key
        environ["LIVEKIT_API_SECRET"] = livekit.api_secret.get_secret_value()
    async with api_in(folder, **environ) as api, HttpServer(api.app, "127.0.0.1", 0) as server:
        yield Served(api, f"http://127.0.0.1:{server.port}", server.port, server)

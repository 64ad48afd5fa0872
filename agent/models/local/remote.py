"""A call's connection to the model process."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from agent.models.local.engine import speaking_rate

PATIENCE = aiohttp.ClientTimeout(total=20, sock_connect=2)
"""Seconds. Generous: the deadlines that callers notice belong to the call, not to the models."""

RESTART_SECONDS = 5.0
"""How long a request waits for a model process that died and is being started again."""

RETRY_SECONDS = 0.1

CHUNK_BYTES = 8_820
"""200 ms of sound at Piper's 22,050 Hz: small enough to start playing early."""


class RemoteSpeech:
    """`Speech` by way of the socket of the model process. Lives as long as one call.

    Connects at the first request. A request that finds the process gone is made again while the
    worker restarts it: computing the same thing twice harms nobody. Raises aiohttp's errors, or
    `TimeoutError`, when the process does not come back.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._http: aiohttp.ClientSession | None = None

    @property
    def speaking_rate(self) -> int:
        return speaking_rate()

    async def transcribe(self, pcm: bytes, *, final: bool) -> str:
        query = {"final": "1" if final else "0"}
        async with asyncio.timeout(PATIENCE.total):
            response = await self._post("/transcribe", pcm, query)
            async with response:
                return str((await response.json())["text"])

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        response = await self._post("/speak", text.encode(), {})
        async with response:
            async for sound in response.content.iter_chunked(CHUNK_BYTES):
                yield sound

    async def _post(self, path: str, body: bytes, query: dict[str, str]) -> aiohttp.ClientResponse:
        """The answer's head; asked again while nobody listens on the socket."""
        if self._http is None:
            self._http = aiohttp.ClientSession(
                "http://june",
                connector=aiohttp.UnixConnector(str(self._socket)),
                timeout=PATIENCE,
                raise_for_status=True,
            )
        attempts = int(RESTART_SECONDS / RETRY_SECONDS)
        for _ in range(attempts):
            try:
                return await self._http.post(path, data=body, params=query)
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(RETRY_SECONDS)
        return await self._http.post(path, data=body, params=query)

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.close()

"""A LiveKit server on loopback, for a person at this machine and for tests."""

import asyncio
import secrets
import signal
import socket
import tempfile
from pathlib import Path
from typing import Self

import aiohttp
from pydantic import SecretStr

from agent.errors import CannotStart

READY_SECONDS = 15.0
STOP_SECONDS = 5.0


class LoopbackServer:
    """A server that only this machine reaches, with keys of its own. Lives inside `async with`.

    It has a process group of its own, so that Ctrl-C ends June first and the server after her.
    """

    def __init__(self, binary: Path) -> None:
        self._binary = binary
        self._folder = tempfile.TemporaryDirectory(prefix="june-livekit-")
        self._ports = _free_ports(2)
        self._process: asyncio.subprocess.Process | None = None
        self.api_key = f"june-{secrets.token_hex(4)}"
        self.api_secret = SecretStr(secrets.token_urlsafe(32))

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._ports[0]}"

    @property
    def log_file(self) -> Path:
        return Path(self._folder.name) / "livekit.log"

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._write_config)
        try:
            await self.start()
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def _write_config(self) -> None:
        config = Path(self._folder.name) / "livekit.yaml"
        config.touch(mode=0o600)
        config.write_text(
            f"""
port: {self._ports[0]}
bind_addresses: [127.0.0.1]
rtc:
  tcp_port: {self._ports[1]}
  udp_port: {_free_udp_port()}
  node_ip: 127.0.0.1
  use_external_ip: false
  enable_loopback_candidate: true
keys:
  {self.api_key}: {self.api_secret.get_secret_value()}
room:
  departure_timeout: 45
logging:
  level: warn
"""
        )

    async def start(self) -> None:
        """Start it, or start it again after `stop`, with the same address and keys."""
        with self.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(self._binary, "--config", Path(self._folder.name) / "livekit.yaml"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as http:
                while not await _answers(http, self.url):
                    if self._process.returncode is not None:
                        break
                    await asyncio.sleep(0.05)
                else:
                    return
        except TimeoutError:
            await self.stop()
        said = self.log_file.read_text(errors="replace").strip().splitlines()[-3:]
        raise CannotStart("\n".join(["LiveKit's server does not start; it said:", *said]))

    async def stop(self) -> None:
        """End it. It would wait for its rooms to be empty: whoever stops it has seen to that."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()
        self._folder.cleanup()


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url.replace("ws:", "http:")) as response:
            return response.status == 200
    except (aiohttp.ClientError, OSError):
        return False


def _free_ports(count: int) -> list[int]:
    """Held all at once while asking, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])

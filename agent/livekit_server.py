"""A LiveKit server on loopback, for a person at this machine and for tests."""

import asyncio
import secrets
import shutil
import signal
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

import aiohttp
from pydantic import SecretStr

from agent.errors import CannotStart

HERE = "127.0.0.1"

READY_SECONDS = 15.0

TRIES = 3
"""A port that was free may be taken before the server opens it."""

PATIENCE_SECONDS = (1.0, 4.0)
"""On a first signal the server waits for its rooms to be empty, on a second it does not.

It is deaf in its first 0.1 s, so that even an idle one may need the second.
"""


class LoopbackServer:
    """A server that only this machine reaches, with keys of its own. Lives inside `async with`.

    It has a process group of its own, so that Ctrl-C ends June first and the server after her.
    """

    def __init__(self, binary: Path) -> None:
        self._binary = binary
        self._folder = tempfile.TemporaryDirectory(prefix="june-livekit-")
        self._port, self._udp_port = _free_ports()
        self._process: asyncio.subprocess.Process | None = None
        self.api_key = f"june-{secrets.token_hex(4)}"
        self.api_secret = SecretStr(secrets.token_urlsafe(32))

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}"

    @property
    def log_file(self) -> Path:
        return Path(self._folder.name) / "livekit.log"

    async def __aenter__(self) -> Self:
        try:
            for tries_left in reversed(range(TRIES)):
                try:
                    await self.start()
                    break
                except CannotStart as error:
                    if tries_left == 0 or "address already in use" not in str(error):
                        raise
                    self._port, self._udp_port = _free_ports()
        except BaseException:
            await self.aclose()
            raise
        return self

    def _write_config(self) -> Path:
        """In a file that only this user can read: arguments are seen by everybody here."""
        config = Path(self._folder.name) / "livekit.yaml"
        config.touch(mode=0o600)
        config.write_text(
            f"""
port: {self._port}
bind_addresses: [127.0.0.1]
rtc:
  # ICE over TCP would listen on every address of the machine.
  tcp_port: 0
  udp_port: {self._udp_port}
  node_ip: 127.0.0.1
  ips:
    includes: [127.0.0.1/32]
  use_external_ip: false
  enable_loopback_candidate: true
  # With none named, browsers ask Google and Twilio for their address. Nobody answers UDP on this
  # port, and nobody need; on the port for sound such a question would spoil the connection.
  stun_servers: ["127.0.0.1:{self._port}"]
keys:
  {self.api_key}: {self.api_secret.get_secret_value()}
room:
  departure_timeout: 45
logging:
  level: warn
"""
        )
        return config

    async def start(self) -> None:
        """Start it, or start it again after `stop`, with the same address and keys."""
        config = await asyncio.to_thread(self._write_config)
        with self.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_ended_with_this_process(),
                *(self._binary, "--config", config),
                # LIVEKIT_KEYS, NODE_IP or REDIS_HOST, meant for another server, would win.
                env={},
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
        raise CannotStart(
            "\n".join(
                [
                    f"LiveKit's server does not start (`{self._binary}`); it said:",
                    *said,
                    f"hint: run `{self._binary} --version`; it should be 1.13 or newer",
                ]
            )
        )

    async def stop(self) -> None:
        """End it, and with it every call, within some five seconds."""
        process = self._process
        if process is None:
            return
        for patience_seconds in PATIENCE_SECONDS:
            if process.returncode is not None:
                return
            process.send_signal(signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), patience_seconds)
        if process.returncode is None:
            process.kill()
            await process.wait()

    async def aclose(self) -> None:
        await self.stop()
        self._folder.cleanup()

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


def _ended_with_this_process() -> tuple[str, ...]:
    """Whatever kills June, her server must not live on. Nothing of it outlives a call anyway."""
    setpriv = shutil.which("setpriv")
    return () if setpriv is None else (setpriv, "--pdeathsig", "KILL")


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url.replace("ws:", "http:")) as response:
            return response.status == 200
    except (aiohttp.ClientError, OSError):
        return False


def _free_ports() -> tuple[int, int]:
    """One for HTTP, one for sound over UDP."""
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind((HERE, 0))
        udp.bind((HERE, 0))
        return int(tcp.getsockname()[1]), int(udp.getsockname()[1])

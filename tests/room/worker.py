"""A real June: `python -m agent start`, in a process of its own."""

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx2 as httpx

from agent.livekit_server import LoopbackServer
from agent.models.local.tts import LocalTTS

runs = itertools.count(1)

ROOT = Path(__file__).parent.parent.parent


class Worker:
    """Lives inside `async with`. What it logs is kept as JSON."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *command: str) -> None:
        self.folder = folder
        self.voice = f"local/{LocalTTS.MODEL}"
        """Under which name its cache of spoken lines has its voice."""
        self._command = command or ("agent", "start")
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "JUNE_DATA__DIR": str(folder / "data"),
            "JUNE_LOGS__FORMAT": "json",
            "JUNE_HTTP__PORT": "0",
            **environment,
        }
        self._log = folder / "june.log"
        self._printed = folder / f"printed-{next(runs)}"

    @classmethod
    def of(cls, server: LoopbackServer, folder: Path, **environment: str) -> Self:
        """A worker of this server."""
        known = {
            "LIVEKIT_URL": server.url,
            "LIVEKIT_API_KEY": server.api_key,
            "LIVEKIT_API_SECRET": server.api_secret.get_secret_value(),
        }
        return cls(folder, known | environment)

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as log, self._printed.open("ab") as printed:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", *self._command),
                env=self._environment,
                cwd=self.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=printed,
                stderr=log,
                start_new_session=True,
            )
        return self

    async def ready(self) -> Self:
        await self.event("worker.ready", 90)
        return self

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def printed(self) -> str:
        """What it wrote to standard output."""
        return self._printed.read_text(errors="replace")

    def events(self, name: str, **fields: object) -> list[dict[str, Any]]:
        """The log's lines of this event, with these fields."""
        lines = (line for line in self.log.splitlines() if line.startswith("{"))
        entries = (json.loads(line) for line in lines)
        return [
            entry for entry in entries if entry["event"] == name and fields.items() <= entry.items()
        ]

    async def event(self, name: str, seconds: float = 15, **fields: object) -> dict[str, Any]:
        """The last such line, once there is one."""
        for _ in range(int(seconds * 20)):
            if found := self.events(name, **fields):
                return found[-1]
            assert self.process.returncode is None, f"June ended:\n{self.log[-2000:]}"
            await asyncio.sleep(0.05)
        raise AssertionError(f"no `{name}` with {fields} within {seconds} s:\n{self.log[-2000:]}")

    async def http(self) -> httpx.AsyncClient:
        """What it answers over HTTP; to be used with `async with`."""
        ready = await self.event("http.ready")
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{ready['port']}", timeout=15)

    async def prints(self, words: str, seconds: float = 60) -> str:
        """All of its output, once these words are in it."""
        for _ in range(int(seconds * 20)):
            if words in self.printed:
                return self.printed
            assert self.process.returncode is None, f"June ended:\n{self.log[-2000:]}"
            await asyncio.sleep(0.05)
        raise AssertionError(f"no `{words}` within {seconds} s:\n{self.printed[-2000:]}")

    async def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 60) -> int:
        """End it by a signal; its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), seconds)

    async def __aexit__(self, *exc_info: object) -> None:
        try:
            await self.stop()
        except TimeoutError:
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()
            raise

"""A real June: `python -m agent start`, in a process of its own."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from agent.livekit_server import LoopbackServer

ROOT = Path(__file__).parent.parent.parent


class Worker:
    """Lives inside `async with`. What it logs is kept as JSON."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *command: str) -> None:
        self.folder = folder
        self._command = command or ("start",)
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "JUNE_DATA__DIR": str(folder / "data"),
            "JUNE_LOGS__FORMAT": "json",
            **environment,
        }
        self._log = folder / "june.log"

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
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "agent", *self._command),
                env=self._environment,
                cwd=self.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
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

"""Keeps the model process running: started once by the worker, started again when it dies."""

import asyncio
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

import aiohttp
import structlog

from agent.config import child_environment
from agent.errors import CannotStart
from agent.models.local.engine import require_models

log = structlog.get_logger(__name__)

READY_SECONDS = 60.0
"""Loading takes two seconds on an idle machine; a cold disk and a busy one take their time."""

RESTART_SECONDS = 1.0
STOP_SECONDS = 3.0


class ModelProcessFailed(CannotStart):
    """The local models do not load; the message is for the operator."""


class ModelProcess:
    """Lives as long as the worker. `socket` is where calls find the models."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="june-")
        self.socket = Path(self._folder.name) / "models.sock"
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        require_models()
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        self._keeping = asyncio.create_task(self._keep(), name="june.models.keep")
        return self

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def _start(self) -> None:
        self.socket.unlink(missing_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "agent.models.local.process", str(self.socket)),
            stdin=asyncio.subprocess.PIPE,
            # Moonshine's own threads spin while they wait; see `engine`.
            env=child_environment(MOONSHINE_ORT_SINGLE_THREAD="1"),
            # Ctrl-C must not reach it: calls still need its voice to say goodbye.
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not await _answers(self.socket):
                    if self._process.returncode is not None:
                        raise ModelProcessFailed(
                            "the local speech models do not load; what went wrong is above\n"
                            "hint: run `./june` once with a network, so that it can install them"
                        )
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise ModelProcessFailed(
                f"the local speech models did not load within {READY_SECONDS:.0f} s"
            ) from None

    async def _keep(self) -> None:
        while True:
            assert self._process is not None
            code = await self._process.wait()
            log.error("models.died", exit_code=code, pid=self._process.pid)
            try:
                await self._start()
            except (ModelProcessFailed, OSError) as error:  # OSError: no memory for a process
                log.error("models.not_restarted", error=str(error))
                await self._stop()
                await asyncio.sleep(RESTART_SECONDS)
            else:
                log.info("models.restarted", pid=self._process.pid)

    async def _stop(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def __aexit__(self, *exc_info: object) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping
        await self._stop()
        self._folder.cleanup()


async def _answers(socket: Path) -> bool:
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as http,
            http.get("http://june/") as response,
        ):
            return response.status == 200
    except (aiohttp.ClientError, OSError):
        return False

"""Long-running programs that June starts once, such as to build or to fetch something."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

TELL_EVERY_SECONDS = 10.0


async def run_to_end(
    command: Sequence[str | Path],
    output: Path,
    progress: Callable[[float], None],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Its exit code; what it writes is in `output`. `progress` gets the seconds that are gone.

    It runs in a process group of its own, which does not outlive this coroutine.
    """
    with output.open("wb") as file:
        running = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd=folder,
            env=None if environment is None else dict(environment),
            start_new_session=True,
        )
    begun = asyncio.get_running_loop().time()
    waiting = asyncio.create_task(running.wait(), name="june.program")
    try:
        while not waiting.done():
            done, _ = await asyncio.wait({waiting}, timeout=TELL_EVERY_SECONDS)
            if not done:
                progress(asyncio.get_running_loop().time() - begun)
    finally:
        if not waiting.done():
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
        await waiting
    return waiting.result()


def last_lines(output: Path, count: int = 5) -> str:
    return "\n".join(output.read_text(errors="replace").splitlines()[-count:])

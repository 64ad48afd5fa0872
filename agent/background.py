"""Tasks that go on beside a worker: when one fails, that is told, not lost."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


def begin(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """A task of this name. Its owner cancels it, and waits for it with `end`."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_tell_of_failure)
    return task


async def end(task: asyncio.Task[None] | None) -> None:
    """Whatever came of it."""
    if task is not None:
        task.cancel()
        await asyncio.wait([task])


def _tell_of_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("task.failed", task=task.get_name(), exc_info=error)

"""A faster clock for a whole program: a second of the call takes a fraction of a second.

Every timer, pause and stretch of sound keeps its length beside the others, so a call runs as it
would. What computes is not faster: it seems slower to the call by the same factor.
"""

import asyncio
import selectors
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

FACTOR = 4.0
"""Two cores keep up with it with the local models (measured; see `tests/test_console_wav.py`)."""


class _Selector(selectors.DefaultSelector):
    """Waits for a part of the time it is asked to."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self._factor = factor

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / self._factor)


class HurriedLoop(asyncio.SelectorEventLoop):
    """An event loop in which `factor` seconds pass in each second."""

    def __init__(self, factor: float) -> None:
        self._factor = factor
        super().__init__(_Selector(factor))

    def time(self) -> float:
        return super().time() * self._factor


@contextmanager
def hurried_time(factor: float) -> Iterator[None]:
    """`time.time()` keeps step with the loop: LiveKit measures turns and paces words with it."""
    real = time.time
    began = real()

    def hurried() -> float:
        return began + (real() - began) * factor

    vars(time)["time"] = hurried
    try:
        yield
    finally:
        vars(time)["time"] = real


def run_hurried(command: Coroutine[Any, Any, int], factor: float = FACTOR) -> int:
    """Like `asyncio.run`."""
    with hurried_time(factor), asyncio.Runner(loop_factory=lambda: HurriedLoop(factor)) as runner:
        return runner.run(command)

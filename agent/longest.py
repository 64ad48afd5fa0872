"""The longest call: June says when a minute is left, and goodbye when it is over."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

WARNING_SECONDS = 60.0


class LongestCall:
    """Lives as long as one call. `warn` is left out where the whole call is no longer than it."""

    def __init__(
        self,
        seconds: float,
        *,
        warn: Callable[[], Awaitable[object]],
        end: Callable[[], None],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._seconds = seconds
        self._warn = warn
        self._end = end
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="june.longest_call")
        return self

    async def _run(self) -> None:
        if self._seconds > WARNING_SECONDS:
            await self._sleep(self._seconds - WARNING_SECONDS)
            await self._warn()
            await self._sleep(WARNING_SECONDS)
        else:
            await self._sleep(self._seconds)
        self._end()

    def __exit__(self, *exc_info: object) -> None:
        if self._task is not None:
            self._task.cancel()

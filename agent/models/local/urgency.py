"""Which piece of computing goes first when callers outnumber the CPU's cores."""

import asyncio
import heapq
import itertools
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from functools import partial
from typing import Self, TypeVar

T = TypeVar("T")


class Urgency(IntEnum):
    """Who waits for it. Lower goes first."""

    FINAL = 0
    """A caller has stopped speaking and waits for an answer."""
    SPEECH = 1
    """A caller waits for June's next sentence."""
    INTERIM = 2
    """Somebody watches words appear; the next interim replaces this one anyway."""


class UrgentFirst:
    """A few threads that take the most urgent work first; equal urgency in order of arrival.

    Lives as long as the models it computes with. One thread never takes an `INTERIM`, so that
    a caller's final words wait for at most one other piece of work, whatever is being shown.
    With a single thread interims are taken by it too, when nothing else waits.
    """

    def __init__(self, threads: int) -> None:
        if threads < 1:
            raise ValueError(f"threads must be at least 1 (got {threads})")
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(
                target=self._work,
                args=(Urgency.SPEECH if index == 0 and threads > 1 else Urgency.INTERIM,),
                name=f"june.models.{index}",
                daemon=True,
            )
            for index in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, urgency: Urgency, work: Callable[[], T]) -> T:
        """Compute `work` in a thread; if cancelled while it waits, never start it."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def settle(tell: Callable[[], None]) -> None:
            if not done.cancelled():
                tell()

        def task() -> None:
            if done.cancelled():
                return
            try:
                tell = partial(done.set_result, work())
            except BaseException as error:  # noqa: BLE001  handed to whoever awaits it
                tell = partial(done.set_exception, error)
            # A loop that is closed has nobody who waits; it must not cost the others this thread.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, tell)

        with self._changed:
            if self._closed:
                raise RuntimeError("the models are closed")
            heapq.heappush(self._waiting, (urgency, next(self._order), task))
            self._changed.notify_all()
        return await done

    def _work(self, least: Urgency) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._is_work_for(least))
                if self._closed:
                    return
                _, _, task = heapq.heappop(self._waiting)
            task()

    def _is_work_for(self, least: Urgency) -> bool:
        return bool(self._waiting) and self._waiting[0][0] <= least

    def close(self) -> None:
        """Let running work end and start no other. Closing twice is fine."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

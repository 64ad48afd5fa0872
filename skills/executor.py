"""Where `asyncio.to_thread` works in a skill: threads that never keep June from ending."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

WORKERS = 4

P = ParamSpec("P")
T = TypeVar("T")


class DaemonExecutor(ThreadPoolExecutor):
    """Lives as long as a skill's thread.

    Python waits at its end for every thread of its own executor, and one that a skill has blocked
    would hold it up for ever. asyncio takes nothing but a `ThreadPoolExecutor`.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._waiting: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._workers = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do it when a thread is free."""
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever awaits it
                future.set_exception(error)

        self._waiting.put(work)
        if self._workers < WORKERS:
            self._workers += 1
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        return future

    def _work(self) -> None:
        while (work := self._waiting.get()) is not None:
            work()

    def shutdown(self, *_: Any, **__: Any) -> None:
        """End the threads that are free, and the others once they are; waits for none."""
        for _worker in range(self._workers):
            self._waiting.put(None)

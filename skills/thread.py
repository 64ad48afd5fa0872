"""A skill's own thread with its own event loop: whatever its code does, it blocks nobody else."""

import asyncio
import contextvars
import ctypes
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from skills.executor import DaemonExecutor

SWEEP_SECONDS = 0.2
"""How long the tasks that a skill has left behind have for their end."""

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What came of a job: its error, or else its value."""

    value: T | None = None
    error: BaseException | None = None


class Job(Generic[T]):
    """One piece of a skill's work; lives until it has ended."""

    def __init__(
        self,
        work: Callable[[], Awaitable[T]],
        home: asyncio.AbstractEventLoop,
        away: asyncio.AbstractEventLoop,
    ) -> None:
        self.outcome: asyncio.Future[Outcome[T]] = home.create_future()
        """On the loop of whoever began it."""
        self._work = work
        self._home = home
        self._away = away
        self._task: asyncio.Task[Outcome[T]] | None = None
        self._is_given_up = False

    def begin(self) -> None:
        """On the skill's loop. What was given up in the meantime does not begin."""
        if self._is_given_up:
            self._tell(Outcome(error=asyncio.CancelledError()))
            return
        self._task = self._away.create_task(self._caught())
        self._task.add_done_callback(self._on_done)

    async def _caught(self) -> Outcome[T]:
        try:
            return Outcome(value=await self._work())
        except BaseException as error:  # noqa: BLE001 - `SystemExit` too would end the loop
            return Outcome(error=error)

    def _on_done(self, task: asyncio.Task[Outcome[T]]) -> None:
        self._tell(
            Outcome(error=asyncio.CancelledError()) if task.cancelled() else task.result(),
        )

    def _tell(self, outcome: Outcome[T]) -> None:
        with suppress(RuntimeError):  # the caller's loop is closed, so nobody wants to know
            self._home.call_soon_threadsafe(self.end, outcome)

    def end(self, outcome: Outcome[T]) -> None:
        """On the caller's loop."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)

    def give_up(self) -> None:
        """On the caller's loop: cancel it, wherever it is."""
        self._is_given_up = True
        with suppress(RuntimeError):  # the skill's loop is closed
            self._away.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


class SkillThread:
    """Made when a skill is first used; lives as long as a call, or until it is abandoned.

    Its methods are for one loop, that of the call. `on_stray` is given, on the skill's thread, what
    a task raised for which nobody waits.
    """

    def __init__(self, name: str, on_stray: Callable[[BaseException], None]) -> None:
        self._home = asyncio.get_running_loop()
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(DaemonExecutor(f"june.skill.{name}.work"))
        self._loop.set_exception_handler(self._on_exception)
        self._on_stray = on_stray
        self._jobs: set[Job[Any]] = set()
        self._is_over = False
        self.ended: asyncio.Future[None] = self._home.create_future()
        self._thread = threading.Thread(target=self._live, name=f"june.skill.{name}", daemon=True)
        self._thread.start()

    def begin(self, work: Callable[[], Awaitable[T]]) -> Job[T]:
        """Begin `work` on the skill's loop, out of sight of the call's context variables."""
        job = Job(work, self._home, self._loop)
        self._jobs.add(job)
        job.outcome.add_done_callback(lambda _: self._jobs.discard(job))
        self._loop.call_soon_threadsafe(job.begin, context=contextvars.Context())
        return job

    def frames(self) -> list[tuple[str, int]]:
        """The file and the line of each call that its thread is in, the innermost last."""
        # There is no public way to see where another thread is.
        frame = sys._current_frames().get(self._thread.ident or 0)  # noqa: SLF001
        return [(at.f_code.co_filename, line) for at, line in traceback.walk_stack(frame)][::-1]

    def stop(self) -> None:
        """End it as soon as it answers; what is still at work is cancelled then."""
        self._is_over = True
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._loop.stop)

    def abandon(self) -> None:
        """Wait for nothing of it any more; it is ended as soon as that is possible."""
        self.stop()
        self._end_jobs()
        # One that still answers ends by itself, in good order.
        self._home.call_later(SWEEP_SECONDS * 2, self._end_if_it_does_not)

    def _end_if_it_does_not(self) -> None:
        if not self.ended.done():
            end_soon(self._thread)

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        with suppress(SystemExit):  # `end_soon` hits it anywhere
            try:
                while not self._is_over:
                    try:
                        self._loop.run_forever()
                    except BaseException as error:  # noqa: BLE001 - a task raised `SystemExit`
                        self._stray(error)
                self._sweep()
            finally:
                self._loop.close()
                with suppress(RuntimeError):  # the caller's loop is closed
                    self._home.call_soon_threadsafe(self._on_end)

    def _sweep(self) -> None:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=SWEEP_SECONDS))

    def _on_exception(self, _: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        # asyncio would log its text, which may hold a caller's words.
        error = context.get("exception")
        if isinstance(error, BaseException):
            self._stray(error)

    def _stray(self, error: BaseException) -> None:
        if not self._is_over:
            self._on_stray(error)

    def _on_end(self) -> None:
        self.ended.set_result(None)
        self._end_jobs()

    def _end_jobs(self) -> None:
        for job in tuple(self._jobs):
            job.end(Outcome(error=asyncio.CancelledError()))


def end_soon(thread: threading.Thread) -> None:
    """Raise `SystemExit` in a thread that is given up, at its next line of Python.

    Otherwise an endless loop would take the interpreter from the call for half of the time. One
    that waits in the operating system ends when that wait does.
    """
    if thread.ident is not None and thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
        )

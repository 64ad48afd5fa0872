"""What all who watch the operator's page are sent: looked at once for all, and not for nobody."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from itertools import count

import structlog

from agent import background
from agent.api.endless import HEARTBEAT, event
from agent.api.errors import AGAIN_IN_SECONDS
from agent.api.problems import Problem

log = structlog.get_logger(__name__)

MOST_WATCHERS = 16

LOOK_SECONDS = 1.0
SESSIONS_EVERY = 5
"""Looks."""

SILENCE_SECONDS = 10.0
"""Where nothing changes for so long, that is said: a proxy might take the connection for dead."""

Look = Callable[[], Awaitable[str | None]]
"""JSON; None where it is not known just now."""


class Feed:
    """Lives as long as the app. Each watcher is sent the newest, however slowly they read."""

    def __init__(
        self,
        now: Look,
        sessions: Look,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._now = now
        self._sessions = sessions
        self._sleep = sleep
        self._watchers = 0
        self._frames: dict[str, bytes] = {}
        self._changed = asyncio.Event()
        self._is_failing = False
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def seat(self) -> Iterator[None]:
        """For one who watches. Raises `Problem` where too many do."""
        if self._watchers >= MOST_WATCHERS:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{MOST_WATCHERS} pages watch June already; close one",
                reason="too_many_streams",
                retry_after_seconds=AGAIN_IN_SECONDS,
            )
        self._watchers += 1
        if self._task is None:
            self._task = background.begin(self._look_for_ever(), "june.ops")
        try:
            yield
        finally:
            self._watchers -= 1
            if self._watchers == 0:
                self._task.cancel()
                self._task = None
                self._frames.clear()

    async def events(self) -> AsyncGenerator[bytes]:
        """While the seat is taken."""
        sent: dict[str, bytes] = {}
        while True:
            changed = self._changed
            news = {kind: one for kind, one in self._frames.items() if sent.get(kind) != one}
            for one in news.values():
                yield one
            sent |= news
            if not news:
                try:
                    async with asyncio.timeout(SILENCE_SECONDS):
                        await changed.wait()
                except TimeoutError:
                    yield HEARTBEAT

    async def _look_for_ever(self) -> None:
        for number in count():
            try:
                await self._look("now", self._now)
                if number % SESSIONS_EVERY == 0 or "sessions" not in self._frames:
                    await self._look("sessions", self._sessions)
                self._is_failing = False
            except Exception as error:  # noqa: BLE001  a page that stands still looks like all is well
                if not self._is_failing:
                    log.error("ops.failed", error=type(error).__name__)
                self._is_failing = True
            await self._sleep(LOOK_SECONDS)

    async def _look(self, kind: str, look: Look) -> None:
        data = await look()
        if data is None:
            return
        frame = event(kind, data)
        if self._frames.get(kind) != frame:
            self._frames[kind] = frame
            self._changed.set()
            self._changed = asyncio.Event()

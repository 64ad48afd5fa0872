"""Whether this worker takes a call: it has room, and no other June is in that room.

It runs in the parent process, where only the room is known. Everything about the user is decided
in the call.
"""

import asyncio
import time
from contextlib import suppress

import structlog
from livekit.agents import AgentServer, JobRequest

from session import Lease, SessionService, StoreError

log = structlog.get_logger(__name__)

FULL = 0.7
"""The load at which a LiveKit server offers no more jobs: its `agents.target_load` by default."""

PATIENCE_SECONDS = 3.0
"""How long a room may still be held by a June who is leaving it, or who died."""

RETRY_SECONDS = 0.25

CONNECTED_SECONDS = 6.0
"""LiveKit asks for the load every 2.5 s while it is connected, and tells nobody when it is not."""

START_SECONDS = 20.0
"""How long a claim lasts until the job process has started and renews it."""


class Admission:
    """Lives as long as the worker."""

    def __init__(
        self, server: AgentServer, sessions: SessionService, *, max_calls: int, worker_key: str
    ) -> None:
        self._server = server
        self._sessions = sessions
        self._max_calls = max_calls
        self._worker_key = worker_key
        self._being_accepted: set[str] = set()
        self._asked_at = float("-inf")

    def load(self) -> float:
        """By count: so much of `FULL` as this worker has of its calls."""
        self._asked_at = time.monotonic()
        return FULL * min(1.0, self.calls / self._max_calls)

    @property
    def is_asked(self) -> bool:
        """Whether a LiveKit server is connected: while one is, the load is asked for."""
        return time.monotonic() - self._asked_at < CONNECTED_SECONDS

    @property
    def calls(self) -> int:
        """That run, or are being accepted."""
        running = {info.job.id for info in self._server.active_jobs}
        return len(running | self._being_accepted)

    async def decide(self, request: JobRequest) -> None:
        """Accept or reject; for `on_request`."""
        if self.calls >= self._max_calls:
            log.info("call.rejected", why="full", room=request.room.name, calls=self._max_calls)
            await request.reject(terminate=False)  # another worker may have room
            return
        self._being_accepted.add(request.id)
        try:
            is_free, lease = await self._claim(request)
            if is_free:
                await self._accept(request, lease)
            else:
                log.info("call.rejected", why="June is there", room=request.room.name)
                await request.reject()
        finally:
            self._being_accepted.discard(request.id)

    async def _accept(self, request: JobRequest, lease: Lease | None) -> None:
        try:
            await request.accept(name="June")
        except BaseException:
            # Nobody will renew it; without this the room would stay closed until it runs out.
            if lease is not None:
                with suppress(StoreError):
                    await self._sessions.release_room(lease)
            raise

    async def _claim(self, request: JobRequest) -> tuple[bool, Lease | None]:
        """Whether the job may go on, and its lease. An attempt is never cut short: it may win."""
        owner = f"{self._worker_key}/{request.id}"
        now = asyncio.get_running_loop().time
        patient_until = now() + PATIENCE_SECONDS
        while True:
            try:
                lease = await self._sessions.claim_room(
                    request.room.name, owner, ttl_seconds=START_SECONDS
                )
            except StoreError as error:
                log.warning("lease.unclaimed", error=str(error))
                return True, None  # two Junes are better than none
            if lease is not None:
                return True, lease
            if now() >= patient_until:
                return False, None
            await asyncio.sleep(RETRY_SECONDS)

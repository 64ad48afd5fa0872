"""How June is just now on all workers together, as the operator's page shows it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import BaseModel

from agent.api.figures import Pulse
from agent.api.parts import Parts
from agent.api.reasons import troubles
from agent.api.security import circuit_of_budget
from agent.version import VERSION
from session import StoreError, TurnMetrics
from session.circuits import CircuitState
from session.duty import AtWork
from session.notes import State
from session.percentiles import reply_times
from session.records import Money

FRESH_SECONDS = 1.0
PATIENCE_SECONDS = 1.0

WINDOW_SECONDS = 3_600.0
TURNS_FRESH_SECONDS = 10.0
"""A thousand turns are read for a few figures."""

KEY_CHARACTERS = 8
"""Of a worker's key, which nobody types."""


class HealthNow(BaseModel):
    """As `/healthz` says it of this worker."""

    status: Literal["ok", "degraded"]
    reasons: list[str]


class WorkerNow(BaseModel):
    """A process that takes calls."""

    key: str
    host: str
    calls: int
    max_calls: int
    is_draining: bool
    since: float


class CallNow(BaseModel):
    """A call that goes on, on whichever worker."""

    room: str
    session_id: str | None = None
    """None until it has found it, like the times."""
    worker: str
    """The key of it."""
    state: State = "starting"
    since: float | None = None
    """Of this state."""
    began_at: float | None = None
    skill: str | None = None


class Timed(BaseModel):
    """Percentiles; None without one."""

    count: int = 0
    p50_seconds: float | None = None
    p95_seconds: float | None = None


class Times(BaseModel):
    """Of the newest turns, a thousand at most, that began within the window."""

    window_seconds: float = WINDOW_SECONDS
    first_word: Timed
    reply: Timed


class DayLimits(BaseModel):
    """Of all calls together; 0 for none."""

    dollars_per_day: float
    requests_per_day: int
    tokens_per_day: int


class Now(BaseModel):
    """All of it. While the store is away, calls and workers are as they were last seen."""

    at: float
    version: str = VERSION
    shows_text: bool
    """Whether the page may show what was said."""
    health: HealthNow
    workers: list[WorkerNow]
    calls: list[CallNow]
    times: Times
    refusals: dict[str, int]
    """By reason, within the same time."""
    money: Money | None
    limits: DayLimits
    budget: CircuitState | None
    providers: dict[str, CircuitState]


class Present:
    """Lives as long as the app. However many ask, the store is asked once a second."""

    def __init__(self, parts: Parts, *, now: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._now = now
        self._pulse = Pulse(parts.sessions, now=now)
        self._one_looks = asyncio.Lock()
        self._seen: Now | None = None
        self._looked_at = float("-inf")
        self._at_work = AtWork((), ())
        self._turns = _turns_of(())
        self._turns_at = float("-inf")
        self._text = ""
        self._told: Now | None = None

    async def look(self) -> Now:
        async with self._one_looks:
            if self._seen is None or self._now() - self._looked_at >= FRESH_SECONDS:
                self._seen = await self._look()
                self._looked_at = self._now()
            return self._seen

    async def text(self) -> str:
        """As JSON; the same one again while nothing but the time is another."""
        seen = await self.look()
        if self._told is None or seen != self._told.model_copy(update={"at": seen.at}):
            self._told, self._text = seen, seen.model_dump_json()
        return self._text

    async def _look(self) -> Now:
        parts = self._parts
        figures = await self._pulse.take()
        if figures is not None and not await self._read():
            figures = None
        reasons = troubles(
            figures, parts.config.limits, parts.worker, max_calls=parts.config.worker.max_calls
        )
        limits, at = parts.config.limits, parts.sessions.now()
        times, refusals = self._turns
        return Now(
            at=at,
            shows_text=parts.config.http.show_text,
            health=HealthNow(status="degraded" if reasons else "ok", reasons=reasons),
            workers=_workers(self._at_work),
            calls=_calls(self._at_work),
            times=times,
            refusals=refusals,
            money=None if figures is None else figures.money,
            limits=DayLimits(
                dollars_per_day=limits.dollars_per_day,
                requests_per_day=limits.requests_per_day,
                tokens_per_day=limits.tokens_per_day,
            ),
            budget=None if figures is None else circuit_of_budget(figures.money, at),
            providers={} if figures is None else dict(figures.providers),
        )

    async def _read(self) -> bool:
        """False where the store does not answer."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                self._at_work = await self._parts.sessions.duty.at_work()
                if self._now() - self._turns_at >= TURNS_FRESH_SECONDS:
                    turns = await self._parts.sessions.measured_lately(WINDOW_SECONDS)
                    self._turns, self._turns_at = _turns_of(turns), self._now()
        except (StoreError, TimeoutError):
            return False
        return True


def _workers(at_work: AtWork) -> list[WorkerNow]:
    found = (
        WorkerNow(
            key=one.key[:KEY_CHARACTERS],
            host=one.note.host,
            calls=one.note.calls,
            max_calls=one.note.max_calls,
            is_draining=one.note.is_draining,
            since=one.note.since,
        )
        for one in at_work.workers
    )
    return sorted(found, key=lambda one: (one.since, one.key))


def _calls(at_work: AtWork) -> list[CallNow]:
    found = []
    for one in at_work.calls:
        told = {} if one.note is None else one.note.model_dump()
        found.append(CallNow(room=one.room, worker=one.worker_key[:KEY_CHARACTERS], **told))
    return sorted(found, key=lambda one: (one.began_at or float("inf"), one.room))


def _turns_of(turns: Sequence[TurnMetrics]) -> tuple[Times, dict[str, int]]:
    words = [one.first_word_seconds for one in turns if one.first_word_seconds is not None]
    replies = [one.reply_seconds for one in turns if one.reply_seconds is not None]
    refusals = Counter(one.refused for one in turns if one.refused is not None)
    return Times(first_word=_timed(words), reply=_timed(replies)), dict(sorted(refusals.items()))


def _timed(seconds: Sequence[float]) -> Timed:
    found = reply_times(seconds)
    return Timed(count=found.turns, p50_seconds=found.p50_seconds, p95_seconds=found.p95_seconds)

"""Whether this worker takes a call."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent import admission as admission_module
from agent.admission import FULL, Admission
from session import Lease, SessionConfig, SessionService, StoreError, open_sessions


@dataclass
class Named:
    """A job, or a room, by what admission looks at."""

    id: str = ""
    name: str = ""


@dataclass
class Running:
    job: Named


@dataclass
class Server:
    """A worker by its running jobs."""

    active_jobs: list[Running] = field(default_factory=list)


@dataclass
class Request:
    """A job request; `taking` holds an acceptance open, as a starting process does."""

    id: str
    room: Named
    taking: asyncio.Event | None = None
    answer: str = ""

    async def accept(self, *, name: str) -> None:
        self.answer = f"accepted as {name}"
        if self.taking is not None:
            await self.taking.wait()

    async def reject(self, *, terminate: bool = True) -> None:
        self.answer = "rejected" if terminate else "left to others"


def request(job: str, room: str = "room") -> Request:
    return Request(job, Named(name=room))


@pytest.fixture
async def sessions() -> AsyncIterator[SessionService]:
    config = SessionConfig(Path("unused"), store_url="memory:")
    async with open_sessions(config, now=lambda: 1000.0) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission_module, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(admission_module, "RETRY_SECONDS", 0.01)


def worker(sessions: SessionService, server: Server, max_calls: int = 2) -> Admission:
    by_its_jobs: Any = server
    return Admission(by_its_jobs, sessions, max_calls=max_calls, worker_key="w")


async def decide(admission: Admission, asked: Request) -> str:
    as_livekit_asks: Any = asked
    await admission.decide(as_livekit_asks)
    return asked.answer


async def test_a_free_room_is_taken(sessions: SessionService) -> None:
    """And its lease is held for the job that is starting."""
    assert await decide(worker(sessions, Server()), request("j1")) == "accepted as June"
    assert await sessions.claim_room("room", "other/j") is None
    assert await sessions.claim_room("room", "w/j1") is not None


async def test_a_full_worker_leaves_the_call_to_others(sessions: SessionService) -> None:
    """Another worker is asked."""
    server = Server([Running(Named("a")), Running(Named("b"))])
    assert await decide(worker(sessions, server), request("j1")) == "left to others"


async def test_calls_that_are_starting_count(sessions: SessionService) -> None:
    """A burst of requests must not be accepted beyond capacity, nor be refused below it."""
    admission = worker(sessions, Server(), max_calls=3)
    burst = [Request(f"j{n}", Named(name=f"r{n}"), asyncio.Event()) for n in range(5)]
    deciding = [asyncio.create_task(decide(admission, one)) for one in burst]
    await asyncio.sleep(0.02)
    assert sorted(one.answer for one in burst) == ["accepted as June"] * 3 + ["left to others"] * 2
    assert admission.load() == FULL
    for one in burst:
        assert one.taking is not None
        one.taking.set()
    await asyncio.gather(*deciding)
    assert admission.load() == 0


async def test_a_room_with_june_in_it_is_refused(sessions: SessionService) -> None:
    """For good: no other worker should send a second one."""
    admission = worker(sessions, Server())
    assert await decide(admission, request("j1")) == "accepted as June"
    assert await decide(admission, request("j2")) == "rejected"


async def test_a_room_that_june_is_leaving_is_waited_for(sessions: SessionService) -> None:
    """The caller has called again before the last call's clean-up was over."""
    lease = await sessions.claim_room("room", "w/old")
    assert lease is not None
    deciding = asyncio.create_task(decide(worker(sessions, Server()), request("j1")))
    await asyncio.sleep(0.015)
    await sessions.release_room(lease)
    assert await deciding == "accepted as June"


async def test_a_store_that_is_away_costs_no_call() -> None:
    """Two Junes in a room are better than none."""

    class Away(SessionService):
        async def claim_room(self, *args: object, **kwargs: object) -> None:
            raise StoreError("away", retryable=True)

    sessions = Away(SessionConfig(Path("unused")))
    assert await decide(worker(sessions, Server()), request("j1")) == "accepted as June"


@pytest.mark.parametrize(("running", "load"), [(0, 0.0), (1, 0.35), (2, 0.7), (3, 0.7)])
async def test_the_load_is_one_that_the_server_understands(
    sessions: SessionService, running: int, load: float
) -> None:
    """It offers jobs while a worker is below 0.7."""
    server = Server([Running(Named(str(n))) for n in range(running)])
    assert worker(sessions, server).load() == pytest.approx(load)


async def test_a_claim_is_never_cut_short(sessions: SessionService) -> None:
    """A busy store answers late: the claim it then grants is used, not forgotten."""

    class Busy(SessionService):
        async def claim_room(
            self, room_name: str, owner: str, *, ttl_seconds: float = 1.0, note: str = ""
        ) -> Lease | None:
            await asyncio.sleep(admission_module.PATIENCE_SECONDS * 2)
            return await sessions.claim_room(room_name, owner, ttl_seconds=ttl_seconds)

    busy = Busy(SessionConfig(Path("unused")))
    assert await decide(worker(busy, Server()), request("j1")) == "accepted as June"


async def test_a_job_that_cannot_be_started_frees_the_room(sessions: SessionService) -> None:
    """Another June may come at once."""

    class Failing(Request):
        async def accept(self, *, name: str) -> None:
            raise TimeoutError("no assignment came")

    with pytest.raises(TimeoutError):
        await decide(worker(sessions, Server()), Failing("j1", Named(name="room")))
    assert await sessions.claim_room("room", "other/j") is not None

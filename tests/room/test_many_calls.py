"""Two hundred and fifty calls in a row: what each leaves behind would be seen by now."""

import asyncio
import itertools
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from livekit import api, rtc
from prometheus_client.parser import text_string_to_metric_families

from agent.config import LiveKitSettings
from agent.livekit_server import LoopbackServer
from agent.rooms import LiveKitClient
from room.worker import Worker
from session import SessionConfig, open_sessions

CALLS = 250
WARM_UP = 10
"""Calls after which everything is there that a worker keeps."""

AT_ONCE = 4
LONGEST_SECONDS = 15 * 60.0
SETTLED_SECONDS = 45.0
"""Until LiveKit has closed the last rooms, and the last processes have ended."""

SCRAPE_SECONDS = 0.05


@dataclass(frozen=True)
class Left:
    """What a worker has at a moment, while nobody calls."""

    processes: int
    """All below it, also the dead ones that nobody has waited for."""
    open_files: int
    metric_files: int
    resident_mb: float
    """Of the worker's own process."""


class Many:
    """Callers without a microphone, one after the other and a few at once."""

    def __init__(self, june: Worker, livekit: LoopbackServer, metrics: Path) -> None:
        self.june = june
        self.livekit = livekit
        self.metrics = metrics
        self.numbers = itertools.count(1)
        self.waited: list[float] = []
        """Seconds from each dispatch to June's first word."""

    async def call(self) -> None:
        """Join, have June come and speak, and leave."""
        number = next(self.numbers)
        name, room = f"many-{number}", rtc.Room()
        await room.connect(self.livekit.url, self.token(name, f"caller-{number}"))
        try:
            began = time.monotonic()
            async with self.client() as client:
                await client.dispatch(name)
            await until(lambda: "speaking" in states(room), 60, f"June speaks in {name}")
            self.waited.append(time.monotonic() - began)
        finally:
            await room.disconnect()

    async def calls(self, count: int) -> None:
        at_once = asyncio.Semaphore(AT_ONCE)

        async def one() -> None:
            async with at_once:
                await self.call()

        before = len(self.june.events("call.ended"))
        await asyncio.gather(*(one() for _ in range(count)))
        await until(
            lambda: len(self.june.events("call.ended")) >= before + count,
            SETTLED_SECONDS,
            "every call ends",
        )

    def token(self, room: str, identity: str) -> str:
        secret = self.livekit.api_secret.get_secret_value()
        return (
            api.AccessToken(self.livekit.api_key, secret)
            .with_identity(identity)
            .with_ttl(timedelta(minutes=10))
            .with_grants(api.VideoGrants(room_join=True, room=room))
            .to_jwt()
        )

    def client(self) -> LiveKitClient:
        settings = LiveKitSettings(
            url=self.livekit.url,
            api_key=self.livekit.api_key,
            api_secret=self.livekit.api_secret,
        )
        return LiveKitClient(settings, agent_name="many")

    def left(self) -> Left:
        process = Path("/proc") / str(self.june.process.pid)
        (resident,) = (
            line for line in (process / "status").read_text().splitlines() if "VmRSS" in line
        )
        return Left(
            processes=len(list(below(self.june.process.pid))),
            open_files=len(list((process / "fd").iterdir())),
            metric_files=len(list(self.metrics.rglob("*"))),
            resident_mb=int(resident.split()[1]) / 1024,
        )

    async def settle(self, processes: int) -> None:
        """Until no more than these are left, or it is clear that others stay."""
        for _ in range(int(SETTLED_SECONDS)):
            if self.left().processes <= processes:
                break
            await asyncio.sleep(1)

    async def rooms_with_june(self) -> Sequence[str]:
        async with self.client() as client:
            return [name for name in await client.names() if (await client.inside(name)).junes]


def states(room: rtc.Room) -> list[str]:
    return [
        participant.attributes.get("lk.agent.state", "")
        for participant in room.remote_participants.values()
    ]


def below(pid: int) -> Iterator[int]:
    """The processes that this one has begun, and those that they have."""
    for task in (Path("/proc") / str(pid) / "task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue  # it has just ended
        for child in children:
            yield child
            yield from below(child)


async def until(condition: Callable[[], Any], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
        await asyncio.sleep(0.1)


async def scraped(port: int) -> tuple[str, float]:
    """The metrics, and the median time that it took to get them, in seconds."""
    took, text = [], ""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
        for _ in range(5):
            began = time.monotonic()
            answer = await http.get("/metrics")
            took.append(time.monotonic() - began)
            assert answer.status_code == 200
            text = answer.text
    return text, statistics.median(took)


def sums(text: str) -> dict[str, float]:
    """Of each sample over all of its labels."""
    found: dict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] += sample.value
    return found


@asynccontextmanager
async def worker(livekit: LoopbackServer, folder: Path) -> AsyncIterator[Many]:
    metrics = folder / "metrics"
    environment = {
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "JUNE_AGENT__NAME": "many",
        "JUNE_WORKER__MAX_CALLS": str(4 * AT_ONCE),
        "JUNE_WORKER__IDLE_PROCESSES": "2",
        "JUNE_WORKER__DRAIN_SECONDS": "1",
    }
    async with Worker.of(livekit, folder, **environment) as june:
        yield Many(await june.ready(), livekit, metrics)


@pytest.mark.slow
async def test_hundreds_of_calls_leave_nothing_behind(
    livekit: LoopbackServer, tmp_path: Path
) -> None:
    """No process, lease, room, file or open descriptor, and a scrape as quick as the first."""
    async with asyncio.timeout(LONGEST_SECONDS), worker(livekit, tmp_path) as many:
        june = many.june
        port = (await june.event("http.ready"))["port"]
        await many.calls(WARM_UP)
        await asyncio.sleep(SETTLED_SECONDS / 3)
        _, first_scrape_seconds = await scraped(port)  # which also puts files together
        before = many.left()
        await many.calls(CALLS)
        await many.settle(before.processes)
        text, scrape_seconds = await scraped(port)
        after = many.left()
        *_, slow = statistics.quantiles(many.waited, n=20)
        print(
            f"\nfrom dispatch to her first word: {statistics.median(many.waited):.1f} s, one in "
            f"twenty more than {slow:.1f} s; a scrape of {len(text) / 1000:.0f} kB: "
            f"{scrape_seconds * 1000:.0f} ms, at first {first_scrape_seconds * 1000:.0f} ms\n"
            f"before {before}\nafter  {after}"
        )

        assert after.processes <= before.processes
        assert after.open_files <= before.open_files + 8
        assert after.metric_files <= before.metric_files + 8
        assert after.resident_mb <= before.resident_mb + 64
        assert scrape_seconds < SCRAPE_SECONDS

        counted = sums(text)
        assert counted["june_calls_total"] == WARM_UP + CALLS
        assert counted["june_calls_ended_total"] == WARM_UP + CALLS
        assert counted["june_calls_active"] == 0
        assert counted["june_calls_died_total"] == 0
        assert {one["reason"] for one in june.events("call.ended")} == {"caller_left"}
        assert len(june.events("call.answered")) == WARM_UP + CALLS
        assert "Traceback" not in june.log

        async with open_sessions(SessionConfig(june.folder / "data")) as sessions:
            assert not await sessions.watching(livekit.url).living()
        assert await many.rooms_with_june() == []

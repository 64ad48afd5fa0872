"""`python -m bench.store`: what the gate of a turn costs, on SQLite and on Redis.

Each process is a call that takes one turn every five seconds, as people do: it reserves the turn
(windows, block, breaker and budgets in one step) and commits it.
"""

import asyncio
import multiprocessing
import os
import platform
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench.redis_server import RedisServer
from session import SessionConfig, open_sessions
from session.percentiles import nearest_rank

TURN_SECONDS = 5.0

P50_MS, P99_MS = 3.0, 15.0
"""What is wanted of 16 processes."""

spawning = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Pace:
    """When calls take their turns; times in seconds."""

    start_at: float
    seconds: float
    turn_seconds: float


def call(store_url: str, folder: str, number: int, pace: Pace) -> list[float]:
    """One call's turns: milliseconds of each reserve and each commit."""

    async def take_turns() -> list[float]:
        config = SessionConfig(Path(folder), store_url, secret_key=b"of this benchmark only")
        async with open_sessions(config) as sessions:
            session = await sessions.get_or_create_for_room(f"room {number}", f"user {number}")
            taken: list[float] = []
            turn = 0
            # Callers do not speak in step.
            due = pace.start_at + random.random() * pace.turn_seconds  # noqa: S311  no secret
            while due < pace.start_at + pace.seconds:
                await asyncio.sleep(max(0.0, due - time.time()))
                turn += 1
                began = time.perf_counter()
                decision = await sessions.reserve_turn(session, turn, "What time is it?")
                reserved = time.perf_counter()
                await sessions.commit_turn(session.session_id, turn)
                taken += [(reserved - began) * 1e3, (time.perf_counter() - reserved) * 1e3]
                if not decision.allowed:
                    raise RuntimeError(f"refused: {decision.reason}")
                due += pace.turn_seconds
            return taken

    return asyncio.run(take_turns())


def measure(
    store_url: str, folder: str, processes: int, seconds: float, turn_seconds: float
) -> list[float]:
    """All their milliseconds, smallest first."""
    pace = Pace(time.time() + 3.0, seconds, turn_seconds)  # once all of them have begun
    with spawning.Pool(processes) as pool:
        work = [(store_url, folder, number, pace) for number in range(processes)]
        return sorted(ms for taken in pool.starmap(call, work, chunksize=1) for ms in taken)


@contextmanager
def stores() -> Iterator[dict[str, tuple[str, str]]]:
    """URL and folder by name."""
    with (
        tempfile.TemporaryDirectory(prefix="june-bench-") as folder,
        # Like an operator's it writes what it keeps to disk once a second.
        RedisServer(Path(folder), "--appendonly", "yes") as redis,
    ):
        yield {
            "sqlite": (f"sqlite:{Path(folder) / 'june.db'}", folder),
            "redis": (redis.url, folder),
        }


def run(
    seconds: Annotated[float, typer.Option(help="How long each combination runs.")] = 60.0,
    pace: Annotated[
        float, typer.Option(help="Seconds between the turns of a call.")
    ] = TURN_SECONDS,
) -> None:
    """Print p50, p99 and the largest, for 1, 4 and 16 processes."""
    system = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(
        f"reserve and commit of a turn, one every {pace:g} s a call, {seconds:g} s each, {system}"
    )
    print(f"load before: {os.getloadavg()[0]:.2f} (1 min)")
    print(f"{'store':8}{'calls':>6}{'n':>7}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    is_quick = True
    with stores() as known:
        for name, (url, folder) in known.items():
            for processes in (1, 4, 16):
                taken = measure(url, folder, processes, seconds, pace)
                p50, p99 = nearest_rank(taken, 0.50), nearest_rank(taken, 0.99)
                print(
                    f"{name:8}{processes:6}{len(taken):7}{p50:9.2f}{p99:9.2f}{taken[-1]:9.2f}",
                    flush=True,
                )
                is_quick = is_quick and (processes < 16 or (p50 < P50_MS and p99 < P99_MS))
    kept = "kept" if is_quick else "NOT kept"
    print(f"wanted with 16 calls: p50 under {P50_MS:g} ms, p99 under {P99_MS:g} ms: {kept}")
    raise typer.Exit(not is_quick)


if __name__ == "__main__":
    typer.run(run)

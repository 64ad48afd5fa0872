"""The SQLite store under several processes at once, and under `kill -9`."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_store import begin, said

from session.store.sqlite import SqliteStore

PROCESSES = 8
ROOT = Path(__file__).parent.parent

spawning = multiprocessing.get_context("spawn")


def all_at_once(path: Path, worker: int, start_at: float) -> tuple[set[str], int, int]:
    """What one process gets: its sessions, messages it was first with, leases it won."""

    async def compete() -> tuple[set[str], int, int]:
        store = await SqliteStore.open(path)
        await asyncio.sleep(max(0, start_at - time.time()))
        sessions, first, won = set(), 0, 0
        for number in range(40):
            session = await begin(store, f"room {number % 5}", now=time.time())
            sessions.add(session.session_id)
            first += await store.append_message(said(session, f"m{number}"), now=time.time())
            lease = await store.claim_lease(
                f"lease {number}", f"w{worker}/j", ttl_seconds=60, now=time.time()
            )
            won += lease is not None
        await store.aclose()
        return sessions, first, won

    return asyncio.run(compete())


def test_eight_processes_agree(tmp_path: Path) -> None:
    """One session a room, each message once, one winner a lease, and figures that are exact."""
    path = tmp_path / "june.db"
    with spawning.Pool(PROCESSES) as pool:
        start_at = time.time() + 2
        results = pool.starmap(all_at_once, [(path, n, start_at) for n in range(PROCESSES)])
    sessions = set().union(*(found for found, _, _ in results))
    assert len(sessions) == 5
    assert sum(first for _, first, _ in results) == 40
    assert sum(won for _, _, won in results) == 40

    async def figures() -> tuple[int, int, int]:
        store = await SqliteStore.open(path)
        stats = await store.stats()
        await store.aclose()
        return stats.total_created, stats.messages, stats.active_rooms

    assert asyncio.run(figures()) == (5, 40, 5)


WRITER = """
import asyncio, sys, time
from pathlib import Path
sys.path.insert(0, "tests")
from test_store import begin, said
from session.store.sqlite import SqliteStore

async def write():
    store = await SqliteStore.open(Path(sys.argv[1]))
    session = await begin(store, now=time.time())
    while True:
        number = (await store.get_session(session.session_id)).message_count
        await store.append_message(said(session, f"{number}"), now=time.time())
        print(number, flush=True)

asyncio.run(write())
"""


@pytest.mark.parametrize("rounds", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, rounds: int) -> None:
    """No message is lost, none is half there, and no lock is left."""
    path = tmp_path / "june.db"
    acknowledged = -1
    for _ in range(rounds):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None
        for _ in range(20):
            acknowledged = max(acknowledged, int(writer.stdout.readline()))
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split()
        writer.wait()
        writer.stdout.close()
        acknowledged = max([acknowledged, *(int(line) for line in rest)])

    async def read() -> list[str]:
        store = await SqliteStore.open(path)
        session = await begin(store, now=time.time())
        messages = await store.messages(session.session_id)
        await store.aclose()
        return [message.id for message in messages]

    kept = asyncio.run(read())
    assert kept == [str(number) for number in range(len(kept))]
    assert len(kept) >= acknowledged + 1

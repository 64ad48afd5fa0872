"""The Redis store under eight processes that open, ask and write at the same moment."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from processes import PROCESSES, forking
from test_store import begin, said

from bench.redis_server import RedisServer
from session.limits import Ask, Budget, Window
from session.money import Charge, Reservation
from session.store.redis.store import RedisStore
from session.store.retention import MOST_KEYS

TURNS = 40
LIMIT = 100

WINDOWS = (Window("turns", LIMIT, 3600.0, "hour"), Window("others", 2 * LIMIT, 3600.0, "hour"))
DAY = Budget("day", "out_of_budget", micros=1000)


@dataclass
class Got:
    """What one process gets."""

    sessions: set[str] = field(default_factory=set)
    first: int = 0
    leases: int = 0
    admitted: int = 0
    reserved: int = 0
    committed: int = 0
    kept: int = 0


async def compete(url: str, worker: int, start_at: float) -> Got:
    store, got = await RedisStore.open(url), Got()
    await asyncio.sleep(max(0, start_at - time.time()))
    for turn in range(TURNS):
        now = time.time()
        session = await begin(store, f"room {turn % 5}", now=now)
        got.sessions.add(session.session_id)
        got.first += await store.sessions.append(said(session, f"m{turn}"), now=now)
        got.committed += await store.sessions.commit_turn(session.session_id, turn)
        lease = await store.leases.claim(f"{turn}", f"w{worker}/j", ttl_seconds=60, now=now)
        got.leases += lease is not None
        note = f"{worker} {turn}"
        got.kept += await store.memories.put("ann", "notes", note, "milk", now=now)
        ask = Ask(f"{worker} {turn}", WINDOWS)
        got.admitted += (await store.limits.admit(ask, now=now)).allowed
        hold = Reservation(f"{worker} {turn}", (DAY,), micros=7, tokens=1)
        if (await store.ledger.reserve(hold, now=now)).allowed:
            got.reserved += 1
            await store.ledger.settle(hold.id, Charge(7 - turn % 2, 1), now=now)
    await store.aclose()
    return got


def run(url: str, worker: int, start_at: float) -> Got:
    return asyncio.run(compete(url, worker, start_at))


def test_eight_processes_agree(tmp_path: Path) -> None:
    """One session a room, each message and turn once, one winner a lease, no limit overrun."""
    with RedisServer(tmp_path) as server, forking.Pool(PROCESSES) as pool:
        start_at = time.time() + 2
        jobs = [(server.url, worker, start_at) for worker in range(PROCESSES)]
        results = pool.starmap(run, jobs, chunksize=1)
        assert len(set().union(*(got.sessions for got in results))) == 5
        assert sum(got.first for got in results) == TURNS
        assert sum(got.committed for got in results) == TURNS
        assert sum(got.leases for got in results) == TURNS
        assert sum(got.admitted for got in results) == LIMIT
        assert sum(got.kept for got in results) == MOST_KEYS
        spent, reserved, requests, created, messages = asyncio.run(figures(server.url))
    assert (created, messages) == (5, TURNS)
    assert DAY.micros is not None
    assert DAY.micros - 7 < spent <= DAY.micros
    assert (reserved, requests) == (0, sum(got.reserved for got in results))


async def figures(url: str) -> tuple[int, int, int, int, int]:
    store = await RedisStore.open(url)
    (account,) = await store.ledger.accounts([DAY.key], now=time.time())
    stats = await store.sessions.stats()
    await store.aclose()
    return (
        account.spent_micros,
        account.reserved_micros,
        account.requests,
        stats.total_created,
        stats.messages,
    )

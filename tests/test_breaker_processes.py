"""One circuit in eight processes: it opens for all, one of them probes, and may die of it."""

import asyncio
from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.pool import Pool
from pathlib import Path

import pytest
from processes import PROCESSES, SHARED, Crowd, forking, run, url_of

from session.circuits import FAILURE, FORBIDDING, NOTHING, USEFUL, Effect, Permit, Phase
from session.store import Store, open_store

NOW = 1_000_000.0

LLM = "llm https://api.openai.com/v1 gpt-6-luna"

EACH = 40
"""How often each of them tries."""


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with forking.Pool(PROCESSES) as processes:
        yield processes


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_of(request.param, request, tmp_path)


async def ask(store: Store, now: float) -> Permit:
    return await store.breakers.acquire(LLM, "w/j", now=now)


async def fail_at(store: Store, number: int, *, now: float) -> tuple[int, int]:
    """How often it was let through, and how often that opened the circuit."""
    asked = opened = 0
    for _ in range(EACH):
        permit = await ask(store, now)
        asked += permit.allowed
        effect = await store.breakers.report(permit, FAILURE, now=now)
        opened += effect.phase is Phase.OPEN
    return asked, opened


def test_a_dead_provider_is_asked_a_few_times_by_all_together(pool: Pool, url: str) -> None:
    """Twice, then by each that was under way when it opened; and once in 30 seconds after that."""
    crowd = Crowd(pool, url)
    tries = crowd.at_once(partial(fail_at, now=NOW))
    assert 3 <= sum(asked for asked, _ in tries) <= 2 + PROCESSES
    assert sum(opened for _, opened in tries) == 1
    tries = crowd.at_once(partial(fail_at, now=NOW + 29.75))
    assert sum(asked for asked, _ in tries) == 0
    for again in (30, 60, 90):
        tries = crowd.at_once(partial(fail_at, now=NOW + again))
        assert sum(asked for asked, _ in tries) == sum(opened for _, opened in tries) == 1


async def trip(store: Store) -> None:
    for _ in range(3):
        await store.breakers.report(await ask(store, NOW), FAILURE, now=NOW)


async def try_at(store: Store, number: int, *, now: float) -> list[Permit]:
    return [await ask(store, now) for _ in range(EACH)]


def test_one_of_all_probes(pool: Pool, url: str) -> None:
    """In each half-open moment; the others are told how long its lease is."""
    crowd = Crowd(pool, url)
    crowd.after(trip)
    for now in (NOW + 30, NOW + 40, NOW + 50):
        permits = [one for each in crowd.at_once(partial(try_at, now=now)) for one in each]
        assert sum(one.is_probe for one in permits) == sum(one.allowed for one in permits) == 1
        assert {one.retry_after_seconds for one in permits if not one.allowed} == {10.0}


async def cut_in(store: Store, number: int) -> int:
    """Again and again: how many probes it got."""
    probes = 0
    for _ in range(EACH):
        permit = await ask(store, NOW + 30)
        probes += permit.is_probe
        await store.breakers.report(permit, NOTHING, now=NOW + 30)
    return probes


async def fence(store: Store) -> int:
    return (await ask(store, NOW + 30)).fence


def test_no_probe_without_a_verdict_is_lost(pool: Pool, url: str) -> None:
    """Each has a fence of its own, and the circuit is where it was."""
    crowd = Crowd(pool, url)
    crowd.after(trip)
    probes = sum(crowd.at_once(cut_in))
    assert probes >= 1
    assert crowd.after(fence) == 1 + probes + 1


async def forbid(store: Store, number: int) -> list[Effect]:
    permits = [await ask(store, NOW) for _ in range(EACH)]
    return [await store.breakers.report(one, FORBIDDING, now=NOW) for one in permits]


def test_one_of_all_alerts(pool: Pool, url: str) -> None:
    """That the key is refused."""
    effects = [one for each in Crowd(pool, url).at_once(forbid) for one in each]
    assert sum(one.is_alert for one in effects) == 1
    assert sum(one.phase is Phase.OPEN for one in effects) == 1


async def be_useful(store: Store, number: int) -> int:
    """Until the circuit is closed, which it is for good."""
    closed = 0
    for _ in range(EACH):
        permit = await ask(store, NOW + 30)
        effect = await store.breakers.report(permit, USEFUL, now=NOW + 30)
        closed += effect.phase is Phase.CLOSED
    assert (await ask(store, NOW + 30)).allowed
    return closed


def test_one_of_all_closes(pool: Pool, url: str) -> None:
    """And then all may ask."""
    crowd = Crowd(pool, url)
    crowd.after(trip)
    assert sum(crowd.at_once(be_useful)) == 1


def probe_and_hang(url: str, pipe: Connection) -> None:
    async def probe() -> None:
        store = await open_store(url)
        pipe.send((await ask(store, NOW + 30)).is_probe)
        await asyncio.Event().wait()

    asyncio.run(probe())


def test_a_killed_prober_is_followed_by_another(url: str) -> None:
    """When its lease is over, and by one."""
    run(url, trip)
    ours, theirs = forking.Pipe(duplex=False)
    prober = forking.Process(target=probe_and_hang, args=(url, theirs))
    prober.start()
    theirs.close()
    assert ours.poll(20), "it does not start"
    assert ours.recv()
    prober.kill()
    prober.join()
    assert prober.exitcode == -9
    run(url, follow)


async def follow(store: Store) -> None:
    assert (await ask(store, NOW + 39.75)).retry_after_seconds == 0.25
    permit = await ask(store, NOW + 40)
    assert permit.is_probe
    assert not (await ask(store, NOW + 40)).allowed
    assert (await store.breakers.report(permit, USEFUL, now=NOW + 41)).phase is Phase.CLOSED


def report_for_ever(url: str, pipe: Connection) -> None:
    """Opens and closes it, and leaves probes behind, until it is killed."""

    async def work() -> None:
        store = await open_store(url)
        now = NOW
        while True:
            for verdict in (FAILURE, FAILURE, FAILURE, NOTHING, USEFUL):
                await store.breakers.report(await ask(store, now), verdict, now=now)
                now += 10.0
            pipe.send(now)

    asyncio.run(work())


@pytest.mark.parametrize("rounds", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_a_kill_leaves_a_circuit_that_works(url: str, rounds: int) -> None:
    """Whole, and with no lock on it."""
    for _ in range(rounds):
        ours, theirs = forking.Pipe(duplex=False)
        process = forking.Process(target=report_for_ever, args=(url, theirs))
        process.start()
        theirs.close()
        assert ours.poll(20), "it hangs"
        ours.recv()
        process.kill()
        process.join()
        assert process.exitcode == -9
        run(url, close_at_last)


async def close_at_last(store: Store) -> None:
    async with asyncio.timeout(5):
        await store.breakers.states(now=NOW)
        await store.breakers.close(LLM, now=NOW)
        assert (await ask(store, NOW)) == await ask(store, NOW)
        await trip(store)
        assert not (await ask(store, NOW)).allowed
        assert await store.breakers.close(LLM, now=NOW)

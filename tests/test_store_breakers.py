"""Breakers: what every store promises of them."""

import asyncio
import math
from collections.abc import Iterable
from pathlib import Path

import apsw
import pytest

from bench.redis_server import RedisServer
from session.circuits import (
    FAILURE,
    FORBIDDING,
    NO_EFFECT,
    NOTHING,
    USEFUL,
    CircuitState,
    Effect,
    Permit,
    Phase,
    Verdict,
    busy,
)
from session.store import SqliteStore, Store
from session.store.redis.store import RedisStore

NOW = 1_000_000.0

DAY_SECONDS = 86_400.0

LLM = "llm https://api.openai.com/v1 gpt-6-luna"


async def ask(store: Store, now: float, *, circuit: str = LLM, owner: str = "w/j") -> Permit:
    return await store.breakers.acquire(circuit, owner, now=now)


async def get(store: Store, now: float) -> Permit:
    permit = await ask(store, now)
    assert permit.allowed
    return permit


async def say(store: Store, verdict: Verdict, now: float) -> Effect:
    """What one request more says."""
    return await store.breakers.report(await get(store, now), verdict, now=now)


async def fail(store: Store, *times: float) -> Effect:
    effects = [await say(store, FAILURE, now) for now in times]
    return effects[-1]


async def open_it(store: Store) -> None:
    """For 30 seconds."""
    assert await fail(store, NOW, NOW, NOW) == Effect(Phase.OPEN, 30.0)


async def state(store: Store, now: float) -> CircuitState:
    states = await store.breakers.states(now=now)
    assert list(states) == [LLM]
    return states[LLM]


async def test_what_nobody_has_reported_on_may_be_asked(store: Store) -> None:
    """And leaves nothing behind, also when it was useful."""
    assert await ask(store, NOW) == Permit(LLM, allowed=True, fence=0)
    assert await say(store, USEFUL, NOW) == await say(store, NOTHING, NOW) == NO_EFFECT
    assert await store.breakers.states(now=NOW) == {}


async def test_the_third_failure_within_30_seconds_opens(store: Store) -> None:
    """For 30 seconds, for everybody."""
    assert await fail(store, NOW, NOW + 29.75) == NO_EFFECT
    assert await fail(store, NOW + 29.75) == Effect(Phase.OPEN, 30.0)
    refused = await ask(store, NOW + 30)
    assert refused == Permit(
        LLM, allowed=False, fence=1, reason="failed", retry_after_seconds=29.75
    )
    assert not (await ask(store, NOW + 59.5)).allowed
    assert (await ask(store, NOW + 59.75)).is_probe


async def test_failures_count_for_30_seconds(store: Store) -> None:
    """After them they are forgotten."""
    assert await fail(store, NOW, NOW + 15, NOW + 30, NOW + 45, NOW + 60) == NO_EFFECT
    assert await state(store, NOW + 60) == CircuitState(Phase.CLOSED)
    assert await fail(store, NOW + 60) == Effect(Phase.OPEN, 30.0)


async def test_a_success_between_failures_does_not_hide_them(store: Store) -> None:
    """It is another caller's, and three have heard nothing."""
    for verdict in (FAILURE, USEFUL, FAILURE, USEFUL, NOTHING):
        assert await say(store, verdict, NOW) == NO_EFFECT
    assert await fail(store, NOW) == Effect(Phase.OPEN, 30.0)


async def test_one_gets_the_probe(store: Store) -> None:
    """As a lease of ten seconds; for the others it is still open."""
    await open_it(store)
    probe = await ask(store, NOW + 30, owner="w1/a")
    assert (probe.allowed, probe.is_probe) == (True, True)
    for owner in ("w1/a", "w2/b"):
        refused = await ask(store, NOW + 31, owner=owner)
        assert not refused.allowed
        assert (refused.reason, refused.retry_after_seconds) == ("failed", 9.0)
    assert not (await ask(store, NOW + 39.75)).allowed


async def test_a_useful_probe_closes(store: Store) -> None:
    """And what failed before is forgotten."""
    await open_it(store)
    assert await say(store, USEFUL, NOW + 30) == Effect(Phase.CLOSED)
    assert await state(store, NOW + 30) == CircuitState(Phase.CLOSED)
    assert await fail(store, NOW + 30, NOW + 30) == NO_EFFECT
    assert await fail(store, NOW + 30) == Effect(Phase.OPEN, 30.0)


async def test_a_probe_that_fails_opens_again(store: Store) -> None:
    """One failure is enough, and 30 seconds begin anew."""
    await open_it(store)
    assert await say(store, FAILURE, NOW + 34) == Effect(Phase.OPEN, 30.0)
    assert (await ask(store, NOW + 34)).retry_after_seconds == 30.0


async def test_a_probe_without_a_verdict_is_followed_at_once(store: Store) -> None:
    """The caller cut in."""
    await open_it(store)
    assert await say(store, NOTHING, NOW + 31) == NO_EFFECT
    assert (await state(store, NOW + 31)).phase is Phase.HALF_OPEN
    assert (await ask(store, NOW + 31)).is_probe
    assert not (await ask(store, NOW + 31)).allowed


@pytest.mark.parametrize("verdict", [USEFUL, FAILURE, FORBIDDING, NOTHING, busy(60)])
async def test_a_prober_that_is_late_says_nothing_once_another_probes(
    store: Store, verdict: Verdict
) -> None:
    """Else it speaks for a lease that it has lost."""
    await open_it(store)
    late = await get(store, NOW + 30)
    probe = await get(store, NOW + 40)
    assert await store.breakers.report(late, verdict, now=NOW + 41) == NO_EFFECT
    assert not (await ask(store, NOW + 41)).allowed
    assert await store.breakers.report(probe, USEFUL, now=NOW + 42) == Effect(Phase.CLOSED)
    assert await store.breakers.report(late, verdict, now=NOW + 43) == NO_EFFECT


async def test_a_prober_that_is_late_alone_still_counts(store: Store) -> None:
    """Nobody else knows better."""
    await open_it(store)
    late = await get(store, NOW + 30)
    assert await store.breakers.report(late, USEFUL, now=NOW + 300) == Effect(Phase.CLOSED)


@pytest.mark.parametrize("verdict", [USEFUL, FAILURE, FORBIDDING, NOTHING, busy(600)])
async def test_what_was_under_way_when_it_opened_says_nothing(
    store: Store, verdict: Verdict
) -> None:
    """Neither while it is open, nor during the probe, nor after it."""
    early = await get(store, NOW)
    await open_it(store)
    assert await store.breakers.report(early, verdict, now=NOW + 1) == NO_EFFECT
    assert (await ask(store, NOW + 1)).retry_after_seconds == 29.0
    probe = await get(store, NOW + 30)
    assert await store.breakers.report(early, verdict, now=NOW + 31) == NO_EFFECT
    assert await store.breakers.report(probe, USEFUL, now=NOW + 31) == Effect(Phase.CLOSED)
    for _ in range(3):
        assert await store.breakers.report(early, verdict, now=NOW + 31) == NO_EFFECT


async def test_a_refusal_has_nothing_to_report(store: Store) -> None:
    """Whoever does so all the same changes nothing."""
    await open_it(store)
    refused = await ask(store, NOW + 1)
    for verdict in (USEFUL, FAILURE, FORBIDDING):
        assert await store.breakers.report(refused, verdict, now=NOW + 1) == NO_EFFECT
    assert (await ask(store, NOW + 1)).retry_after_seconds == 29.0


async def test_a_stream_that_breaks_after_it_was_useful_is_a_failure(store: Store) -> None:
    """First it closes the circuit, then it counts."""
    await open_it(store)
    probe = await get(store, NOW + 30)
    assert await store.breakers.report(probe, USEFUL, now=NOW + 31) == Effect(Phase.CLOSED)
    for _ in range(2):
        assert await store.breakers.report(probe, FAILURE, now=NOW + 33) == NO_EFFECT
    assert await store.breakers.report(probe, FAILURE, now=NOW + 33) == Effect(Phase.OPEN, 30.0)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        *((None, 30.0), (2.5, 2.5), (0, 1.0), (-5, 1.0), (7200, 600.0)),
        *((math.inf, 600.0), (-math.inf, 1.0), (math.nan, 30.0)),
    ],
)
async def test_a_busy_provider_is_left_alone_for_as_long_as_it_says(
    store: Store, said: float | None, seconds: float
) -> None:
    """At once, from one second to ten minutes."""
    assert await say(store, busy(said), NOW) == Effect(Phase.OPEN, seconds)
    refused = await ask(store, NOW)
    assert (refused.reason, refused.retry_after_seconds) == ("busy", seconds)
    assert await say(store, USEFUL, NOW + seconds) == Effect(Phase.CLOSED)


async def test_busy_is_not_counted(store: Store) -> None:
    """As a failure."""
    assert await fail(store, NOW, NOW) == NO_EFFECT
    await say(store, busy(1), NOW)
    await say(store, USEFUL, NOW + 1)
    assert await fail(store, NOW + 1, NOW + 1) == NO_EFFECT


async def test_a_refused_key_alerts_once(store: Store) -> None:
    """Until the circuit is closed; every ten minutes one tries it."""
    first, second = await get(store, NOW), await get(store, NOW)
    alert = Effect(Phase.OPEN, 600.0, is_alert=True)
    assert await store.breakers.report(first, FORBIDDING, now=NOW) == alert
    assert await store.breakers.report(second, FORBIDDING, now=NOW) == NO_EFFECT
    assert await say(store, FORBIDDING, NOW + 600) == Effect(Phase.OPEN, 600.0)
    assert await say(store, FAILURE, NOW + 1200) == Effect(Phase.OPEN, 30.0)
    assert await say(store, FORBIDDING, NOW + 1230) == Effect(Phase.OPEN, 600.0)
    assert await say(store, USEFUL, NOW + 1830) == Effect(Phase.CLOSED)
    assert (await say(store, FORBIDDING, NOW + 1830)).is_alert


async def test_by_hand_it_is_opened_for_everybody(store: Store) -> None:
    """Whatever it was; and then one probes it."""
    early = await get(store, NOW)
    assert await store.breakers.open(LLM, seconds=3600, now=NOW) == Effect(Phase.OPEN, 3600.0)
    assert await store.breakers.report(early, USEFUL, now=NOW) == NO_EFFECT
    refused = await ask(store, NOW + 1)
    assert (refused.reason, refused.retry_after_seconds) == ("by_hand", 3599.0)
    await store.breakers.open(LLM, seconds=5, now=NOW + 1)
    probe = await get(store, NOW + 6)
    assert probe.is_probe
    await store.breakers.open(LLM, seconds=5, now=NOW + 6)
    assert await store.breakers.report(probe, USEFUL, now=NOW + 7) == NO_EFFECT
    assert not (await ask(store, NOW + 7)).allowed


@pytest.mark.parametrize(
    ("asked", "seconds"), [(math.inf, 604_800.0), (-1, 0.0), (0, 0.0), (math.nan, 0.0)]
)
async def test_by_hand_it_is_open_for_at_most_a_week(
    store: Store, asked: float, seconds: float
) -> None:
    """Nobody remembers longer that they did it."""
    assert await store.breakers.open(LLM, seconds=asked, now=NOW) == Effect(Phase.OPEN, seconds)
    assert not seconds or not (await ask(store, NOW + seconds - 0.25)).allowed
    assert (await ask(store, NOW + seconds)).is_probe


async def test_by_hand_it_is_closed_for_everybody(store: Store) -> None:
    """What was under way says nothing any more: the key was changed since."""
    assert not await store.breakers.close(LLM, now=NOW)
    early = await get(store, NOW)
    await say(store, FORBIDDING, NOW)
    assert await store.breakers.close(LLM, now=NOW + 1)
    assert not await store.breakers.close(LLM, now=NOW + 1)
    assert await store.breakers.report(early, FORBIDDING, now=NOW + 1) == NO_EFFECT
    assert not (await get(store, NOW + 1)).is_probe
    assert await fail(store, NOW + 1, NOW + 1) == NO_EFFECT
    assert not await store.breakers.close(LLM, now=NOW + 1)
    assert await fail(store, NOW + 1, NOW + 1) == NO_EFFECT


async def test_a_probe_under_way_when_it_is_closed_by_hand_says_nothing(store: Store) -> None:
    """The provider may have been set right meanwhile."""
    await open_it(store)
    probe = await get(store, NOW + 30)
    assert await store.breakers.close(LLM, now=NOW + 31)
    for verdict in (FORBIDDING, FAILURE, busy(600)):
        assert await store.breakers.report(probe, verdict, now=NOW + 32) == NO_EFFECT
    assert not (await get(store, NOW + 32)).is_probe


async def test_the_states_of_all_are_told(store: Store) -> None:
    """In the order of their names, and without changing any."""
    await store.breakers.report(await ask(store, NOW, circuit="a"), FAILURE, now=NOW)
    await store.breakers.report(await ask(store, NOW, circuit="c"), busy(100), now=NOW)
    await open_it(store)
    await store.breakers.open("b", seconds=5, now=NOW)
    await ask(store, NOW + 30, owner="w7/j7")
    expected = {
        "a": CircuitState(Phase.CLOSED),
        "b": CircuitState(Phase.HALF_OPEN, "by_hand"),
        "c": CircuitState(Phase.OPEN, "busy", 69.0),
        LLM: CircuitState(Phase.HALF_OPEN, "failed", 9.0, "w7/j7"),
    }
    for _ in range(2):
        states = await store.breakers.states(now=NOW + 31)
        assert list(states.items()) == list(expected.items())
    assert (await store.breakers.states(now=NOW + 40))[LLM] == CircuitState(
        Phase.HALF_OPEN, "failed"
    )


def names() -> Iterable[str]:
    """All different."""
    yield from (
        "stt x",
        "STT x",
        "tts x",
        " stt x",
        "stt x ",
        "",
        "*",
        "{june}:circuits",
        "x" * 300,
    )
    yield 'with "quotes" and \N{SNOWMAN}'


async def test_names_are_compared_letter_by_letter(store: Store) -> None:
    """Whatever is in them."""
    for seconds, name in enumerate(names(), start=1):
        await store.breakers.open(name, seconds=seconds, now=NOW)
    for seconds, name in enumerate(names(), start=1):
        permit = await ask(store, NOW, circuit=name)
        assert (permit.circuit, permit.retry_after_seconds) == (name, seconds)
    assert list(await store.breakers.states(now=NOW)) == sorted(names())


async def test_a_clock_that_was_set_back_keeps_none_open(store: Store) -> None:
    """Longer than it may be: from when somebody finds it."""
    await open_it(store)
    assert (await state(store, NOW - 3600)).seconds_left == 30.0
    assert (await ask(store, NOW - 3600)).retry_after_seconds == 30.0
    assert not (await ask(store, NOW - 3570.25)).allowed
    assert (await ask(store, NOW - 3570)).is_probe
    assert (await ask(store, NOW - 7200)).retry_after_seconds == 10.0
    assert (await ask(store, NOW - 7190)).is_probe


async def test_a_clock_that_was_set_back_counts_failures_from_now(store: Store) -> None:
    """They are no longer in the future."""
    assert await fail(store, NOW, NOW - 3600, NOW - 3570) == NO_EFFECT
    assert await fail(store, NOW - 3570) == NO_EFFECT
    assert await fail(store, NOW - 3570) == Effect(Phase.OPEN, 30.0)


async def test_times_are_kept_to_the_last_digit(store: Store) -> None:
    """A moment too early is too early."""
    now = 1_764_093_600.1234567
    await store.breakers.open(LLM, seconds=1 / 3, now=now)
    until = now + 1 / 3
    assert (await ask(store, math.nextafter(until, 0))).retry_after_seconds > 0
    assert (await ask(store, until)).is_probe


async def test_what_has_not_changed_for_a_day_is_forgotten(store: Store) -> None:
    """Not what is open; Redis does so by its own clock."""
    await say(store, busy(600), NOW)
    await store.breakers.open("b", seconds=604_800, now=NOW)
    await store.sessions.purge(seen_before=0, now=NOW + 600 + DAY_SECONDS)
    assert list(await store.breakers.states(now=NOW)) == ["b", LLM]
    if isinstance(store, RedisStore):
        return
    await store.sessions.purge(seen_before=0, now=NOW + 600.25 + DAY_SECONDS)
    assert list(await store.breakers.states(now=NOW)) == ["b"]


async def test_in_redis_every_circuit_ends_by_itself(redis: RedisServer) -> None:
    """A day after it changed, or was open; and then its name is gone as well."""
    redis.ask(b"FLUSHALL")
    store = await RedisStore.open(redis.url)
    await say(store, FAILURE, NOW)
    await store.breakers.open("b", seconds=3600, now=NOW)
    for circuit, seconds in ((LLM, DAY_SECONDS), ("b", DAY_SECONDS + 3600)):
        left = await store.db.ask("TTL", f"{{june}}:circuit:{circuit}")
        assert left == pytest.approx(seconds, abs=5)
    assert await store.db.ask("TTL", "{june}:circuits") > DAY_SECONDS
    await store.db.ask("DEL", f"{{june}}:circuit:{LLM}")
    assert list(await store.breakers.states(now=NOW)) == ["b"]
    assert await store.db.ask("SMEMBERS", "{june}:circuits") == {"b"}
    await store.aclose()


async def closed_and_open(store: Store) -> None:
    """A request to a good provider, and one to a dead one."""
    permit = await ask(store, NOW, circuit="good")
    assert await store.breakers.report(permit, USEFUL, now=NOW) == NO_EFFECT
    assert not (await ask(store, NOW, circuit="dead")).allowed
    await store.breakers.states(now=NOW)


async def test_who_changes_nothing_waits_for_no_lock(tmp_path: Path) -> None:
    """Of the SQLite file, which another process may hold for seconds."""
    store = await SqliteStore.open(tmp_path / "june.db")
    await store.breakers.open("dead", seconds=60, now=NOW)
    other = apsw.Connection(str(tmp_path / "june.db"))
    other.execute("BEGIN IMMEDIATE; UPDATE counters SET value = value")
    async with asyncio.timeout(1):
        await closed_and_open(store)
    other.execute("ROLLBACK")
    other.close()
    await store.aclose()

"""What Prometheus is told: of all processes, and of the store where it answers."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from counting_processes import bury, counting, samples
from prometheus_client import REGISTRY, Gauge
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from agent import exposition, metrics, store_figures
from agent.exposition import Exposition
from session import LimitConfig, SessionConfig, SessionService, StoreError, open_sessions
from session.circuits import FORBIDDING
from session.money import Charge, Reservation

MEMORY = SessionConfig(Path("unused"), store_url="memory:", limits=LimitConfig(dollars_per_day=20))

CIRCUIT = "llm https://models.example/v1 mind"


@pytest.fixture
async def sessions() -> AsyncIterator[SessionService]:
    async with open_sessions(MEMORY, now=lambda: 1_000_000.0) as opened:
        yield opened


async def told(sessions: SessionService, folder: Path | None = None) -> dict[str, float]:
    async with Exposition(sessions, folder=folder) as exposition:
        return samples(await exposition.text())


async def test_one_process_is_told_of_without_a_folder(sessions: SessionService) -> None:
    """As where June's parts are used by themselves."""
    before = (await told(sessions))["june_turns_total"]
    metrics.TURNS.inc()
    assert (await told(sessions))["june_turns_total"] == before + 1


async def test_all_processes_are_told_of(sessions: SessionService, tmp_path: Path) -> None:
    """And not this one, which counts somewhere else; with what the store says."""
    with counting(tmp_path, 1, 2):
        found = await told(sessions, tmp_path)
    assert found["june_turns_total"] == 3
    assert found["june_calls_active"] == 2
    assert found["june_store_up"] == 1


async def test_the_dead_are_merged_while_nobody_asks(
    sessions: SessionService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their files would be as many as there were calls since the last scrape."""
    monkeypatch.setattr(exposition, "MERGE_SECONDS", 0.01)
    source, folder = tmp_path / "source", tmp_path / "folder"
    source.mkdir()
    folder.mkdir()
    with counting(source, 2):
        pass
    async with Exposition(sessions, folder=folder) as merging:
        for _ in range(2):
            bury(folder, source, 50)
            while len(list(folder.iterdir())) > 2:
                await asyncio.sleep(0.01)
        assert samples(await merging.text())["june_turns_total"] == 200


async def test_what_is_written_is_read_by_others(sessions: SessionService) -> None:
    """In Prometheus' text format, every metric with its help and its type."""
    async with Exposition(sessions) as written:
        text = (await written.text()).decode()
    families = [
        family for family in text_string_to_metric_families(text) if family.name.startswith("june_")
    ]
    assert len(families) > 20
    assert all(family.documentation and family.type != "unknown" for family in families)


async def test_an_open_breaker_is_told_of(sessions: SessionService) -> None:
    """Until it is closed; and nothing is told of one that never failed."""
    assert not [name for name in await told(sessions) if "provider_breaker" in name]
    name = f"june_provider_breaker_open{{circuit={CIRCUIT}}}"
    permit = await sessions.breakers.acquire(CIRCUIT, "call")
    await sessions.breakers.report(permit, FORBIDDING)
    assert (await told(sessions))[name] == 1
    await sessions.breakers.close(CIRCUIT)
    assert (await told(sessions)).get(name, 0) == 0


async def test_a_password_in_a_circuit_is_hidden(sessions: SessionService) -> None:
    """Whoever opens one by hand may write anything."""
    await sessions.breakers.open_by_hand("llm https://me:hush-hush@models.example/v1 mind", 60)
    found = [name for name in await told(sessions) if "provider_breaker" in name]
    assert found == [
        "june_provider_breaker_open{circuit=llm https://[secret]@models.example/v1 mind}"
    ]


async def test_todays_money_is_told_of_beside_its_limit(sessions: SessionService) -> None:
    """With what is reserved: it is what June decides by."""
    budgets = sessions.money.budgets_of(None)
    for number, micros in (("one", 1_500_000), ("two", 250_000)):
        await sessions.money.reserve(Reservation(number, budgets, micros, tokens=1))
    await sessions.money.settle("one", Charge(1_000_000, 1))
    found = await told(sessions)
    assert found["june_budget_spent_dollars"] == 1.25
    assert found["june_budget_limit_dollars"] == 20
    assert found["june_budget_breaker_open"] == 0
    await sessions.money.pause()
    assert (await told(sessions))["june_budget_breaker_open"] == 1


async def test_no_limit_is_no_number() -> None:
    """A limit of 0 would look as if it were used up."""
    limits = replace(MEMORY, limits=LimitConfig(dollars_per_day=0))
    async with open_sessions(limits) as sessions:
        found = await told(sessions)
    assert "june_budget_limit_dollars" not in found
    assert "june_budget_spent_dollars" in found


async def _fails() -> Any:
    raise StoreError("away", retryable=True)


async def _hangs() -> Any:
    await asyncio.sleep(60)


@pytest.mark.parametrize("state", [_fails, _hangs])
async def test_a_store_that_is_away_costs_nothing_else(
    sessions: SessionService, monkeypatch: pytest.MonkeyPatch, state: Callable[[], Any]
) -> None:
    """It is waited for briefly, and everything else is told in time."""
    monkeypatch.setattr(store_figures, "STORE_SECONDS", 0.05)
    monkeypatch.setattr(sessions.breakers, "state", state)
    async with asyncio.timeout(5):
        found = await told(sessions)
    assert found["june_store_up"] == 0
    assert "june_turns_total" in found
    assert not [name for name in found if "budget_spent" in name or "breaker_open" in name]


DECLARED = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]

PRIVATE = {
    "room",
    "user",
    "session",
    "session_id",
    "identity",
    "caller",
    "call",
    "call_id",
    "job",
    "id",
}


@pytest.mark.parametrize("metric", DECLARED, ids=lambda metric: metric._name)
def test_no_label_names_anybody(metric: MetricWrapperBase) -> None:
    """Such a label is private, and has as many values as there are calls."""
    assert not set(metric._labelnames) & PRIVATE


@pytest.mark.parametrize("metric", DECLARED, ids=lambda metric: metric._name)
def test_names_follow_prometheus(metric: MetricWrapperBase) -> None:
    """`june_`, words, and the base unit last; each with a sentence of help."""
    assert re.fullmatch(r"june(_[a-z]+)+", metric._name)
    assert metric._documentation.endswith(".")
    assert not metric._name.endswith(("_ms", "_milliseconds", "_micros", "_count", "_total"))
    if metric._type == "histogram":
        assert metric._name.endswith("_seconds")
    if isinstance(metric, Gauge):
        assert metric._multiprocess_mode.startswith("live"), "a dead call's would stay"


@pytest.mark.parametrize(
    "name",
    [
        "june_calls_total",
        "june_calls_died_total",
        "june_rooms_given_up_total",
        "june_store_errors_total",
        'june_calls_ended_total{reason="crash"}',
        'june_redispatches_total{why="died"}',
        'june_rebuilds_total{stage="vad"}',
        'june_stage_failures_total{stage="stt"}',
    ],
)
async def test_what_an_alert_waits_for_is_there_from_the_start(name: str, tmp_path: Path) -> None:
    """A counter that appears with its first event has never increased, Prometheus thinks."""
    with counting(tmp_path, 0):
        async with open_sessions(MEMORY) as sessions:
            found = await told(sessions, tmp_path)
    assert found[name.replace('"', "")] == 0


def test_nothing_is_declared_elsewhere() -> None:
    """One place to look at, and one rule for labels."""
    registered = {
        name.removesuffix("_total").removesuffix("_created")
        for name in REGISTRY._names_to_collectors
        if name.startswith("june_")
    }
    ours = {metric._name for metric in DECLARED}
    assert {name for name in registered if not name.endswith(("_bucket", "_sum", "_count"))} == ours

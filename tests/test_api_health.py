"""How June is, as people, load balancers and Prometheus hear it."""

import asyncio
import time
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_fakes import NOW, Api, api_in

from agent.api.figures import FRESH_SECONDS, Pulse
from agent.version import VERSION
from session import SessionService, StoreError
from session.money import Charge, Reservation

ROOT = Path(__file__).parent.parent


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    limits = {"DOLLARS_PER_DAY": "10", "REQUESTS_PER_DAY": "100", "TOKENS_PER_DAY": "1000"}
    settings = {f"JUNE_LIMITS__{name}": value for name, value in limits.items()}
    async with api_in(tmp_path, **settings) as opened:
        yield opened


async def spend(
    sessions: SessionService, *, dollars: float = 0.0, tokens: int = 0, requests: int = 1
) -> None:
    """Of today's money."""
    for number in range(requests):
        budgets = sessions.money.budgets_of(None)
        reservation = Reservation(f"{dollars} {tokens} {number}", budgets, micros=0, tokens=0)
        assert (await sessions.money.reserve(reservation)).allowed
        charge = Charge(micros=round(dollars * 1e6), tokens=tokens)
        await sessions.money.settle(reservation.id, charge)


def make_store_fail(api: Api, monkeypatch: pytest.MonkeyPatch, *, silent: bool = False) -> None:
    """It raises, or says nothing at all."""

    async def fail(*_: object, **__: object) -> None:
        if silent:
            await asyncio.sleep(60)
        raise StoreError("away", retryable=True)

    monkeypatch.setattr(api.sessions._store.ledger, "accounts", fail)


def test_the_version_is_that_of_the_project() -> None:
    """Which the image does not have with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION


async def test_june_says_what_she_is(api: Api) -> None:
    """At the address that people try first."""
    assert (await api.ask("GET", "/")).json == {"name": "june", "version": VERSION}


async def test_all_is_well(api: Api) -> None:
    """And the operator sees what it was judged by."""
    api.worker.calls = 3
    health = (await api.ask("GET", "/healthz")).json
    assert (health["status"], health["reasons"]) == ("ok", [])
    assert health["version"] == VERSION
    assert (health["store"], health["livekit"], health["active_calls"]) == ("ok", "ok", 3)
    assert health["features"]["llm"] == "local"
    assert "mockingbird" in health["features"]["skills"]
    assert (health["money"]["spent_micros"], health["money"]["limit_micros"]) == (0, 10_000_000)
    assert (health["providers"], health["is_draining"]) == ({}, False)


async def degraded(api: Api) -> str:
    """The one reason why."""
    answer = await api.ask("GET", "/healthz")
    assert (answer.status, answer.json["status"]) == (200, "degraded")
    (reason,) = answer.json["reasons"]
    return str(reason)


async def test_a_full_worker_degrades(api: Api) -> None:
    """Whoever calls now waits."""
    api.worker.calls = api.config.worker.max_calls
    assert await degraded(api) == "this worker has all 4 calls of `[worker] max_calls`"


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
async def test_head_is_answered_as_get_without_the_body(api: Api, path: str) -> None:
    """As `curl -I` asks."""
    assert (await api.ask("HEAD", path)).status == 200


async def test_a_provider_that_is_asked_for_nothing_degrades(api: Api) -> None:
    """Until one may ask it again."""
    await api.sessions.breakers.open_by_hand("llm https://api.example/v1 m", 90)
    assert await degraded(api) == (
        "`llm https://api.example/v1 m` is asked for nothing for 90 s: by_hand"
    )
    providers = (await api.ask("GET", "/healthz")).json["providers"]
    assert providers["llm https://api.example/v1 m"]["phase"] == "open"


async def test_a_pause_degrades(api: Api) -> None:
    """It is said who did it, and until when."""
    await api.sessions.money.pause(60)
    assert await degraded(api) == ("June spends nothing until 2027-01-15T08:01:00Z: paused by hand")


@pytest.mark.parametrize(
    ("spent", "reason"),
    [
        ({"dollars": 9.01}, "$9.01 of `[limits] dollars_per_day` is used"),
        ({"tokens": 901}, "901 of `[limits] tokens_per_day` are used"),
        ({"requests": 51}, "49 model requests are left of `[limits] requests_per_day`"),
    ],
)
async def test_a_day_that_is_nearly_spent_degrades(
    api: Api, spent: dict[str, int], reason: str
) -> None:
    """Over 90 % of money or tokens, or fewer than 50 requests left."""
    await spend(api.sessions, **spent)
    assert await degraded(api) == reason


async def test_up_to_there_all_is_well(api: Api) -> None:
    """Exactly 90 %, and 50 requests left."""
    await spend(api.sessions, requests=49)
    await spend(api.sessions, dollars=9.0, tokens=900)
    assert (await api.ask("GET", "/healthz")).json["status"] == "ok"


async def test_a_budget_that_tripped_degrades(api: Api) -> None:
    """It stays so until midnight."""
    await spend(api.sessions, dollars=10)
    assert not (await api.sessions.asking.may_call(None)).allowed
    reasons = (await api.ask("GET", "/healthz")).json["reasons"]
    assert reasons[0] == "June spends nothing until 2027-01-16T00:00:00Z: a daily limit is used up"


async def test_without_limits_no_day_is_nearly_spent(tmp_path: Path) -> None:
    """0 is none."""
    names = ("DOLLARS_PER_DAY", "REQUESTS_PER_DAY", "TOKENS_PER_DAY")
    async with api_in(tmp_path, **{f"JUNE_LIMITS__{name}": "0" for name in names}) as api:
        await spend(api.sessions, dollars=1e5, tokens=10**9)
        assert (await api.ask("GET", "/healthz")).json["status"] == "ok"


async def test_livekit_away_degrades(api: Api) -> None:
    """June cannot be called then, and is not ready."""
    api.worker.is_registered = False
    assert await degraded(api) == "no LiveKit server sends calls to June"
    assert (await api.ask("GET", "/readyz")).status == 503


@pytest.mark.parametrize("silent", [False, True])
async def test_a_store_that_is_away_degrades_and_is_not_waited_for(
    api: Api, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    """A second at most, also where it says nothing."""
    make_store_fail(api, monkeypatch, silent=silent)
    began = time.monotonic()
    assert await degraded(api) == "June's store does not answer"
    health = (await api.ask("GET", "/healthz")).json
    assert health["store"] == "away"
    assert (health["money"], health["providers"]) == (None, None)
    ready = await api.ask("GET", "/readyz")
    assert (ready.status, ready.json["reason"]) == (503, "not_ready")
    assert time.monotonic() - began < 1.9


async def test_june_is_ready_once_she_is_registered_and_until_she_drains(api: Api) -> None:
    """A load balancer goes by it."""
    assert (await api.ask("GET", "/readyz")).json == {"ready": True}
    api.worker.is_draining = True
    answer = await api.ask("GET", "/readyz")
    assert answer.status == 503
    assert "stopping" in answer.detail
    assert answer.headers["retry-after"] == "5"
    assert (await api.ask("GET", "/healthz")).json["is_draining"] is True


async def test_however_many_ask_the_store_is_asked_once_a_second(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strangers may, and calls need the store more."""
    asked, monotonic = 0, 0.0
    today = api.sessions.money.today

    class Counting:
        async def today(self) -> object:
            nonlocal asked
            asked += 1
            return await today()

    monkeypatch.setattr(SessionService, "money", Counting())
    pulse = Pulse(api.sessions, now=lambda: monotonic)
    await asyncio.gather(*(pulse.take() for _ in range(50)))
    assert asked == 1
    monotonic = FRESH_SECONDS
    await asyncio.gather(*(pulse.take() for _ in range(50)))
    assert asked == 2


async def test_metrics_are_for_prometheus(api: Api) -> None:
    """In the format that it knows."""
    answer = await api.ask("GET", "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b"june_calls_total 3.0" in answer.response.content


def test_the_times_of_these_tests_are_of_one_day() -> None:
    """Midnight is the one after `NOW`."""
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW)) == "2027-01-15T08:00:00Z"

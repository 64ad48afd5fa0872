"""`./june money`: the operator sees today's money, and can stop June and let her go on."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from test_cli import june

from agent.config import Config, load
from agent.errors import CannotStart
from agent.money_command import account, fullest_limit, paused, resumed, shown
from bench.redis_server import RedisServer
from session import Session, SessionService, open_sessions
from session.money import Charge, Reservation
from session.records import Money

NO_LIMITS = {"dollars_per_day": 0.0, "tokens_per_day": 0, "requests_per_day": 0}


@pytest.fixture(params=["sqlite", "redis"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Of a June that keeps what she keeps in a file, and of one that keeps it in Redis."""
    given = {"HOME": str(tmp_path), "JUNE_DATA__DIR": str(tmp_path / "june")}
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis")
        server.ask(b"FLUSHALL")
        given |= {"JUNE_STORE__URL": server.url, "JUNE_SECRET_KEY": "0123456789abcdef"}
    return given


@pytest.fixture
def config(environment: dict[str, str]) -> Config:
    return load(environ=environment)


async def spend(sessions: SessionService, micros: int, *, tokens: int = 0, **charged: Any) -> None:
    """One model request, reserved and settled."""
    budgets = sessions.money.budgets_of(None)
    name = f"request of {micros} and {tokens}"
    await sessions.money.reserve(Reservation(name, budgets, micros=micros, tokens=tokens))
    await sessions.money.settle(name, Charge(micros=micros, tokens=tokens, **charged))


async def may_speak(sessions: SessionService, session: Session, turn: int) -> bool:
    return (await sessions.reserve_turn(session, turn, "hello")).allowed


def told(text: str) -> dict[str, str]:
    return {line[:11].strip(): line[11:] for line in text.splitlines()}


async def test_todays_money_is_shown(config: Config) -> None:
    """What is spent, what is under way, and of which limits."""
    async with open_sessions(config.session) as sessions:
        await spend(sessions, 1_234_500, tokens=12_345)
        await spend(sessions, 50_000, is_estimate=True)
        await spend(sessions, 0, is_unpriced=True)
        under_way = Reservation("u", sessions.money.budgets_of(None), micros=20_000, tokens=5)
        await sessions.money.reserve(under_way)
        today = (await sessions.money.today()).day
    assert told(await shown(config, as_json=False)) == {
        "day": f"{today}, until midnight UTC",
        "spent": "$1.2845 of $50",
        "estimated": "$0.0500 of it",
        "under way": "$0.0200 more at most",
        "tokens": "12,345 of 10,000,000",
        "requests": "4 of 20,000",
        "unpriced": "1 of them",
        "June": "answers",
    }


async def test_programs_get_it_as_json(config: Config) -> None:
    """The same record that the memory gives."""
    async with open_sessions(config.session) as sessions:
        await spend(sessions, 1_234_500)
        money = (await sessions.get_stats()).money
    assert Money.model_validate_json(await shown(config, as_json=True)) == money


async def test_a_pause_stops_june_and_says_until_when(config: Config) -> None:
    """A worker that is running obeys it at once."""
    async with open_sessions(config.session) as worker:
        session = await worker.get_or_create_for_room("room", "ann")
        assert await may_speak(worker, session, 1)
        said = await paused(config, minutes=10)
        assert said.startswith("June answers nobody until 20")
        assert "paused by hand" in said
        left = (await worker.reserve_turn(session, 2, "hello")).retry_after_seconds
        assert left == pytest.approx(600, abs=60)
        assert "answers nobody" in told(await shown(config, as_json=False))["June"]
        assert json.loads(await shown(config, as_json=True))["breaker_reason"] == "paused"
        assert await resumed(config) == "June answers again."
        assert await may_speak(worker, session, 2)
    assert await resumed(config) == "June was not stopped."


async def test_a_shorter_pause_changes_nothing_and_says_so(config: Config) -> None:
    """Whoever has stopped June for longer had a reason."""
    first = await paused(config, minutes=60)
    second = await paused(config, minutes=1)
    until = first.partition(" until ")[2].partition(":")[0]
    assert second.startswith(f"Nothing has changed: June answers nobody until {until}")
    assert "./june money resume" in second


async def test_a_used_up_limit_is_named_and_stops_june_again(environment: dict[str, str]) -> None:
    """Going on without raising it would last for one request."""
    config = load(environ=environment | {"JUNE_LIMITS__DOLLARS_PER_DAY": "2"})
    async with open_sessions(config.session) as worker:
        session = await worker.get_or_create_for_room("room", "ann")
        await spend(worker, 2_000_000)
        assert not await may_speak(worker, session, 1)
        state = told(await shown(config, as_json=False))["June"]
        assert state.endswith("T00:00:00Z: `[limits] dollars_per_day` is used up.")
        said = await resumed(config)
        assert said.startswith(
            "June answers again. But 100 % of `[limits] dollars_per_day` is used"
        )
        assert "hint: raise `dollars_per_day`" in said
        assert not await may_speak(worker, session, 2)
    raised = load(environ=environment | {"JUNE_LIMITS__DOLLARS_PER_DAY": "20"})
    assert (await resumed(raised)).startswith("June answers again.")
    async with open_sessions(raised.session) as worker:
        assert await may_speak(worker, session, 3)


def of_today(**changes: Any) -> Money:
    nothing: dict[str, Any] = dict.fromkeys(Money.model_fields, 0)
    not_stopped = {"breaker_reason": None, "breaker_until": None}
    return Money(**{**nothing, **not_stopped, "day": "2026-11-25", **changes})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"spent_micros": 30_000_000, "reserved_micros": 10_000_000}, ("dollars_per_day", 0.8)),
        ({"spent_micros": 1, "tokens": 10_000_000}, ("tokens_per_day", 1.0)),
        ({"requests": 30_000, "tokens": 10_000_000}, ("requests_per_day", 1.5)),
    ],
)
def test_the_limit_to_raise_is_the_fullest(
    config: Config, changes: dict[str, int], named: tuple[str, float]
) -> None:
    """By the part that is gone, whatever it is counted in."""
    assert fullest_limit(of_today(**changes), config.limits) == named


def test_without_limits_none_is_named(config: Config) -> None:
    """Even if a worker with other settings has stopped June."""
    limits = config.limits.model_copy(update=NO_LIMITS)
    money = of_today(tokens=12_345, breaker_reason="out_of_budget", breaker_until=0.0)
    lines = told(account(money, limits))
    assert lines["spent"] == "$0.0000, without a limit"
    assert lines["tokens"] == "12,345, without a limit"
    assert lines["June"] == "answers nobody until 1970-01-01T00:00:00Z: a daily limit was used up."


async def test_the_commands_work_beside_a_worker(environment: dict[str, str]) -> None:
    """Without a command, with one, and with settings that are named before it."""
    folder = Path(environment["HOME"])
    (folder / "my.toml").write_text("[limits]\ndollars_per_day = 7\n")

    async def run(*words: str) -> str:
        given = {name: value for name, value in environment.items() if name != "HOME"}
        done = await asyncio.to_thread(june, "money", *words, folder=folder, **given)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    async with open_sessions(load(environ=environment).session) as worker:
        session = await worker.get_or_create_for_room("room", "ann")
        assert "of $50\n" in await run()
        assert "of $7\n" in await run("--config", "my.toml")
        assert "of $7\n" in await run("--config", "my.toml", "show")
        assert json.loads(await run("--json")) == json.loads(await run("show", "--json"))
        assert "answers nobody" in await run("pause", "--minutes", "5")
        assert not await may_speak(worker, session, 1)
        assert await run("resume") == "June answers again.\n"
        assert await may_speak(worker, session, 1)


@pytest.mark.parametrize(
    "words", [("--json", "pause"), ("pause", "--minutes", "0"), ("pause", "--minutes", "soon")]
)
def test_what_is_not_understood_changes_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Exit code 2, no traceback, and no store is made."""
    done = june("money", *words, folder=tmp_path)
    assert done.returncode == 2
    assert "--json" in done.stderr or "--minutes" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".local").exists()


def test_a_store_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """As by every other command."""
    (tmp_path / "june.db").write_bytes(b"not a database " * 400)
    url = f"sqlite:{tmp_path / 'june.db'}"
    done = june("money", "resume", folder=tmp_path, JUNE_STORE__URL=url)
    assert done.returncode == 2
    assert "is not a SQLite database" in done.stderr
    assert "hint:" in done.stderr


async def test_a_memory_that_is_a_process_s_own_cannot_be_paused(tmp_path: Path) -> None:
    """A worker would not hear of it."""
    config = load(environ={"HOME": str(tmp_path), "JUNE_STORE__URL": "memory:"})
    with pytest.raises(CannotStart, match=r"(?s)keeps nothing between processes.*hint: "):
        await paused(config, minutes=5)

"""What every unit test starts from: asyncio, and an environment that says nothing about June."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from store_machine import OpenedStore

from bench.redis_server import RedisServer
from session.store import Store, open_store

CONFIGURING = ("JUNE_", "LIVEKIT_", "OPENAI_")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """June runs on asyncio only, because LiveKit Agents does."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _nothing_is_configured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own settings must not decide a unit test; room tests are told the server."""
    if request.node.get_closest_marker("room") is not None:
        return
    for name in list(os.environ):
        if name.startswith(CONFIGURING):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A real server, for whoever leaves it as it was; each user empties it first."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Every store that June knows; what is asked of one holds for all."""
    match request.param:
        case "redis":
            server: RedisServer = request.getfixturevalue("redis")
            server.ask(b"FLUSHALL")
            url = server.url
        case "sqlite":
            url = f"sqlite:{tmp_path / 'june.db'}"
        case _:
            url = "memory:"
    opened = await open_store(url)
    yield opened
    await opened.aclose()


@pytest.fixture(scope="module", params=["memory", "sqlite", "redis"])
def store_of_machines(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenedStore]:
    """Every store, for state machines: they open and close what they need themselves."""
    folder = tmp_path_factory.mktemp("machines")
    with ExitStack() as stack:
        match request.param:
            case "redis":
                url = stack.enter_context(RedisServer(folder)).url
            case "sqlite":
                url = f"sqlite:{folder / 'june.db'}"
            case _:
                url = "memory:"
        opened = OpenedStore(url, stack.enter_context(asyncio.Runner()))
        stack.callback(opened.close)
        yield opened


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failure: it would hide a missing install step."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

"""What room tests share: a LiveKit server, a worker, and ears, each once."""

import itertools
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from agent.livekit_binary import find_or_build
from agent.livekit_server import LoopbackServer
from agent.models.local.engine import LocalSpeech
from room.caller import Caller
from room.worker import ROOT, Worker

HERE = Path(__file__).parent

rooms = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a real server."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.room)


@pytest.fixture(scope="session")
async def binary() -> Path:
    """The server's program; building it may take two minutes, once."""
    named = os.environ.get("LIVEKIT_SERVER_BIN")
    return await find_or_build(
        server_bin=Path(named) if named else None,
        tools_dir=ROOT / ".tools",
        progress=lambda line: print(line, file=sys.stderr),
    )


@pytest.fixture(scope="session")
async def livekit(binary: Path) -> AsyncIterator[LoopbackServer]:
    async with LoopbackServer(binary) as server:
        yield server


@pytest.fixture(scope="session")
async def june(
    livekit: LoopbackServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Worker]:
    """The worker that most tests call; it is never broken."""
    async with Worker.of(
        livekit, tmp_path_factory.mktemp("june"), JUNE_WORKER__DRAIN_SECONDS="1"
    ) as worker:
        yield await worker.ready()


@pytest.fixture(scope="session")
async def ears() -> AsyncIterator[LocalSpeech]:
    async with LocalSpeech(threads=1) as speech:
        yield speech


Call = Callable[..., Caller]


@pytest.fixture
async def call(livekit: LoopbackServer, ears: LocalSpeech) -> AsyncIterator[Call]:
    """Makes callers, each in a room of their own unless one is named; all leave at the end."""
    async with AsyncExitStack() as stack:

        def make(identity: str = "", room: str = "") -> Caller:
            number = next(rooms)
            caller = Caller(livekit, room or f"room-{number}", identity or f"caller-{number}", ears)
            stack.push_async_callback(caller.leave)
            return caller

        yield make

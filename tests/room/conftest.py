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
from bench.provider import ScriptedProvider
from room import hosted
from room.caller import Caller
from room.worker import ROOT, Worker

HERE = Path(__file__).parent

rooms = itertools.count(1)


ALSO_HOSTED_AT_ONCE = {"test_hosted.py"}
"""What calls hosted models in the ordinary run too; the rest does with `--all`: CI has 20 min."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a real server."""
    for item in items:
        if HERE not in item.path.parents:
            continue
        item.add_marker(pytest.mark.room)
        parameters = getattr(item, "callspec", None)
        is_hosted = parameters is not None and parameters.params.get("june") == "openai"
        if is_hosted and item.path.name not in ALSO_HOSTED_AT_ONCE:
            item.add_marker(pytest.mark.slow)


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
async def provider() -> AsyncIterator[ScriptedProvider]:
    """Hosted models, which answer as June does offline unless a test scripts them."""
    async with (
        LocalSpeech(threads=2) as speech,
        ScriptedProvider(speech, hosted.script(), hosted.KEY) as serving,
    ):
        yield serving


@pytest.fixture(scope="session", params=["local", "openai"])
async def june(
    request: pytest.FixtureRequest,
    livekit: LoopbackServer,
    provider: ScriptedProvider,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Worker]:
    """The worker that most tests call, by itself and with hosted models; it is never broken."""
    profile: str = request.param
    models = hosted.asking(provider) if profile == "openai" else {}
    folder = tmp_path_factory.mktemp(f"june-{profile}")
    async with Worker.of(livekit, folder, JUNE_WORKER__DRAIN_SECONDS="1", **models) as worker:
        if profile == "openai":
            worker.voice = f"{provider.base_url}/gpt-4o-mini-tts/marin"
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

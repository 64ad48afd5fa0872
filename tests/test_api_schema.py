"""The OpenAPI file says the truth: whatever a client makes of it, June answers as it says.

Schemathesis makes up requests, right and wrong ones, and compares.
"""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import schemathesis
from api_fakes import ADMIN, Api, ScriptedRooms, api_in, config_of, parts_of
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from structlog.testing import capture_logs

from agent.api.app import build_app
from agent.api.server import HttpServer
from agent.rooms import LiveKitClient
from session import open_sessions

EXAMPLES = 25
"""Requests for each operation, besides those that try each rule of its schema."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in a thread of its own; nothing in it may fail unforeseen."""
    folder = tmp_path_factory.mktemp("api")
    is_ready, done = threading.Event(), threading.Event()
    ports: list[int] = []

    async def serve() -> None:
        async with (
            api_in(folder, JUNE_ADMIN_TOKEN=ADMIN) as api,
            HttpServer(api.app, "127.0.0.1", 0) as server,
        ):
            await furnish(api)
            ports.append(server.port)
            is_ready.set()
            await asyncio.to_thread(done.wait)

    with capture_logs() as logs:
        thread = threading.Thread(target=asyncio.run, args=(serve(),), name="june.http.test")
        thread.start()
        assert is_ready.wait(20)
        yield f"http://127.0.0.1:{ports[0]}"
        done.set()
        thread.join(10)
    assert not thread.is_alive()
    assert not [line for line in logs if line["log_level"] == "error"]


async def furnish(api: Api) -> None:
    """Something to find."""
    session = await api.sessions.get_or_create_for_room("room", "ann")
    await api.sessions.touch(session.session_id)


def document() -> dict[str, Any]:
    """As June gives it; for that she needs neither a store nor a server."""
    with TemporaryDirectory() as folder:
        config = config_of(Path(folder))
        client = LiveKitClient(config.livekit, agent_name="june")
        parts = parts_of(config, open_sessions(config.session), ScriptedRooms(client))
        return build_app(parts).openapi()


# Whoever reads all that it answers reads for ever; `test_api_ops.py` reads some of it.
schema = schemathesis.openapi.from_dict(document()).exclude(path="/api/ops/stream")


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_is_described(
    case: "schemathesis.Case[Any]", address: str
) -> None:
    """No status, no media type, no field that the file does not know; and none of 5xx."""
    case.call_and_validate(
        base_url=address,
        headers={"Authorization": f"Bearer {ADMIN}"},
        # That a name has so many bytes, and is not blank, no schema can say.
        excluded_checks=[positive_data_acceptance],
    )

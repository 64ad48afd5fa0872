"""The loop that sends June, against a scripted server; and tokens."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import jwt
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from agent.config import LiveKitSettings
from agent.rooms import LiveKitClient, LiveKitRefused, LiveKitUnreachable, keep_dispatched
from agent.visits import Dispatch, Present

SECRET = "a secret that is long enough for a signature"
SETTINGS = LiveKitSettings(url="ws://127.0.0.1:1", api_key="key", api_secret=SecretStr(SECRET))


class ScriptedServer:
    """Does at each look what the script says, and ends the loop after it."""

    def __init__(self, *script: Callable[["ScriptedServer"], None]) -> None:
        self.script = list(script)
        self.visits: frozenset[str] = frozenset()
        self.junes: frozenset[str] = frozenset()
        self.dispatched: dict[str, Dispatch] = {}
        self.asked = 0
        self.away = False
        self.now = 0.0

    async def present(self, room: str) -> Present:
        if self.away:
            raise LiveKitUnreachable("away")
        return Present(self.visits, self.junes)

    async def dispatches(self, room: str) -> tuple[Dispatch, ...]:
        return tuple(self.dispatched.values())

    async def dispatch(self, room: str) -> str:
        self.asked += 1
        name = f"dispatch-{self.asked}"
        self.dispatched[name] = Dispatch(name, frozenset())
        return name

    async def withdraw(self, room: str, dispatch_id: str) -> None:
        del self.dispatched[dispatch_id]

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        if not self.script:
            raise asyncio.CancelledError
        self.script.pop(0)(self)

    async def run(self) -> None:
        with pytest.raises(asyncio.CancelledError):
            await keep_dispatched(self, "room", sleep=self.sleep, now=lambda: self.now)


def caller_joins(server: ScriptedServer) -> None:
    server.visits = frozenset({f"visit-{server.now}"})


def caller_leaves(server: ScriptedServer) -> None:
    server.visits = frozenset()


def june_comes(server: ScriptedServer) -> None:
    server.junes = frozenset({f"june-{server.now}"})


def june_goes(server: ScriptedServer) -> None:
    server.junes = frozenset()


def server_goes(server: ScriptedServer) -> None:
    server.away = True


def server_is_back(server: ScriptedServer) -> None:
    server.away = False


def nothing(server: ScriptedServer) -> None:
    """Half a second passes."""


async def test_june_is_not_sent_before_somebody_joins() -> None:
    """An empty room costs nothing."""
    server = ScriptedServer(nothing, nothing)
    await server.run()
    assert server.asked == 0


async def test_june_is_sent_once_for_each_visit() -> None:
    """Again when the caller comes back, and the old dispatch goes."""
    server = ScriptedServer(
        caller_joins, nothing, june_comes, nothing, caller_leaves, june_goes, caller_joins, nothing
    )
    await server.run()
    assert list(server.dispatched) == ["dispatch-2"]


async def test_june_is_asked_again_when_nobody_came() -> None:
    """After ten seconds, and the lost dispatch is withdrawn first."""
    server = ScriptedServer(caller_joins, *[nothing] * 19)
    await server.run()
    assert server.asked == 1

    server = ScriptedServer(caller_joins, *[nothing] * 20)
    await server.run()
    assert list(server.dispatched) == ["dispatch-2"]


async def test_a_server_that_is_away_is_logged_once_until_it_is_back() -> None:
    """And the loop goes on."""
    server = ScriptedServer(
        server_goes, nothing, nothing, server_is_back, caller_joins, server_goes, nothing
    )
    with capture_logs() as logs:
        await server.run()
    assert [entry["event"] for entry in logs] == [
        "dispatch.failed",
        "dispatch.works",
        "june.dispatched",
        "dispatch.failed",
    ]


def test_a_callers_token_has_the_least_rights() -> None:
    """One room; to speak, type and listen; not to change what others see of them."""
    client = LiveKitClient(SETTINGS, agent_name="june")
    token = client.caller_token("room", "bob", "Bob", join_within=timedelta(minutes=10))
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    assert (claims["sub"], claims["name"]) == ("bob", "Bob")
    assert claims["exp"] - claims["nbf"] == 600
    assert claims["video"] == {
        "roomJoin": True,
        "room": "room",
        "canPublish": True,
        "canPublishSources": ["microphone"],
        "canPublishData": True,
        "canSubscribe": True,
        "canUpdateOwnMetadata": False,
    }


def test_a_missing_key_is_said_with_its_name() -> None:
    """Before anything is asked."""
    with pytest.raises(LiveKitRefused, match="`LIVEKIT_API_KEY` is not set\nhint: "):
        LiveKitClient(LiveKitSettings(url="ws://127.0.0.1:1"), agent_name="june")


async def test_a_server_that_cannot_be_reached_is_said_with_its_address() -> None:
    """With what to try; the secret is not shown."""
    async with LiveKitClient(SETTINGS, agent_name="june") as client:
        with pytest.raises(LiveKitUnreachable) as raised:
            await client.check()
    first, *_, hint = str(raised.value).splitlines()
    assert first.startswith("no LiveKit server answers at `ws://127.0.0.1:1`: ")
    assert hint.startswith("hint: run `curl http://127.0.0.1:1`")
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("url", ["localhost", "", "ws://", "http://[::1", "redis://there:1"])
def test_what_is_no_address_is_said_at_once(url: str) -> None:
    """Before anything is asked."""
    settings = SETTINGS.model_copy(update={"url": url})
    with pytest.raises(LiveKitUnreachable, match="`LIVEKIT_URL` is not the address") as raised:
        LiveKitClient(settings, agent_name="june")
    assert f"(got `{url}`)\nhint: run `export LIVEKIT_URL=" in str(raised.value)

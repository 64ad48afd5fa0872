"""Tokens, and what is said when a LiveKit server cannot be used."""

from datetime import timedelta

import jwt
import pytest
from pydantic import SecretStr

from agent.config import LiveKitSettings
from agent.rooms import LiveKitClient, LiveKitRefused, LiveKitUnreachable

SECRET = "a secret that is long enough for a signature"
SETTINGS = LiveKitSettings(url="ws://127.0.0.1:1", api_key="key", api_secret=SecretStr(SECRET))


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

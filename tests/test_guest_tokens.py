"""Guest tokens: what the memory hands out is LiveKit's, for one room and a short time."""

from pathlib import Path

import jwt
from pydantic import SecretStr

from agent.config import LiveKitSettings
from agent.guest_tokens import LiveKitGuestTokens
from agent.rooms import LiveKitClient
from session import SessionConfig, open_sessions

SECRET = "a secret that is long enough for a signature"


async def test_a_guest_may_join_one_room() -> None:
    """Within ten minutes, under the name given; `test_rooms` has the rights of such a token."""
    settings = LiveKitSettings(url="ws://127.0.0.1:1", api_key="key", api_secret=SecretStr(SECRET))
    tokens = LiveKitGuestTokens(LiveKitClient(settings, agent_name="june"))
    config = SessionConfig(Path("unused"), "memory:")
    async with open_sessions(config, guest_tokens=tokens) as sessions:
        token = sessions.generate_guest_token("room", "ann")
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    assert (claims["sub"], claims["video"]["room"]) == ("ann", "room")
    assert claims["exp"] - claims["nbf"] == 600

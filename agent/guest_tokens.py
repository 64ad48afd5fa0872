"""LiveKit's tokens for callers, for the memory that hands them out."""

from datetime import timedelta

from agent.rooms import LiveKitClient

TO_JOIN = timedelta(minutes=10)


class LiveKitGuestTokens:
    """Lives as long as its client."""

    def __init__(self, client: LiveKitClient) -> None:
        self._client = client

    def mint(self, room_name: str, identity: str) -> str:
        """For one room, to speak, type and listen; to be used within ten minutes."""
        return self._client.caller_token(room_name, identity, join_within=TO_JOIN)

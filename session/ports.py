"""What the memory needs of the world and does not know itself; `agent/` brings it."""

from typing import Protocol


class GuestTokens(Protocol):
    """Tokens for callers. LiveKit mints them."""

    def mint(self, room_name: str, identity: str) -> str:
        """For one room, to speak, type and listen; short-lived."""
        ...

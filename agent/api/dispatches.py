"""June is sent into a room once, however many ask for her at the same time."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from weakref import WeakValueDictionary

from agent.api.errors import AGAIN_IN_SECONDS, LIVEKIT_IS_AWAY
from agent.api.parts import Rooms
from agent.api.problems import Problem

DISPATCH_SECONDS = 8.0
"""One dispatch is several requests to LiveKit, and each has a deadline of its own."""


class Dispatches:
    """Lives as long as the app. One request after the other, so that each sees those before it.

    What another worker sends at the same moment nobody sees; then the room's lease decides.
    """

    def __init__(self, rooms: Rooms, *, patience_seconds: float = DISPATCH_SECONDS) -> None:
        self._rooms = rooms
        self._patience_seconds = patience_seconds
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By room; each lasts as long as somebody has it or waits for it."""

    async def send(self, room: str, metadata: Mapping[str, Any]) -> None:
        """Raises `LiveKitError`, and `Problem` where it takes too long."""
        turn = self._turns.setdefault(room, asyncio.Lock())
        try:
            async with asyncio.timeout(self._patience_seconds), turn:
                await self._rooms.dispatch(room, metadata)
        except TimeoutError:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"the LiveKit server took more than {self._patience_seconds:g} s to send June",
                reason=LIVEKIT_IS_AWAY,
                retry_after_seconds=AGAIN_IN_SECONDS,
            ) from None

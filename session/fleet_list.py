"""A list that all machines share: records under random names, in sixteen parts.

It lies among what skills keep, under the list's own name instead of a user's hash: no user has it,
so nobody is forgotten with it.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import structlog
from pydantic import ValidationError

from session.errors import MemoryFull
from session.memories import UserMemory
from session.records import Record
from session.store.protocol import Memories

log = structlog.get_logger(__name__)

R = TypeVar("R", bound=Record)

PARTS = "0123456789abcdef"
"""By the last digit of what a record is under."""


class FleetList(Generic[R]):
    """Holds nothing itself. Every method may raise `StoreError`."""

    def __init__(
        self, memories: Memories, name: str, record: type[R], now: Callable[[], float]
    ) -> None:
        self._memories = memories
        self._name = name
        self._record = record
        self._now = now

    async def put(self, key: str, record: R) -> None:
        """Instead of the one under this key. Raises `MemoryFull` for a new one without room."""
        await self._part(key[-1:]).put(key, record.model_dump_json())

    async def put_if_room(self, key: str, record: R, *, at_most: int) -> bool:
        """Unless its part has so many others already."""
        if await self.beside(key) >= at_most:
            return False
        try:
            await self.put(key, record)
        except MemoryFull:
            return False
        return True

    async def beside(self, key: str) -> int:
        """How many there are in the part of this key."""
        return len(await self._part(key[-1:]).all())

    async def get(self, key: str) -> R | None:
        text = (await self._part(key[-1:]).all()).get(key)
        return None if text is None else self._read(text)

    async def take(self, key: str) -> None:
        """Delete it."""
        await self._part(key[-1:]).take(key)

    async def all(self) -> dict[str, R]:
        """What can be read of it."""
        found = {}
        for part in PARTS:
            for key, text in (await self._part(part).all()).items():
                record = self._read(text)
                if record is not None:
                    found[key] = record
        return found

    def _part(self, digit: str) -> UserMemory:
        return UserMemory(self._memories, self._name, digit, self._now)

    def _read(self, text: str) -> R | None:
        try:
            return self._record.model_validate_json(text)
        except ValidationError:
            log.error("voice.entry_unreadable", list=self._name)  # by a newer June, or damaged
            return None

"""What one skill keeps of one user: texts by key, until they are deleted or a year old."""

from collections.abc import Callable, Mapping

from session.errors import MemoryFull, TextTooLong
from session.storable import storable
from session.store.protocol import Memories

LONGEST_TEXT_CHARACTERS = 4_000

LONGEST_NAME_CHARACTERS = 100
"""Of a skill and of a key."""


class UserMemory:
    """Holds nothing itself. Every method may raise `StoreError`."""

    def __init__(self, memories: Memories, user: str, skill: str, now: Callable[[], float]) -> None:
        """`user` is a keyed hash; `now` is in Unix seconds."""
        self._memories = memories
        self._user = user
        self._skill = storable(skill)
        self._now = now

    async def put(self, key: str, text: str) -> None:
        """Keep it instead of the one under this key.

        Raises:
            MemoryFull: if the key is new and there are `MOST_KEYS` others.
            TextTooLong: if it, the key or the skill's name is.
        """
        _check("text", text, LONGEST_TEXT_CHARACTERS)
        _check("key", key, LONGEST_NAME_CHARACTERS)
        _check("skill's name", self._skill, LONGEST_NAME_CHARACTERS)
        is_kept = await self._memories.put(
            self._user, self._skill, storable(key), storable(text), now=self._now()
        )
        if not is_kept:
            raise MemoryFull

    async def all(self) -> Mapping[str, str]:
        """In the order of the keys."""
        return await self._memories.all(self._user, self._skill)

    async def take(self, key: str) -> str | None:
        """Delete it; of several who try at once one gets it."""
        return await self._memories.take(self._user, self._skill, storable(key))


def _check(what: str, text: str, most_characters: int) -> None:
    if len(text) > most_characters:
        raise TextTooLong(what, most_characters)

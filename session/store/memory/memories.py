"""What skills keep of users, in this process's memory."""

from collections.abc import Mapping
from dataclasses import dataclass

from session.store.retention import MEMORY_SECONDS, MOST_KEYS


@dataclass(frozen=True)
class _Kept:
    text: str
    written_at: float


class MemoryMemories:
    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], dict[str, _Kept]] = {}
        """By user and skill: what is under each key."""

    async def put(self, user: str, skill: str, key: str, text: str, *, now: float) -> bool:
        theirs = self._kept.setdefault((user, skill), {})
        if key not in theirs and len(theirs) >= MOST_KEYS:
            return False
        theirs[key] = _Kept(text, now)
        return True

    async def all(self, user: str, skill: str) -> Mapping[str, str]:
        theirs = self._kept.get((user, skill), {})
        return {key: theirs[key].text for key in sorted(theirs)}

    async def take(self, user: str, skill: str, key: str) -> str | None:
        taken = self._kept.get((user, skill), {}).pop(key, None)
        return None if taken is None else taken.text

    def forget(self, user: str) -> int:
        """How many texts there were."""
        theirs = [place for place in self._kept if place[0] == user]
        return sum(len(self._kept.pop(place)) for place in theirs)

    def purge(self, now: float) -> None:
        for place, theirs in list(self._kept.items()):
            young = {
                key: one for key, one in theirs.items() if one.written_at >= now - MEMORY_SECONDS
            }
            self._kept[place] = young
            if not young:
                del self._kept[place]

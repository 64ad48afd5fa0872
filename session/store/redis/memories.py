"""What skills keep of users, in Redis."""

from collections.abc import Mapping

from session.store.redis.client import RedisClient, Value
from session.store.redis.keys import key_of
from session.store.redis.scripts import script
from session.store.retention import MOST_KEYS

_OF_SKILL = script("memories_of_skill", "memories")
_PUT = script("put_memory", "memories")
_TAKE = script("take_memory", "memories")


class RedisMemories:
    """What has not been written for long Redis itself removes, by its own clock."""

    def __init__(self, db: RedisClient) -> None:
        self._db = db

    async def put(self, user: str, skill: str, key: str, text: str, *, now: float) -> bool:
        arguments: list[Value] = [user, skill, key, text, MOST_KEYS]
        return bool(await self._db.run(_PUT, [key_of("memories", user)], arguments))

    async def all(self, user: str, skill: str) -> Mapping[str, str]:
        found = await self._db.run(_OF_SKILL, [key_of("memories", user)], [user, skill])
        return dict(zip(found[::2], found[1::2], strict=True))

    async def take(self, user: str, skill: str, key: str) -> str | None:
        taken: str | None = await self._db.run(
            _TAKE, [key_of("memories", user)], [user, skill, key]
        )
        return taken

"""Conversations in Redis."""

from session.errors import UnknownSession
from session.money import session_account
from session.percentiles import NEWEST
from session.records import (
    Channel,
    CloseReason,
    Message,
    Removed,
    Session,
    SessionStats,
    SkillSession,
    TurnMetrics,
)
from session.store.redis.client import RedisClient
from session.store.redis.figures import stats
from session.store.redis.keys import LATELY, LEASES, REPLIES, SESSIONS, key_of
from session.store.redis.opening import open_session
from session.store.redis.records import read, session_of, sessions_of, time_text
from session.store.redis.scripts import script
from session.store.redis.version import notice_if_emptied
from session.store.retention import MOST_LATELY

AT_ONCE = 50
"""Sessions that one script purges: everybody waits meanwhile."""

_APPEND = script("append_message", "sessions")
_CLOSE = script("close_session", "sessions")
_COLLECT_ROOMS = script("collect_rooms", "leases")
_COMMIT = script("commit_turn", "sessions")
_DELETE = script("delete_session", "sessions", "forgetting")
_FORGET = script("forget_user", "sessions", "forgetting", "memories")
_IN_INDEX = script("sessions_in")
_MEASURE = script("measure_turn", "sessions")
_MEASURED_SINCE = script("measured_since")
_OF_ROOM = script("session_of_room")
_PURGE = script("purge_sessions", "sessions", "forgetting")
_RECENT = script("recent_messages")
_SAVE_SKILL = script("save_skill", "sessions")
_SUMMARISE = script("summarise_session", "sessions")
_TOUCH = script("touch_session", "sessions")

_ACCOUNT = key_of("account", session_account(""))
"""What the key of a session's account begins with."""

UNKNOWN = -1


class RedisSessions:
    def __init__(self, db: RedisClient) -> None:
        self._db = db

    async def open(
        self, room: str, user: str, *, channel: Channel, language: str, now: float
    ) -> Session:
        return await open_session(self._db, room, user, channel=channel, language=language, now=now)

    async def get(self, session_id: str) -> Session | None:
        fields = await self._db.ask("HGETALL", key_of("session", session_id))
        return session_of([text for field in fields.items() for text in field])

    async def by_room(self, room: str) -> Session | None:
        return session_of(await self._db.run(_OF_ROOM, [key_of("room", room)]) or ())

    async def of_user(self, user: str) -> tuple[Session, ...]:
        return await self._indexed(key_of("user", user), "ZREVRANGE", 0, -1)

    async def page(self, limit: int, *, skip: int = 0) -> tuple[Session, ...]:
        if limit <= 0:
            return ()
        return await self._indexed(SESSIONS, "ZRANGE", skip, skip + limit - 1)

    async def _indexed(self, index: str, order: str, first: int, last: int) -> tuple[Session, ...]:
        return sessions_of(await self._db.run(_IN_INDEX, [index], [order, first, last]))

    async def touch(self, session_id: str, *, now: float) -> None:
        keys = [key_of("session", session_id)]
        if not await self._db.run(_TOUCH, keys, [session_id, time_text(now)]):
            await notice_if_emptied(self._db)

    async def close(
        self, session_id: str, reason: CloseReason, *, now: float, resumes: int | None = None
    ) -> bool:
        keys = [key_of("session", session_id)]
        expected = "" if resumes is None else resumes
        closing = [session_id, reason, time_text(now), expected]
        return bool(await self._db.run(_CLOSE, keys, closing))

    async def append(self, message: Message, *, now: float) -> bool:
        session_id = message.session_id
        answer = await self._db.run(
            _APPEND,
            [key_of(kind, session_id) for kind in ("session", "messages", "message_ids")],
            [session_id, message.id, message.model_dump_json(), time_text(now)],
        )
        if answer == UNKNOWN:
            await notice_if_emptied(self._db)
            raise UnknownSession(session_id)
        return bool(answer)

    async def messages(self, session_id: str) -> tuple[Message, ...]:
        return read(Message, await self._db.ask("LRANGE", key_of("messages", session_id), 0, -1))

    async def recent(self, user: str, limit: int) -> tuple[Message, ...]:
        if limit <= 0:
            return ()
        return read(Message, await self._db.run(_RECENT, [key_of("said", user)], [limit]))

    async def summarise(self, session_id: str, summary: str, summarised: int) -> None:
        keys = [key_of("session", session_id)]
        await self._db.run(_SUMMARISE, keys, [session_id, summary, summarised])

    async def save_skill(self, session_id: str, skill: SkillSession | None) -> None:
        kept = "" if skill is None else skill.model_dump_json()
        await self._db.run(_SAVE_SKILL, [key_of("session", session_id)], [session_id, kept])

    async def commit_turn(self, session_id: str, turn: int) -> bool:
        answer = await self._db.run(_COMMIT, [key_of("turns", session_id)], [session_id, turn])
        if answer == UNKNOWN:
            await notice_if_emptied(self._db)
        return bool(answer == 1)

    async def measure(self, session_id: str, metrics: TurnMetrics) -> None:
        seconds = metrics.reply_seconds
        reply = "" if seconds is None else f"{session_id} {metrics.turn} {time_text(seconds)}"
        await self._db.run(
            _MEASURE,
            [key_of("measured", session_id), key_of("timed", session_id), REPLIES, LATELY],
            [
                session_id,
                metrics.turn,
                metrics.model_dump_json(),
                time_text(metrics.at),
                reply,
                NEWEST,
                MOST_LATELY,
            ],
        )

    async def measured(self, session_id: str) -> tuple[TurnMetrics, ...]:
        kept = await self._db.ask("HVALS", key_of("measured", session_id))
        return tuple(sorted(read(TurnMetrics, kept), key=lambda one: one.turn))

    async def measured_since(self, at: float, limit: int) -> tuple[TurnMetrics, ...]:
        most = max(0, min(limit, MOST_LATELY))
        found = await self._db.run(_MEASURED_SINCE, [LATELY], [time_text(at), most])
        return read(TurnMetrics, found)

    async def delete(self, session_id: str) -> Removed:
        keys = [key_of("session", session_id)]
        return _removed(*await self._db.run(_DELETE, keys, [_ACCOUNT, session_id]))

    async def forget(self, user: str) -> Removed:
        return _removed(*await self._db.run(_FORGET, [key_of("user", user)], [_ACCOUNT, user]))

    async def purge(self, *, seen_before: float, now: float) -> Removed:
        """What else has run out Redis itself removes."""
        await self._db.run(_COLLECT_ROOMS, [LEASES])
        removed = Removed()
        above = time_text(-seen_before)
        while True:
            *some, looked_at = await self._db.run(_PURGE, [SESSIONS], [_ACCOUNT, above, AT_ONCE])
            removed += _removed(*some)
            if looked_at < AT_ONCE:
                return removed

    async def stats(self) -> SessionStats:
        return await stats(self._db, self.page)


def _removed(sessions: int, messages: int, turns: int, answers: int, memories: int) -> Removed:
    return Removed(
        sessions=sessions, messages=messages, turns=turns, answers=answers, memories=memories
    )

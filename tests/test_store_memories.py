"""What skills keep of users: in every store, and through the SessionService."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from test_store import NOW, begin, said
from test_store_locks import check_unlocked, locked, patient

from agent.sessions_text import receipt
from bench.redis_server import RedisServer
from session import (
    MemoryFull,
    Removed,
    SessionConfig,
    SessionService,
    TextTooLong,
    open_sessions,
)
from session.errors import StoreUnusable
from session.memories import LONGEST_NAME_CHARACTERS, LONGEST_TEXT_CHARACTERS
from session.store import Store
from session.store.redis.keys import VERSION
from session.store.redis.store import RedisStore
from session.store.redis.version import KNOWN
from session.store.retention import MEMORY_SECONDS, MOST_KEYS

DAY = 86_400.0


async def keep(store: Store, *keys: str, user: str = "ann", skill: str = "notes") -> None:
    for key in keys:
        assert await store.memories.put(user, skill, key, f"text of {key}", now=NOW)


async def fill(store: Store) -> None:
    await keep(store, *(str(number) for number in range(MOST_KEYS)))


# What every store promises.


async def test_texts_come_back_exactly_in_the_order_of_their_keys(store: Store) -> None:
    """Any text may be kept, under any key."""
    texts = {
        "": "",
        "1": 'quotes " and \n lines',
        "10": "-- ' ; DROP TABLE memories",
        "2": " spaces ",
        "Z": "\N{SNOWMAN}",
        "a": "\x01 \r",
        "a:b": "\N{GRINNING FACE}" * LONGEST_TEXT_CHARACTERS,
        "\N{LATIN SMALL LETTER E WITH ACUTE}": "nan",
        "\uffff": "null",
        "\N{GRINNING FACE}": "0",
    }
    for key in reversed(texts):
        assert await store.memories.put("ann", "notes", key, texts[key], now=NOW)
    kept = await store.memories.all("ann", "notes")
    assert list(kept.items()) == list(texts.items())
    for key, text in texts.items():
        assert await store.memories.take("ann", "notes", key) == text
    assert await store.memories.all("ann", "notes") == {}


async def test_a_key_has_the_text_that_was_written_last(store: Store) -> None:
    """Also if the clock was set back."""
    for now, text in ((NOW, "first"), (NOW + 1, "second"), (NOW - DAY, "third")):
        assert await store.memories.put("ann", "notes", "1", text, now=now)
    assert await store.memories.all("ann", "notes") == {"1": "third"}


async def test_users_and_skills_are_apart(store: Store) -> None:
    """Whatever they are called."""
    places = [
        (user, skill, key)
        for user in ("ann", "ann2")
        for skill in ("a", "a b", "a:b", "a\x01", "ab", "A", "a*", "")
        for key in ("c", "b:c", "b c", "\x01c")
    ]
    for user, skill, key in places:
        await store.memories.put(user, skill, key, f"{user}|{skill}|{key}", now=NOW)
    for user, skill, _ in places:
        kept = await store.memories.all(user, skill)
        assert kept == {key: f"{user}|{skill}|{key}" for key in ("c", "b:c", "b c", "\x01c")}
    for user, skill, key in places:
        assert await store.memories.take(user, skill, key) == f"{user}|{skill}|{key}"


async def test_of_what_is_not_there_nothing_is_taken(store: Store) -> None:
    """Nor is there anything to read."""
    assert await store.memories.take("ann", "notes", "1") is None
    await keep(store, "1")
    assert await store.memories.take("ann", "notes", "2") is None
    assert await store.memories.take("ann", "timers", "1") is None
    assert await store.memories.take("bob", "notes", "1") is None
    assert await store.memories.all("bob", "notes") == {}
    assert await store.memories.take("ann", "notes", "1") == "text of 1"
    assert await store.memories.take("ann", "notes", "1") is None


async def test_one_of_many_takes_it(store: Store) -> None:
    """A timer rings once."""
    await keep(store, "1")
    taken = await asyncio.gather(*(store.memories.take("ann", "notes", "1") for _ in range(20)))
    assert sorted(taken, key=str) == [None] * 19 + ["text of 1"]


async def test_a_skill_keeps_so_many_texts_of_a_user(store: Store) -> None:
    """One that is there may be written anew, and in the place of one that was taken another."""
    await fill(store)
    assert not await store.memories.put("ann", "notes", "one more", "x", now=NOW)
    assert await store.memories.put("ann", "notes", "7", "anew", now=NOW)
    assert len(await store.memories.all("ann", "notes")) == MOST_KEYS
    await keep(store, "1", skill="notes2")
    await keep(store, "1", user="bob")
    await store.memories.take("ann", "notes", "7")
    assert await store.memories.put("ann", "notes", "one more", "x", now=NOW)
    assert not await store.memories.put("ann", "notes", "7", "x", now=NOW)


async def test_all_puts_at_once_keep_as_many_as_may_be(store: Store) -> None:
    """Those of one call, too."""
    kept = await asyncio.gather(
        *(store.memories.put("ann", "notes", str(n), "x", now=NOW) for n in range(MOST_KEYS + 50))
    )
    assert sum(kept) == len(await store.memories.all("ann", "notes")) == MOST_KEYS


async def test_a_user_is_forgotten_with_what_skills_keep(store: Store) -> None:
    """Of every skill, also without a session, and of nobody else."""
    await keep(store, "1", "2")
    await keep(store, "1", skill="timers")
    await keep(store, "1", user="bob")
    session = await begin(store)
    await store.sessions.append(said(session, "1"), now=NOW)
    assert await store.sessions.forget("ann") == Removed(sessions=1, messages=1, memories=3)
    for skill in ("notes", "timers"):
        assert await store.memories.all("ann", skill) == {}
    assert await store.sessions.forget("ann") == Removed()
    assert await store.memories.all("bob", "notes") == {"1": "text of 1"}
    assert await store.sessions.forget("bob") == Removed(memories=1)
    await fill(store)  # nothing of it counts any more


async def test_what_skills_keep_outlives_sessions(store: Store) -> None:
    """Those that are deleted, and those that have shown no life for a day."""
    await keep(store, "1")
    assert await store.sessions.delete((await begin(store)).session_id) == Removed(sessions=1)
    await begin(store)
    later = NOW + 300 * DAY
    removed = await store.sessions.purge(seen_before=later - DAY, now=later)
    assert removed == Removed(sessions=1)
    assert await store.memories.all("ann", "notes") == {"1": "text of 1"}


# Cancelled tasks.


@pytest.mark.parametrize("delay", [0.0, 0.0001, 0.0003, 0.001])
async def test_who_is_cancelled_leaves_it_done_or_not_done(store: Store, delay: float) -> None:
    """The next one does what there is to do."""
    await keep(store, "1")
    for work in (
        store.memories.put("ann", "notes", "2", "new", now=NOW),
        store.memories.take("ann", "notes", "1"),
        store.memories.all("ann", "notes"),
    ):
        task: asyncio.Task[object] = asyncio.create_task(work)
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.wait([task])
    kept = await store.memories.all("ann", "notes")
    assert kept.items() <= {"1": "text of 1", "2": "new"}.items()
    assert await store.memories.take("ann", "notes", "1") == kept.get("1")
    assert await store.memories.put("ann", "notes", "2", "newer", now=NOW)
    assert await store.memories.all("ann", "notes") == {"2": "newer"}


async def test_who_is_cancelled_at_a_locked_file_leaves_no_lock(tmp_path: Path) -> None:
    """And nothing half."""
    path = tmp_path / "june.db"
    store = await patient(path, busy_seconds=10)
    await keep(store, "1")
    with locked(path):
        waiting: list[asyncio.Task[object]] = [
            asyncio.create_task(store.memories.put("ann", "notes", "2", "new", now=NOW)),
            asyncio.create_task(store.memories.take("ann", "notes", "1")),
        ]
        await asyncio.sleep(0.05)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
    assert all(task.cancelled() for task in waiting)
    assert (await store.memories.all("ann", "notes"))["1"] == "text of 1"
    check_unlocked(path)
    await store.aclose()


# Redis, which removes by itself what is old.


@pytest.fixture
async def in_redis(redis: RedisServer) -> AsyncIterator[RedisStore]:
    redis.ask(b"FLUSHALL")
    store = await RedisStore.open(redis.url)
    yield store
    await store.aclose()


async def ttls(store: RedisStore) -> dict[str, int]:
    """The seconds that each key has left."""
    keys = await store.db.ask("KEYS", "{june}:memor*")
    return {key: await store.db.ask("TTL", key) for key in keys}


def place_of(key: str) -> str:
    return f"{{june}}:memory:ann:notes\0{key}"


async def test_redis_keeps_a_text_for_a_year_after_it_was_written(in_redis: RedisStore) -> None:
    """Reading it, and what is written beside it, does not count."""
    await keep(in_redis, "1", "2")
    kept = await ttls(in_redis)
    assert kept.keys() == {place_of("1"), place_of("2"), "{june}:memories:ann"}
    assert list(kept.values()) == pytest.approx([MEMORY_SECONDS] * 3, abs=60)
    for key in kept:
        await in_redis.db.ask("EXPIRE", key, 100)
    await in_redis.memories.all("ann", "notes")
    assert max((await ttls(in_redis)).values()) <= 100
    await keep(in_redis, "2")
    left = await ttls(in_redis)
    assert left[place_of("1")] <= 100
    del left[place_of("1")]
    assert list(left.values()) == pytest.approx([MEMORY_SECONDS] * 2, abs=60)


async def test_what_redis_removed_is_gone(in_redis: RedisStore) -> None:
    """It is not read, takes no room, is not counted when its user is forgotten, and has no name."""
    await fill(in_redis)
    for key in ("1", "2", "3"):
        await in_redis.db.ask("DEL", place_of(key))
    kept = await in_redis.memories.all("ann", "notes")
    assert len(kept) == MOST_KEYS - 3
    assert "1" not in kept
    assert await in_redis.memories.take("ann", "notes", "1") is None
    await keep(in_redis, "a", "b", "3")
    assert not await in_redis.memories.put("ann", "notes", "c", "x", now=NOW)
    names = await in_redis.db.ask("ZRANGE", "{june}:memories:ann", 0, -1)
    assert "notes\0002" not in names
    assert await in_redis.sessions.forget("ann") == Removed(memories=MOST_KEYS)
    assert await ttls(in_redis) == {}


async def test_nothing_of_what_was_taken_is_left_in_redis(in_redis: RedisStore) -> None:
    """Not even its key."""
    await keep(in_redis, "1")
    await in_redis.memories.take("ann", "notes", "1")
    assert await ttls(in_redis) == {}


async def test_an_older_june_does_not_open_a_redis_that_this_one_has_used(
    in_redis: RedisStore, redis: RedisServer
) -> None:
    """It would not forget what skills keep: the version is raised to this June's, never lowered."""
    await in_redis.db.ask("SET", VERSION, "1")
    await (await RedisStore.open(redis.url)).aclose()
    assert await in_redis.db.ask("GET", VERSION) == str(KNOWN)
    await in_redis.db.ask("SET", VERSION, str(KNOWN + 1))
    with pytest.raises(StoreUnusable, match="written by a newer June"):
        await RedisStore.open(redis.url)
    assert await in_redis.db.ask("GET", VERSION) == str(KNOWN + 1)


# Through the SessionService.


@pytest.fixture
async def sessions(tmp_path: Path) -> AsyncIterator[SessionService]:
    async with open_sessions(SessionConfig(tmp_path / "june"), now=lambda: NOW) as opened:
        yield opened


async def test_a_user_has_the_same_memory_in_every_session(sessions: SessionService) -> None:
    """And each skill its own."""
    first = await sessions.get_or_create_for_room("a", "Ann")
    second = await sessions.get_or_create_for_room("b", "Ann")
    stranger = await sessions.get_or_create_for_room("a", "Bob")
    await sessions.memory_of(first, "notes").put("1", "milk")
    await sessions.delete_session(first.session_id)
    assert await sessions.memory_of(second, "notes").all() == {"1": "milk"}
    assert await sessions.memory_of(second, "timers").all() == {}
    assert await sessions.memory_of(stranger, "notes").all() == {}
    assert await sessions.memory_of(second, "notes").take("1") == "milk"
    assert await sessions.memory_of(second, "notes").all() == {}


async def test_what_a_skill_keeps_is_made_storable(sessions: SessionService) -> None:
    """Its name and keys, too; and it is found under the same ones again."""
    session = await sessions.get_or_create_for_room("room", "Ann")
    memory = sessions.memory_of(session, "no\0tes\ud800")
    await memory.put("k\0\ud800", "milk\0 \udfff")
    assert await memory.all() == {"k\ufffd?": "milk\ufffd ?"}
    assert await memory.take("k\0\ud800") == "milk\ufffd ?"


async def test_the_longest_text_is_kept_and_a_longer_one_is_not(sessions: SessionService) -> None:
    """The refusal shows nothing of it, and what was there stays."""
    session = await sessions.get_or_create_for_room("room", "Ann")
    memory = sessions.memory_of(session, "s" * LONGEST_NAME_CHARACTERS)
    key, longest = "k" * LONGEST_NAME_CHARACTERS, "\N{GRINNING FACE}" * LONGEST_TEXT_CHARACTERS
    await memory.put(key, longest)
    with pytest.raises(TextTooLong, match=r"^the text has more than 4,000 characters$"):
        await memory.put(key, f"{longest}!")
    with pytest.raises(TextTooLong, match=r"^the key has more than 100 characters$"):
        await memory.put(f"{key}!", "x")
    with pytest.raises(TextTooLong, match=r"^the skill's name has more than 100 characters$"):
        await sessions.memory_of(session, "s" * (LONGEST_NAME_CHARACTERS + 1)).put("k", "x")
    assert await memory.all() == {key: longest}
    assert await memory.take(f"{key}!") is None


async def test_a_full_memory_is_said_to_be_full(sessions: SessionService) -> None:
    """Until something is deleted."""
    session = await sessions.get_or_create_for_room("room", "Ann")
    memory = sessions.memory_of(session, "notes")
    for number in range(MOST_KEYS):
        await memory.put(str(number), "x")
    with pytest.raises(MemoryFull):
        await memory.put("one more", "x")
    await memory.put("1", "anew")
    await memory.take("1")
    await memory.put("one more", "x")


async def test_a_year_without_writing_ends_it(tmp_path: Path) -> None:
    """At a clean-up, and not at that of a day."""
    now = NOW
    async with open_sessions(SessionConfig(tmp_path / "june"), now=lambda: now) as sessions:
        memory = sessions.memory_of(await sessions.get_or_create_for_room("room", "Ann"), "notes")
        await memory.put("1", "milk")
        now += 30 * DAY
        assert await sessions.cleanup_expired_sessions() == Removed(sessions=1)
        assert await memory.all() == {"1": "milk"}
        now += 336 * DAY
        assert await sessions.cleanup_expired_sessions() == Removed()
        assert await memory.all() == {}


async def test_nothing_of_whom_june_forgot_is_in_her_files(tmp_path: Path) -> None:
    """Nor what their notes were called; the receipt counts them, though no session was left."""
    folder = tmp_path / "june"
    async with open_sessions(SessionConfig(folder), now=lambda: NOW) as sessions:
        session = await sessions.get_or_create_for_room("room", "Ann")
        await sessions.memory_of(session, "notes").put("shopping", "oat milk")
        await sessions.delete_session(session.session_id)
        removed = await sessions.forget_user("Ann")
        in_files = b"".join(path.read_bytes() for path in folder.iterdir())
    assert removed == Removed(memories=1)
    assert b"oat milk" not in in_files
    assert b"shopping" not in in_files
    text = receipt("Ann", removed, still_open=0, store="memory:", set_aside=(), at=NOW)
    assert text.startswith("June forgot `Ann`")
    assert "\n  kept by skills  1\n" in text

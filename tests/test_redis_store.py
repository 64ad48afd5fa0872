"""What is particular to the Redis store; what every store promises is tested for all of them."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
from structlog.testing import capture_logs
from test_store import NOW, begin, said

from bench.redis_server import RedisServer
from session.errors import UnknownSession
from session.leases import Lease
from session.limits import Ask, BlockRule, Budget, Window
from session.money import Breaker, Charge, Reservation
from session.records import CloseReason, Session, SkillSession, TurnMetrics
from session.store import Store
from session.store.memory.store import MemoryStore
from session.store.redis import sessions as redis_sessions
from session.store.redis.client import AT_ONCE
from session.store.redis.clock import RedisClock
from session.store.redis.store import RedisStore

ASK = Ask(
    "tag",
    (Window("turns", 1, 60.0, "minute"), Window("turns", 5, 3600.0, "hour")),
    BlockRule("block", refusals=2),
    (Budget("day", "out_of_budget", micros=1000, ends_at=NOW + 500, trips_breaker=True),),
)

EIGHT_DAYS = 8 * 86_400

READ_ALL: dict[str, tuple[str | int, ...]] = {
    "string": ("GET",),
    "hash": ("HGETALL",),
    "list": ("LRANGE", 0, -1),
    "set": ("SMEMBERS",),
    "zset": ("ZRANGE", 0, -1),
}


@pytest.fixture
async def opened(redis: RedisServer) -> AsyncIterator[RedisStore]:
    """A store in an empty server."""
    redis.ask(b"FLUSHALL")
    redis.ask(b"SCRIPT", b"FLUSH")
    store = await RedisStore.open(redis.url)
    yield store
    await store.aclose()


async def use_everything(store: RedisStore) -> Session:
    """Every kind of key is there afterwards."""
    session = await begin(store)
    await store.sessions.append(said(session, "1"), now=NOW)
    await store.sessions.commit_turn(session.session_id, 1)
    figures = TurnMetrics(turn=1, at=NOW, reply_seconds=0.5)
    await store.sessions.measure(session.session_id, figures)
    skill = SkillSession(name="s", version=1, state={}, started_at=NOW)
    await store.sessions.save_skill(session.session_id, skill)
    await store.claims.claim("c", ttl_seconds=600, now=NOW, session_id=session.session_id)
    await store.leases.claim("room", "w/j", ttl_seconds=3, now=NOW)
    for tag in "abc":
        await store.limits.admit(Ask(tag, ASK.windows, ASK.block, ASK.budgets), now=NOW)
    await store.limits.admit(Ask("d", ASK.windows, BlockRule("patient")), now=NOW)
    await store.ledger.reserve(Reservation("r", ASK.budgets, micros=9, tokens=9), now=NOW)
    await store.ledger.open_breaker(Breaker(NOW + 60, "paused"), now=NOW)
    return session


async def keys_of(store: RedisStore) -> dict[str, int]:
    """With the seconds that each has left; -1 for one that stays for ever."""
    return {key: await store.db.ask("TTL", key) for key in await store.db.ask("KEYS", "*")}


async def test_every_key_is_in_one_place_and_ends(opened: RedisStore) -> None:
    """So that a cluster holds them together, and nothing stays where no June runs any more."""
    session = await use_everything(opened)
    keys = await keys_of(opened)
    assert {key.split(":")[1] for key in keys} == {
        *("version", "created", "sessions", "session", "room", "user", "visits", "said"),
        *("messages", "message_ids", "turns", "measured", "timed", "replies", "lately"),
        *("claim", "claims_of", "lease", "leases", "fence"),
        *("hits", "refusals", "block", "account", "reservation", "reservations", "breaker"),
    }
    assert all(key.startswith("{june}:") for key in keys)
    assert {key: seconds for key, seconds in keys.items() if seconds < 3600} == {}
    for key, seconds in keys.items():
        if session.session_id in key and "claim" not in key:
            assert seconds == pytest.approx(EIGHT_DAYS, abs=60), key


async def test_a_sign_of_life_keeps_all_of_a_session(opened: RedisStore) -> None:
    """Its messages live as long as it does."""
    session = await use_everything(opened)
    for key in await keys_of(opened):
        await opened.db.ask("EXPIRE", key, 100)
    await opened.sessions.touch(session.session_id, now=NOW + 1)
    for key, seconds in (await keys_of(opened)).items():
        if session.session_id in key or key.split(":")[1] in ("room", "user", "said", "sessions"):
            assert seconds > EIGHT_DAYS - 60, key


async def test_nothing_of_a_deleted_session_is_left(opened: RedisStore) -> None:
    """Not even its name."""
    session = await use_everything(opened)
    await opened.sessions.delete(session.session_id)
    for key in await keys_of(opened):
        read = READ_ALL[await opened.db.ask("TYPE", key)]
        kept = await opened.db.ask(read[0], key, *read[1:])
        assert session.session_id not in f"{key} {kept}"


async def test_times_are_kept_to_the_last_digit(opened: RedisStore) -> None:
    """Lua by itself keeps fourteen of them."""
    now = 1_764_093_600.1234567
    session = await begin(opened, now=now)
    await opened.sessions.touch(session.session_id, now=now + 1 / 3)
    found = await opened.sessions.by_room("room")
    assert found is not None
    assert (found.created_at, found.seen_at) == (now, now + 1 / 3)
    ask = Ask("1", (Window("w", 1, 60.0, "minute"),))
    await opened.limits.admit(ask, now=now)
    refused = await opened.limits.admit(Ask("2", ask.windows), now=now + 1 / 3)
    assert refused.retry_after_seconds == now + 60.0 - (now + 1 / 3)


async def test_amounts_are_exact(opened: RedisStore) -> None:
    """To the last micro-dollar of billions."""
    budgets = (Budget("day", "out_of_budget"),)
    large = 9_007_199_254_740_991
    await opened.ledger.reserve(Reservation("1", budgets, micros=large, tokens=1), now=NOW)
    (account,) = await opened.ledger.settle("1", Charge(large, 1), now=NOW)
    assert (account.spent_micros, account.reserved_micros) == (large, 0)


async def test_a_turn_waits_for_one_round_trip_each_time(
    opened: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once Redis knows the scripts."""
    session = await begin(opened)
    waits: list[Callable[[], Awaitable[object]]] = [
        lambda: opened.limits.admit(ASK, now=NOW),
        lambda: opened.sessions.commit_turn(session.session_id, 1),
        lambda: opened.sessions.append(said(session, "1"), now=NOW),
        lambda: opened.ledger.reserve(Reservation("r", ASK.budgets, 1, 1), now=NOW),
        lambda: opened.ledger.settle("r", Charge(1, 1), now=NOW),
        lambda: begin(opened, "new room"),
    ]
    for wait in waits:
        await wait()
    asked = []
    send = opened.db._send

    async def counting(*command: str | int) -> object:
        asked.append(command[0])
        return await send(*command)

    monkeypatch.setattr(opened.db, "_send", counting)
    for wait in waits[:-1]:
        await wait()
    await begin(opened, "newer room")
    assert asked == ["EVALSHA"] * len(waits)


async def test_scripts_that_redis_forgot_are_told_again(
    opened: RedisStore, redis: RedisServer
) -> None:
    """Also amid a conversation, and nothing is done twice."""
    session = await begin(opened)
    for number in range(3):
        redis.ask(b"SCRIPT", b"FLUSH")
        assert await opened.sessions.append(said(session, str(number)), now=NOW)
    kept = await opened.sessions.get(session.session_id)
    assert kept is not None
    assert kept.message_count == 3


async def test_an_emptied_server_is_told_once_and_calls_go_on(
    opened: RedisStore, redis: RedisServer
) -> None:
    """Of two processes one says so; the room stays June's, and its next fence is higher."""
    other = await RedisStore.open(redis.url)
    session = await begin(opened)
    lease = Lease("room", "w1/j1", 41)
    assert (await opened.leases.renew(lease, ttl_seconds=3, now=NOW)).held
    redis.ask(b"FLUSHALL")
    with capture_logs() as logs:
        for store in (opened, other):
            assert (await store.leases.renew(lease, ttl_seconds=3, now=NOW)).held
            with pytest.raises(UnknownSession):
                await store.sessions.append(said(session, "1"), now=NOW)
            assert not await store.sessions.commit_turn(session.session_id, 1)
            await store.sessions.touch(session.session_id, now=NOW)
    assert [(log["event"], log["log_level"]) for log in logs] == [("store.emptied", "error")]
    assert await opened.leases.claim("room", "w2/j2", ttl_seconds=3, now=NOW + 1) is None
    taken = await opened.leases.claim("room", "w2/j2", ttl_seconds=3, now=NOW + 4)
    assert taken is not None
    assert taken.fence == 42
    assert (await begin(opened)).session_id != session.session_id
    await other.aclose()


async def test_what_is_merely_gone_is_no_emptied_server(opened: RedisStore) -> None:
    """A caller may delete what she said while she speaks."""
    deleted = await begin(opened)
    await opened.sessions.delete(deleted.session_id)
    with capture_logs() as logs:
        with pytest.raises(UnknownSession):
            await opened.sessions.append(said(deleted, "1"), now=NOW)
        assert not await opened.sessions.commit_turn("nobody", 1)
    assert logs == []


@pytest.mark.parametrize(
    ("ahead_seconds", "skew_seconds"), [(0.0, 0.0), (0.2, 0.0), (90.0, -90.0), (-90.0, 90.0)]
)
async def test_clocks_that_differ_are_noticed(
    redis: RedisServer, ahead_seconds: float, skew_seconds: float
) -> None:
    """All machines go by Redis's clock."""
    store = await RedisStore.open(redis.url, wall_clock=lambda: time.time() + ahead_seconds)
    assert store.skew_seconds == pytest.approx(skew_seconds, abs=0.1 if skew_seconds else 0.0)
    await store.aclose()


async def test_a_clock_that_is_set_while_june_runs_is_noticed(redis: RedisServer) -> None:
    """And that it is set right again."""
    ahead_seconds = 0.0
    store = await RedisStore.open(redis.url, wall_clock=lambda: time.time() + ahead_seconds)
    assert store.skew_seconds == 0.0
    for ahead_seconds in (3600.0, -3600.0):
        assert store.skew_seconds == pytest.approx(-ahead_seconds, abs=0.1)
    ahead_seconds = 0.0
    assert store.skew_seconds == 0.0
    await store.aclose()


def test_the_servers_clock_goes_on_by_itself() -> None:
    """While both clocks go on alike nothing changes; what is next to nothing is nothing."""

    def skew_seconds(*, steady: float, wall: float) -> float:
        return RedisClock(
            1_090.0, read_at=50.0, wall_clock=lambda: wall, steady_clock=lambda: steady
        ).skew_seconds()

    assert skew_seconds(steady=50.0, wall=1_000.0) == 90.0
    assert skew_seconds(steady=650.0, wall=1_600.0) == 90.0
    walls = (1_689.75, 1_689.875, 1_690.125, 1_690.25)
    assert [skew_seconds(steady=650.0, wall=wall) for wall in walls] == [0.25, 0.0, 0.0, -0.25]


async def test_a_key_of_an_account_outlives_every_reservation_in_it(opened: RedisStore) -> None:
    """Also if a shorter one comes after a long one, and is settled or runs out."""
    budgets = (Budget("day", ""),)
    ninety_thousand = Reservation("long", budgets, 1, 1, expires_seconds=90_000.0)
    assert (await opened.ledger.reserve(ninety_thousand, now=NOW)).allowed
    for name in ("settled", "left"):
        assert (await opened.ledger.reserve(Reservation(name, budgets, 1, 1), now=NOW)).allowed
    await opened.ledger.settle("settled", Charge(1, 1), now=NOW)
    await opened.ledger.accounts(["day"], now=NOW + 120)
    left = await keys_of(opened)
    assert left["{june}:reservation:long"] > 90_000 + 2 * 86_400 - 60
    assert left["{june}:account:day"] >= left["{june}:reservation:long"]


async def test_a_room_whose_lease_was_collected_has_no_name_left(opened: RedisStore) -> None:
    """After a purge; it may be a person's."""
    for room in ("Ann", "Bob"):
        assert await opened.leases.claim(room, "w/j", ttl_seconds=3, now=NOW) is not None
    await opened.db.ask("DEL", "{june}:lease:Ann")
    await opened.sessions.purge(seen_before=0, now=NOW)
    assert await opened.db.ask("SMEMBERS", "{june}:leases") in ({"Bob"}, ["Bob"])
    assert await opened.leases.ask_to_leave("w/") == 1


async def test_databases_are_apart(opened: RedisStore, redis: RedisServer) -> None:
    """One Redis may serve a June in each."""
    other = await RedisStore.open(f"{redis.url}/3")
    await begin(other)
    assert await opened.sessions.by_room("room") is None
    assert await other.sessions.by_room("room") is not None
    await other.aclose()


async def test_the_open_conversation_is_found_among_many(opened: RedisStore) -> None:
    """Of one room and user, who called all day and whose clock was set back at last."""
    first = await begin(opened, now=NOW)
    for number in range(1, 30):
        newer = await begin(opened, now=NOW + 700 * number)
        await opened.sessions.close(newer.session_id, CloseReason.GOODBYE, now=NOW + 700 * number)
    await opened.db.ask("HSET", f"{{june}}:session:{first.session_id}", "status", "open")
    assert (await begin(opened, now=NOW)).session_id == first.session_id


async def test_a_session_that_redis_collected_hides_no_other(opened: RedisStore) -> None:
    """Its id may outlive it in the index of its room."""
    first = await begin(opened, user="ann")
    gone = await begin(opened, user="bob", now=NOW + 1)
    await opened.db.ask("DEL", f"{{june}}:session:{gone.session_id}")
    assert await opened.sessions.by_room("room") == first


async def test_only_the_newest_replies_are_counted(
    opened: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their time, not by when they were measured."""
    monkeypatch.setattr(redis_sessions, "NEWEST", 3)
    session = (await begin(opened)).session_id
    for turn in (5, 1, 4, 2, 3):
        figures = TurnMetrics(turn=turn, at=NOW + turn, reply_seconds=float(turn))
        await opened.sessions.measure(session, figures)
    reply = (await opened.sessions.stats()).reply
    assert (reply.turns, reply.mean_seconds) == (3, 4.0)


async def test_only_the_newest_turns_are_found_by_their_time(
    opened: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are found by their session."""
    monkeypatch.setattr(redis_sessions, "MOST_LATELY", 3)
    session = (await begin(opened)).session_id
    for turn in (5, 1, 4, 2, 3):
        await opened.sessions.measure(session, TurnMetrics(turn=turn, at=NOW + turn))
    assert [one.turn for one in await opened.sessions.measured_since(NOW, 10)] == [5, 4, 3]
    assert len(await opened.sessions.measured(session)) == 5
    assert await opened.db.ask("ZCARD", "{june}:lately") == 3


async def test_a_cancelled_wait_loses_no_connection(opened: RedisStore) -> None:
    """Barge-in cancels at any moment, and many wait for the few connections there are."""
    session = await begin(opened)
    budgets = (Budget("a", ""), Budget("b", ""))
    for number in range(300):
        waiting = [
            asyncio.create_task(opened.sessions.append(said(session, str(number)), now=NOW)),
            asyncio.create_task(
                opened.ledger.reserve(Reservation(str(number), budgets, 7, 7), now=NOW)
            ),
            *(asyncio.create_task(opened.limits.admit(ASK, now=NOW)) for _ in range(AT_ONCE)),
        ]
        await asyncio.sleep(number % 20 / 5_000)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
    kept = await opened.sessions.get(session.session_id)
    assert kept is not None
    assert kept.message_count == len(await opened.sessions.messages(session.session_id))
    first, second = await opened.ledger.accounts(["a", "b"], now=NOW)
    assert 0 < first.reserved_micros == second.reserved_micros < 300 * 7
    pool = opened.db._redis.connection_pool
    assert not pool._in_use_connections
    assert len(pool._available_connections) <= AT_ONCE


Operation = Callable[[Store, Sequence[str]], Awaitable[object]]


def some_operation(chance: random.Random, now: float) -> Operation:
    """What is done with a store, given the ids of its sessions, oldest first."""
    room, user, turn = chance.choice("ab"), chance.choice("xy"), chance.randrange(4)
    which, ago = chance.random(), chance.choice([500.0, 2000.0])
    reason = chance.choice([CloseReason.GOODBYE, CloseReason.CRASH])
    resumes = chance.choice([None, 0, 1])
    figures = TurnMetrics(turn=turn, at=now, reply_seconds=chance.choice([None, now / 7]))

    def one(ids: Sequence[str]) -> str:
        return ids[int(which * len(ids))] if ids else "nobody"

    async def append(store: Store, ids: Sequence[str]) -> object:
        words = said(await begin(MemoryStore()), str(turn)).model_copy(
            update={"session_id": one(ids)}
        )
        try:
            return await store.sessions.append(words, now=now)
        except UnknownSession as error:
            return error

    operations: list[Operation] = [
        *[lambda store, _: begin(store, room, user, now)] * 3,
        *[append] * 3,
        lambda store, ids: store.sessions.close(one(ids), reason, now=now, resumes=resumes),
        lambda store, ids: store.sessions.touch(one(ids), now=now),
        lambda store, ids: store.sessions.commit_turn(one(ids), turn),
        lambda store, ids: store.sessions.measure(one(ids), figures),
        lambda store, ids: store.sessions.summarise(one(ids), f"{turn}", turn),
        lambda store, ids: store.sessions.get(one(ids)),
        lambda store, ids: store.sessions.messages(one(ids)),
        lambda store, ids: store.sessions.measured(one(ids)),
        lambda store, ids: store.sessions.delete(one(ids)),
        lambda store, _: store.sessions.by_room(room),
        lambda store, _: store.sessions.of_user(user),
        lambda store, _: store.sessions.recent(user, turn + 1),
        lambda store, _: store.sessions.stats(),
        lambda store, _: store.sessions.purge(seen_before=now - ago, now=now),
    ]
    if which < 0.05:
        return lambda store, _: store.sessions.forget(user)
    return chance.choice(operations)


async def told(store: Store, ids: list[str], operation: Operation) -> str:
    """The answer, with the sessions called by the order in which they were opened."""
    answer = await operation(store, ids)
    if isinstance(answer, Session) and answer.session_id not in ids:
        ids.append(answer.session_id)
    text = repr(answer)
    for number, session_id in enumerate(ids):
        text = text.replace(session_id, f"session {number}")
    return text


@pytest.mark.parametrize("seed", range(20))
async def test_conversations_are_as_in_memory(opened: RedisStore, seed: int) -> None:
    """Whatever is done, in whichever order, whichever way the clock goes."""
    chance, memory, now = random.Random(seed), MemoryStore(), NOW
    here: list[str] = []
    there: list[str] = []
    for _ in range(200):
        # Never twice the same: what is of one moment has no order.
        now += chance.choice([0.0, 90.0, 400.0, -200.0]) + chance.random()
        operation = some_operation(chance, now)
        assert await told(opened, there, operation) == await told(memory, here, operation)

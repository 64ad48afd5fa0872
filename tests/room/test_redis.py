"""Calls whose memory is in Redis, and what they do while it is away."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from agent.livekit_server import LoopbackServer
from bench.redis_server import RedisServer
from room.caller import Caller
from room.conftest import Call
from room.pairs import KEY, kept_redis
from room.worker import Worker
from session import SessionConfig, SessionService, open_sessions


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with kept_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
async def june_on_redis(
    livekit: LoopbackServer, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Worker]:
    async with Worker.of(
        livekit,
        tmp_path_factory.mktemp("june-on-redis"),
        JUNE_AGENT__NAME="june-on-redis",
        JUNE_STORE__URL=redis.url,
        JUNE_SECRET_KEY=KEY,
        JUNE_WORKER__DRAIN_SECONDS="1",
    ) as worker:
        yield await worker.ready()


@pytest.fixture
async def memory(june_on_redis: Worker, redis: RedisServer) -> AsyncIterator[SessionService]:
    config = SessionConfig(june_on_redis.folder, redis.url, secret_key=KEY.encode())
    async with open_sessions(config) as sessions:
        yield sessions


async def greeted(call: Call) -> Caller:
    caller = await call().join()
    await caller.dispatch(agent="june-on-redis")
    await caller.hear()
    return caller


async def typed(caller: Caller, text: str) -> str:
    """What June says to it."""
    caller.listened_from = max(caller.listened_from, asyncio.get_running_loop().time())
    await caller.type(text)
    return (await caller.hear()).text


@pytest.mark.slow
async def test_a_call_goes_on_while_redis_is_restarted(
    june_on_redis: Worker, redis: RedisServer, memory: SessionService, call: Call
) -> None:
    """What was said meanwhile is written down when it is back."""
    caller = await greeted(call)
    assert "June" in await typed(caller, "What is your name?")
    redis.stop()
    assert await typed(caller, "What day is it?")
    assert await asyncio.to_thread(redis.start)
    assert await typed(caller, "What did I just say?")
    await caller.leave()
    ended = await june_on_redis.event("call.ended", 20, room=caller.room_name)
    assert (ended["reason"], ended["messages_lost"]) == ("caller_left", 0)
    session = await memory.get_session_by_room(caller.room_name)
    assert session is not None
    said = [one.text for one in await memory.history(session.session_id) if one.role == "user"]
    assert said == ["What is your name?", "What day is it?", "What did I just say?"]


@pytest.mark.slow
async def test_a_call_goes_on_when_redis_is_emptied(
    june_on_redis: Worker, redis: RedisServer, call: Call
) -> None:
    """Its limits start anew, and it is said; the room stays hers."""
    caller = await greeted(call)
    redis.ask(b"FLUSHALL")
    assert "June" in await typed(caller, "What is your name?")
    await asyncio.sleep(4)  # a lease that was not taken again would have run out
    assert await typed(caller, "What day is it?")
    assert june_on_redis.events("store.emptied")
    await caller.leave()
    ended = await june_on_redis.event("call.ended", 20, room=caller.room_name)
    assert ended["reason"] == "caller_left"


@pytest.mark.slow
async def test_a_redis_that_hangs_costs_a_call_a_moment(
    june_on_redis: Worker, redis: RedisServer, call: Call
) -> None:
    """Each turn is answered all the same."""
    caller = await greeted(call)
    with redis.frozen():
        for question in ("What is your name?", "What day is it?"):
            began = asyncio.get_running_loop().time()
            assert await typed(caller, question)
            waited = caller.heard[-1].started - began
            print(f"\nanswered after {waited:.1f} s without a store")
            assert waited < 4.0
    assert await typed(caller, "What did I just say?")

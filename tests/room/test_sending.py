"""The LiveKit server from outside, and the loop that sends June, in real rooms."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from livekit import api, rtc
from pydantic import SecretStr

from agent.config import LiveKitSettings
from agent.livekit_server import LoopbackServer
from agent.rooms import LiveKitClient, LiveKitRefused, LiveKitUnreachable
from room.caller import Caller
from room.conftest import Call
from room.worker import Worker


def settings(server: LoopbackServer) -> LiveKitSettings:
    return LiveKitSettings(url=server.url, api_key=server.api_key, api_secret=server.api_secret)


@asynccontextmanager
async def client(server: LoopbackServer, name: str = "june") -> AsyncIterator[LiveKitClient]:
    async with LiveKitClient(settings(server), agent_name=name) as client:
        yield client


async def test_a_server_that_knows_the_key_passes_the_check(livekit: LoopbackServer) -> None:
    """No word then."""
    async with client(livekit) as livekit_client:
        await livekit_client.check()


@pytest.mark.parametrize("wrong", [{"api_key": "wrong"}, {"api_secret": SecretStr("x" * 32)}])
async def test_a_wrong_key_or_secret_is_refused(
    livekit: LoopbackServer, wrong: dict[str, object]
) -> None:
    """Said with the key, and without the secret."""
    wrong_settings = settings(livekit).model_copy(update=wrong)
    assert wrong_settings.api_secret is not None
    async with LiveKitClient(wrong_settings, agent_name="june") as livekit_client:
        with pytest.raises(LiveKitRefused) as raised:
            await livekit_client.check()
    assert f"does not accept the key `{wrong_settings.api_key}`" in str(raised.value)
    assert "\nhint: set `LIVEKIT_API_KEY` and `LIVEKIT_API_SECRET`" in str(raised.value)
    assert wrong_settings.api_secret.get_secret_value() not in str(raised.value)


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "502 Bad Gateway"])
async def test_what_is_no_livekit_server_is_said(livekit: LoopbackServer, status: str) -> None:
    """A web server, say, at a mistyped port."""

    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 6\r\n\r\n<html>".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(web, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        elsewhere = settings(livekit).model_copy(update={"url": f"ws://127.0.0.1:{port}"})
        async with LiveKitClient(elsewhere, agent_name="june") as livekit_client:
            with pytest.raises(LiveKitUnreachable, match=f"`ws://127.0.0.1:{port}`"):
                await livekit_client.check()


async def test_a_callers_token_opens_its_room_only(livekit: LoopbackServer) -> None:
    """And lets nobody change what others see of them."""
    async with client(livekit) as livekit_client:
        token = livekit_client.caller_token("its-room", "bob", join_within=timedelta(minutes=1))
    room = rtc.Room()
    await room.connect(livekit.url, token)
    try:
        assert room.name == "its-room"
        permissions = api.TokenVerifier(
            livekit.api_key, livekit.api_secret.get_secret_value()
        ).verify(token)
        assert permissions.video is not None
        assert not permissions.video.room_admin
        assert not permissions.video.room_create
    finally:
        await room.disconnect()


async def test_asking_twice_brings_one_june(livekit: LoopbackServer, call: Call) -> None:
    """LiveKit itself would send two. And what is gone may be withdrawn again."""
    caller = await call().join(with_microphone=False)
    room = caller.room_name
    async with client(livekit, "nobody") as livekit_client:
        assert await livekit_client.dispatches("no-such-room") == ()
        first = await livekit_client.dispatch(room, {"user": "bob"})
        assert await livekit_client.dispatch(room) == first
        assert [one.id for one in await livekit_client.dispatches(room)] == [first]
        other = await livekit_client.dispatch(room, {"user": "bob", "identity": "bob"})
        assert other == first
        await livekit_client.withdraw(room, first)
        await livekit_client.withdraw(room, first)
        assert await livekit_client.dispatches(room) == ()
        first = await livekit_client.dispatch(room, {"identity": "nobody-there"})
        other = await livekit_client.dispatch(room, {"identity": caller.identity})
        assert [one.id for one in await livekit_client.dispatches(room)] == [other]
        assert await livekit_client.dispatch(room, {"identity": caller.identity}) == other
        waits = await livekit_client.dispatch(room, {"identity": "somebody-else"})
        assert {one.id for one in await livekit_client.dispatches(room)} == {other, waits}
        await livekit_client.delete_room(room)
        await livekit_client.delete_room(room)


@pytest.mark.slow
@pytest.mark.parametrize("june", ["local"], indirect=True)
async def test_june_who_waits_for_somebody_else_makes_way(
    livekit: LoopbackServer, june: Worker, call: Call
) -> None:
    """A page that is loaded again has another identity, and its caller is not kept waiting."""
    room = "loaded-twice"
    async with client(livekit) as livekit_client:
        await livekit_client.dispatch(room, {"identity": "before"})
        async with asyncio.timeout(20):
            while not (await livekit_client.inside(room)).junes:
                await asyncio.sleep(0.1)
        await asyncio.sleep(2)  # LiveKit's SDK tries for 15 s where one is put out who is joining
        asked = time.monotonic()
        await livekit_client.dispatch(room, {"identity": "after"})
        caller = await call("after", room).join()
        await _june_of(caller)
        print(f"\ngreeted {time.monotonic() - asked:.2f} s after it was asked for anew")
        assert time.monotonic() - asked < 8
        await caller.leave()
        await june.event("call.ended", room=room)


@pytest.mark.slow
async def test_june_comes_again_when_they_come_back(
    livekit: LoopbackServer, june: Worker, call: Call
) -> None:
    """One at a time, also when they come back before she is gone."""
    room = "lobby"
    async with client(livekit) as livekit_client:
        await livekit_client.dispatch(room)
        first = await call("bob", room).join()
        one = await _june_of(first)
        await first.leave()
        second = await call("bob", room).join()
        await second.until(lambda: one not in _junes(second), 20, "the first June is gone")
        other = await _june_of(second)
        assert other != one
        await june.event("call.answered", room=room, job_id=other.removeprefix("agent-"))
        assert len(june.events("call.answered", room=room)) == 2

        # She is not sent again while she is there.
        await asyncio.sleep(1.2)
        assert _junes(second) == [other]
        assert await livekit_client.dispatch(room)
        assert len(await livekit_client.dispatches(room)) == 1
        await second.leave()
        await june.event("call.ended", room=room, job_id=other.removeprefix("agent-"))


def _junes(caller: Caller) -> list[str]:
    return [
        participant.identity
        for participant in caller.room.remote_participants.values()
        if participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    ]


async def _june_of(caller: Caller) -> str:
    """The one June who is there, once she greets."""
    await caller.until(lambda: _junes(caller), 20, "June comes")
    await caller.until(caller.speech, 10, "June greets")
    (identity,) = _junes(caller)
    return identity

"""The HTTP server itself: where it listens, what it leaves alone, and that it ends."""

import asyncio
import json
import signal
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from api_fakes import ADMIN, KEY, Api, api_in
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from agent.api import connections
from agent.api.access import TOKEN_ROUTE
from agent.api.bounds import Bounds
from agent.api.server import HttpServer
from agent.api.tokens import TOKENS_PER_MINUTE
from agent.errors import CannotStart


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with api_in(tmp_path) as opened:
        yield opened


async def answer_to(port: int, sent: bytes, *, then: bytes = b"") -> bytes:
    """All that comes back until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        await writer.drain()
        if then:
            await asyncio.sleep(0.05)
            writer.write(then)
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_it_says_where_it_listens(api: Api) -> None:
    """Port 0 is any; the log has the one that it is."""
    with capture_logs() as logs:
        async with HttpServer(api.app, "127.0.0.1", 0) as server, httpx2.AsyncClient() as http:
            answer = await http.get(f"http://127.0.0.1:{server.port}/healthz")
    assert answer.json()["status"] == "ok"
    assert "server" not in answer.headers
    assert logs == [
        {"event": "http.ready", "log_level": "info", "host": "127.0.0.1", "port": server.port}
    ]


@pytest.mark.parametrize("host", ["localhost", "::1", "0.0.0.0", "::"])
async def test_it_listens_where_it_is_told(api: Api, host: str) -> None:
    """By name, by IPv4 and by IPv6; all addresses are those of IPv4 as well."""
    async with HttpServer(api.app, host, 0) as server, httpx2.AsyncClient() as http:
        names = ["[::1]"] if host == "::1" else ["127.0.0.1"]
        for name in [*names, *(["[::1]"] if host == "::" else [])]:
            answer = await http.get(f"http://{name}:{server.port}/")
            assert answer.status_code == 200


async def test_a_port_that_is_taken_is_said_to_be(api: Api) -> None:
    """With what to type instead."""
    async with HttpServer(api.app, "127.0.0.1", 0) as first:
        with pytest.raises(CannotStart) as error:
            async with HttpServer(api.app, "127.0.0.1", first.port):
                pass
    assert str(error.value).startswith(f"port {first.port} on 127.0.0.1 is taken")
    assert "export JUNE_HTTP__PORT=0" in str(error.value)


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid", "x" * 100, "a..b"])
async def test_a_host_that_is_not_this_machine_is_said_to_be(api: Api, host: str) -> None:
    """As the setting that it is."""
    with pytest.raises(CannotStart, match=r"`\[http\] host` is"):
        async with HttpServer(api.app, host, 0):
            pass


async def test_a_port_can_be_taken_again_at_once(api: Api) -> None:
    """A worker that is restarted must not wait for old connections to be forgotten."""
    async with HttpServer(api.app, "127.0.0.1", 0) as first:
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        assert (await answer_to(first.port, request)).startswith(b"HTTP/1.1 200")
    async with HttpServer(api.app, "127.0.0.1", first.port) as second:
        assert second.port == first.port


async def test_signals_stay_the_workers(api: Api) -> None:
    """Which drains by them."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with HttpServer(api.app, "127.0.0.1", 0):
        during = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert during == before


async def never_answers(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.sleep(60)


async def test_it_closes_within_three_seconds_whoever_is_connected() -> None:
    """Somebody who says nothing, who has been answered, who waits, and who is still asking."""
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    async with HttpServer(Bounds(never_answers), "127.0.0.1", 0) as server:
        connected = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
        connected[1][1].write(request + b"\r\n")
        connected[2][1].write(request)
        await asyncio.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 3
    for reader, writer in connected:
        try:
            async with asyncio.timeout(1):
                await reader.read()
        except ConnectionResetError:
            pass
        writer.close()
    with socket.socket() as gone:
        assert gone.connect_ex(("127.0.0.1", server.port)) != 0


async def test_whoever_does_not_come_to_the_point_is_cut_off(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silent from the beginning, or slower with a head than one can be."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    async with HttpServer(api.app, "127.0.0.1", 0) as server:
        assert await answer_to(server.port, b"") == b""
        assert await answer_to(server.port, b"GET / HTTP/1.1\r\n", then=b"Host: local") == b""
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answers = await answer_to(server.port, request, then=request + b"GET")
        assert answers.count(b"HTTP/1.1 200 OK") == 2


async def test_whoever_waits_for_an_answer_is_not_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A head that has come is no matter of patience any more; and a slow body is `Bounds`'."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    app = Bounds(never_answers, most_seconds=0.5)
    async with HttpServer(app, "127.0.0.1", 0) as server:
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
        answer = await answer_to(server.port, head)
    assert answer.startswith(b"HTTP/1.1 503 ")


async def test_a_body_that_drips_is_a_408(api: Api) -> None:
    """A byte at a time is too slow, however long one goes on."""
    bounded = Bounds(api.app, most_seconds=1)
    async with HttpServer(bounded, "127.0.0.1", 0) as server:
        head = (
            b"POST /api/livekit/token HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 900\r\n\r\n"
        )
        answer = await answer_to(server.port, head, then=b"{")
    start, _, body = answer.partition(b"\r\n\r\n")
    assert start.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in start.lower()
    assert json.loads(body)["status"] == 408


async def test_a_silent_crowd_makes_room(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """It uses up no more of the worker's files, and keeps nobody out who has something to ask."""
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 3)
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    async with HttpServer(api.app, "127.0.0.1", 0) as server:
        crowd = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
        await asyncio.sleep(0.05)
        for _ in range(2):
            assert (await answer_to(server.port, request)).startswith(b"HTTP/1.1 200")
        assert await crowd[0][0].read() == b""
        crowd[2][1].write(request)
        assert (await crowd[2][0].read()).startswith(b"HTTP/1.1 200")
        for _, writer in crowd:
            writer.close()


async def test_a_crowd_whose_requests_are_served_is_served_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever comes then is sent away."""
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 3)
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    async with HttpServer(Bounds(never_answers, most_seconds=0.5), "127.0.0.1", 0) as server:
        served = [asyncio.create_task(answer_to(server.port, request)) for _ in range(3)]
        await asyncio.sleep(0.1)
        assert await answer_to(server.port, request) == b""
        answers = await asyncio.gather(*served)
    assert all(answer.startswith(b"HTTP/1.1 503") for answer in answers)


async def test_a_flood_over_real_connections_is_counted_as_well(tmp_path: Path) -> None:
    """By the key, as many at once as a site may have."""
    async with (
        api_in(tmp_path, JUNE_ADMIN_TOKEN=ADMIN, JUNE_TOKEN_KEY=KEY) as api,
        HttpServer(api.app, "127.0.0.1", 0) as server,
        httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{server.port}",
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=30,
        ) as http,
    ):
        answers = await asyncio.gather(
            *(http.post(TOKEN_ROUTE, json={"identity": f"user {n}"}) for n in range(300))
        )
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (TOKENS_PER_MINUTE, 240)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # somebody tries TLS
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",  # without a host
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000,  # without an end
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_http_is_a_400_and_no_line_in_the_log(
    api: Api, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    """Any stranger could fill it."""
    async with HttpServer(api.app, "127.0.0.1", 0) as server:
        answer = await answer_to(server.port, sent)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 405 "))
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


async def test_a_websocket_is_not_opened(api: Api) -> None:
    """There is none."""
    async with HttpServer(api.app, "127.0.0.1", 0) as server:
        answer = await answer_to(
            server.port,
            b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n",
        )
    assert answer.startswith(b"HTTP/1.1 200")

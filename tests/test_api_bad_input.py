"""Whatever is sent to June over HTTP: a problem comes back, in words, and nothing of it stays."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from api_fakes import Api, api_in
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from agent.api.access import TOKEN_ROUTE
from agent.api.bounds import MOST_BODY_BYTES, Bounds
from agent.rooms import LiveKitClient

JSON = {"Content-Type": "application/json"}

WITH_A_BODY = (
    TOKEN_ROUTE,
    "/api/users/forget",
    "/api/sessions/x/token",
    "/api/security/circuit-breaker/open",
    "/api/security/circuit-breaker/close",
)

SECRET_WORDS = "my cat is called Momo"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """Nothing that is asked in these tests is a mistake of June's."""
    async with api_in(tmp_path) as opened:
        with capture_logs() as logs:
            yield opened
        assert not [line for line in logs if line["event"] == "http.failed"]


@pytest.mark.parametrize("path", WITH_A_BODY)
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nul",
        b"{'identity': 'ann'}",
        b'{"identity": "ann"} {}',
        b"[" * 60_000,
        b'{"identity":' * 5_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"identity": NaN}',
        b'{"minutes": Infinity}',
        b'{"identity": "\xff\xfe"}',
        b'{"identity": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"minutes": 1' + b"0" * 50_000 + b"}",
        '{"identity": "ann"}'.encode("utf-16"),
        b"\x00",
        f'{{"identity": "{SECRET_WORDS}'.encode(),
    ],
    ids=range(16),
)
async def test_what_is_no_json_is_a_400(api: Api, path: str, body: bytes) -> None:
    """By the place where it goes wrong, and without what stands there."""
    answer = await api.ask("POST", path, content=body, headers=JSON)
    assert answer.status == 400
    assert answer.detail.startswith("the body is not JSON: ")
    assert SECRET_WORDS not in answer.detail


@pytest.mark.parametrize("path", WITH_A_BODY)
@pytest.mark.parametrize(
    "body",
    [
        b"5",
        b"[]",
        b'"text"',
        b'[{"identity": "ann"}]',
        b'{"identity": 1e999, "minutes": 1e999, "user": 1e999, "circuit": 1e999}',
        b'{"identity": {"a": {"b": 1}}, "minutes": [], "user": [1], "circuit": {}}',
        f'{{"password": "{SECRET_WORDS}"}}'.encode(),
        b'{"\\u0000\\u001b[31m\\u202e": 1, "' + b"n" * 5_000 + b'": 2}',
        b'{"' + b'": 1, "'.join(b"%d" % n for n in range(3_000)) + b'": 1}',
    ],
    ids=range(9),
)
async def test_what_is_no_request_is_a_422(api: Api, path: str, body: bytes) -> None:
    """With the names of the fields, short and printable, and none of the values."""
    answer = await api.ask("POST", path, content=body, headers=JSON)
    assert answer.status == 422
    assert 0 < len(answer.json["errors"]) <= 20
    assert SECRET_WORDS not in json.dumps(answer.json)
    assert all(len(one["field"]) <= 100 for one in answer.json["errors"])
    assert all(one["field"].isprintable() for one in answer.json["errors"])
    assert len(answer.response.content) < 8_000


@pytest.mark.parametrize("path", [TOKEN_ROUTE, "/api/users/forget", "/api/sessions/x/token"])
async def test_a_body_that_is_missing_is_said_to_be(api: Api, path: str) -> None:
    """Where one is needed."""
    answer = await api.ask("POST", path)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "body")


@pytest.mark.parametrize("path", WITH_A_BODY)
@pytest.mark.parametrize(
    "kind",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"],
)
async def test_only_json_is_read(api: Api, path: str, kind: str | None) -> None:
    """Also because a page could send all others without asking the browser."""
    headers = {} if kind is None else {"Content-Type": kind}
    answer = await api.ask("POST", path, content=b'{"identity": "ann"}', headers=headers)
    assert answer.status == 415
    assert "Content-Type: application/json" in answer.detail


async def test_json_may_say_its_encoding(api: Api) -> None:
    """There is only one."""
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    body = b'{"identity": "ann"}'
    answer = await api.ask("POST", TOKEN_ROUTE, content=body, headers=headers)
    assert answer.status == 200


def in_chunks(total_bytes: int) -> AsyncIterator[bytes]:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"identity": "'
        for _ in range(total_bytes // 1_000):
            yield b"x" * 1_000

    return chunks()


@pytest.mark.parametrize("path", [*WITH_A_BODY, "/api/webhooks/livekit"])
@pytest.mark.parametrize(
    "body",
    [lambda: b"x" * (MOST_BODY_BYTES + 1), lambda: in_chunks(2 * MOST_BODY_BYTES)],
    ids=["declared", "in chunks"],
)
async def test_a_body_that_is_too_large_is_a_413(
    api: Api, path: str, body: Callable[[], bytes | AsyncIterator[bytes]]
) -> None:
    """Whether its size is said before or not; it is not read to its end."""
    answer = await api.ask("POST", path, content=body(), headers=JSON)
    assert answer.status == 413
    assert answer.headers["connection"] == "close"
    assert "65,536 bytes" in answer.detail


async def test_a_body_of_just_that_size_is_read(api: Api) -> None:
    """And judged by what it says."""
    start = b'{"identity": "'
    body = start + b"x" * (MOST_BODY_BYTES - len(start) - 2) + b'"}'
    assert len(body) == MOST_BODY_BYTES
    assert (await api.ask("POST", TOKEN_ROUTE, content=body, headers=JSON)).status == 422


NOWHERE = (
    *("/nothing", "/api", "/api/", "/api/sessions/", "/api/livekit/token/x", "/docs", "/redoc"),
    *("/%2e%2e/etc/passwd", "/api/..%2fmetrics", "/%00", "/healthz%0d%0aX: 1", "/" + "x" * 5_000),
)


@pytest.mark.parametrize("path", NOWHERE)
async def test_where_there_is_nothing_is_a_404(api: Api, path: str) -> None:
    """Whatever the path tries; it is not said again."""
    answer = await api.ask("GET", path)
    assert answer.status == 404
    assert "/openapi.json" in answer.detail
    assert "passwd" not in answer.detail


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "OPTIONS", "HEAD", "PROPFIND", "get"])
@pytest.mark.parametrize("path", ["/healthz", "/api/sessions", TOKEN_ROUTE])
async def test_a_method_that_is_not_taken_is_a_405(api: Api, method: str, path: str) -> None:
    """With the one that is."""
    response = await api.http.request(method, path)
    if method == "get":  # the client makes it a GET
        return
    assert response.status_code == 405
    assert response.headers["allow"] in ("GET", "POST")


async def test_a_flood_of_nonsense_leaves_june_well(api: Api) -> None:
    """A few hundred at once."""
    bodies = [b"[" * 9_000, b"{}", b"x" * 70_000, b'{"identity": "\\ud800"}', b"\xff" * 5_000]

    async def ask(number: int) -> int:
        path = WITH_A_BODY[number % 3]
        body = bodies[number % len(bodies)]
        return (await api.ask("POST", path, content=body, headers=JSON)).status

    statuses = await asyncio.gather(*(ask(number) for number in range(400)))
    assert set(statuses) <= {400, 413, 422}
    assert (await api.ask("GET", "/healthz")).json["status"] == "ok"


def scope_of(**changes: Any) -> Scope:
    return {"type": "http", "method": "POST", "path": "/", "headers": [], **changes}


class Heard:
    """What an app answers."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def problem(self) -> dict[str, Any]:
        start, body = self.messages
        headers = dict(start["headers"])
        assert headers[b"content-type"] == b"application/problem+json"
        problem: dict[str, Any] = json.loads(body["body"])
        assert problem["status"] == start["status"]
        return problem


async def nothing_more() -> Message:
    await asyncio.sleep(60)
    return {"type": "http.disconnect"}


async def whole_body() -> Message:
    return {"type": "http.request", "body": b"{}", "more_body": False}


async def reads(_scope: Scope, receive: Receive, _send: Send) -> None:
    await receive()
    await asyncio.sleep(60)


async def test_a_request_that_does_not_arrive_is_a_408() -> None:
    """It was the caller's to send it."""
    heard = Heard()
    await Bounds(reads, most_seconds=0.05)(scope_of(), nothing_more, heard.send)
    assert heard.problem["status"] == 408
    assert (b"connection", b"close") in heard.messages[0]["headers"]


async def test_an_answer_that_does_not_come_is_a_503() -> None:
    """It was June's to give it."""
    heard = Heard()
    await Bounds(reads, most_seconds=0.05)(scope_of(), whole_body, heard.send)
    assert heard.problem["status"] == 503


@pytest.mark.parametrize("error", [ValueError, TimeoutError, RecursionError, KeyError])
async def test_a_mistake_of_junes_is_logged_once_and_not_said(error: type[Exception]) -> None:
    """Where it was made stands in the log; what was sent, nowhere."""

    async def fails(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise error(SECRET_WORDS)

    heard = Heard()
    with capture_logs() as logs:
        await Bounds(fails)(scope_of(), whole_body, heard.send)
    assert heard.problem["status"] == 500
    (line,) = logs
    assert (line["event"], line["error"]) == ("http.failed", error.__name__)
    assert line["at"][-1].startswith("test_api_bad_input.py:")
    assert SECRET_WORDS not in f"{logs}{heard.messages}"


async def test_a_mistake_in_the_midst_of_an_answer_is_logged_as_well() -> None:
    """The rest cannot come any more, and a second beginning would be nonsense."""

    async def breaks(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError

    heard = Heard()
    with capture_logs() as logs:
        await Bounds(breaks)(scope_of(), whole_body, heard.send)
    assert [message["type"] for message in heard.messages] == ["http.response.start"]
    assert [line["event"] for line in logs] == ["http.failed"]


async def test_a_mistake_in_a_route_is_told_by_its_route(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through all that stands around it, and to a client that knows its name only."""

    def break_down(*_: object, **__: object) -> str:
        raise ZeroDivisionError(SECRET_WORDS)

    monkeypatch.setattr(LiveKitClient, "caller_token", break_down)
    async with api_in(tmp_path) as api:
        with capture_logs() as logs:
            answer = await api.ask("POST", TOKEN_ROUTE, json={"identity": "ann"})
    assert answer.status == 500
    assert "http.failed" in answer.detail
    (line,) = logs
    assert (line["route"], line["error"]) == (TOKEN_ROUTE, "ZeroDivisionError")
    assert SECRET_WORDS not in f"{logs}{answer.json}"


async def test_a_caller_who_goes_away_is_no_mistake(api: Api) -> None:
    """In the midst of a body."""

    async def goes_away() -> Message:
        return {"type": "http.disconnect"}

    for path in (TOKEN_ROUTE, "/api/webhooks/livekit"):
        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        scope = scope_of(
            path=path, raw_path=path.encode(), headers=headers, query_string=b"", root_path=""
        )
        with capture_logs() as logs:
            await api.app(scope, goes_away, Heard().send)
        assert not logs

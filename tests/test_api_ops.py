"""What the operator's page asks: how June is, live, for few and for long; and that a call ends."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from api_fakes import ADMIN, KEY, NOW, Api, api_in

from agent.api import bounds, ops_feed
from agent.api.endless import OPS_STREAM_ROUTE
from agent.api.ops_feed import MOST_WATCHERS, Feed
from agent.api.ops_sessions import NewestSessions
from agent.api.reasons import STORE_AWAY
from agent.api.server import HttpServer
from session import CloseReason, Leave, StoreError, TurnMetrics
from session.notes import CallNote, WorkerNote
from session.records import Stages

WORKER = "0123456789abcdef"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with api_in(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def served(api: Api) -> AsyncIterator[httpx2.AsyncClient]:
    """By a real server: a stream goes on while it is read."""
    async with (
        HttpServer(api.app, "127.0.0.1", 0) as server,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as http,
    ):
        yield http


async def events(response: httpx2.Response) -> AsyncGenerator[tuple[str, Any]]:
    """As a browser reads them; a comment has no name."""
    name = ""
    async for line in response.aiter_lines():
        kind, _, rest = line.partition(": ")
        if kind == "event":
            name = rest
        elif kind == "data":
            yield name, json.loads(rest)
        elif not kind and rest:
            yield "", rest


async def next_now(told: AsyncIterator[tuple[str, Any]]) -> Any:
    async for name, data in told:
        if name == "now":
            return data
    raise AssertionError("the stream has ended")


async def go_to_work(api: Api, *, room: str = "lobby", note: str | None = None) -> None:
    """A worker with one call."""
    at_work = WorkerNote(host="here", calls=1, max_calls=8, is_draining=False, since=NOW - 60)
    assert await api.sessions.duty.sign_on(WORKER, at_work) is not None
    told = CallNote(state="speaking", since=NOW - 2, began_at=NOW - 9, skill="storyteller").text
    owner = f"{WORKER}/AJ_1"
    assert await api.sessions.claim_room(room, owner, note=told if note is None else note)


async def test_the_present_is_told_whole(api: Api) -> None:
    """Calls and workers of all, times and refusals of the hour, money, limits and breakers."""
    await go_to_work(api)
    session = await api.sessions.get_or_create_for_room("lobby", "ann")
    for turn, seconds, at in ((1, 0.5, NOW - 10), (2, 1.5, NOW - 5), (3, 9.0, NOW - 3_700)):
        await api.sessions.update_session_metrics(
            session.session_id, TurnMetrics(turn=turn, at=at, reply_seconds=seconds)
        )
    await api.sessions.update_session_metrics(
        session.session_id, TurnMetrics(turn=0, at=NOW, first_word_seconds=1.2)
    )
    await api.sessions.update_session_metrics(
        session.session_id, TurnMetrics(turn=4, at=NOW, refused="too_many_turns")
    )
    await api.sessions.breakers.open_by_hand("llm api.example", 60)
    now = (await api.ask("GET", "/api/ops")).json
    assert now["at"] == NOW
    assert now["shows_text"] is False
    assert now["workers"] == [
        {
            "key": WORKER[:8],
            "host": "here",
            "calls": 1,
            "max_calls": 8,
            "is_draining": False,
            "since": NOW - 60,
        }
    ]
    assert now["calls"] == [
        {
            "room": "lobby",
            "session_id": None,
            "worker": WORKER[:8],
            "state": "speaking",
            "since": NOW - 2,
            "began_at": NOW - 9,
            "skill": "storyteller",
        }
    ]
    assert now["times"] == {
        "window_seconds": 3600,
        "first_word": {"count": 1, "p50_seconds": 1.2, "p95_seconds": 1.2},
        "reply": {"count": 2, "p50_seconds": 0.5, "p95_seconds": 1.5},
    }
    assert now["refusals"] == {"too_many_turns": 1}
    assert now["money"]["spent_micros"] == 0
    assert now["limits"]["dollars_per_day"] == 50
    assert now["budget"]["phase"] == "closed"
    assert now["providers"]["llm api.example"]["phase"] == "open"
    assert now["health"]["status"] == "degraded"


@pytest.mark.parametrize("note", ["", "{}", "no JSON", '{"state": "dancing"}', "x" * 10_000])
async def test_a_call_that_has_told_nothing_that_can_be_read_is_starting(
    api: Api, note: str
) -> None:
    """As while its process starts, or where another version of June runs it."""
    await go_to_work(api, note=note)
    (call,) = (await api.ask("GET", "/api/ops")).json["calls"]
    assert (call["room"], call["state"], call["began_at"]) == ("lobby", "starting", None)


async def test_it_is_for_the_operator_only(tmp_path: Path) -> None:
    """Rooms may be named after people."""
    async with api_in(tmp_path, JUNE_ADMIN_TOKEN=ADMIN, JUNE_TOKEN_KEY=KEY) as api:
        paths = [("GET", "/api/ops"), ("GET", OPS_STREAM_ROUTE), ("POST", "/api/calls/end")]
        for method, path in paths:
            assert (await api.ask(method, path)).status == 401
            assert (await api.ask(method, path, KEY)).status == 403
        assert (await api.ask("GET", "/api/ops", ADMIN)).status == 200


async def test_text_is_shown_where_the_operator_says_so(tmp_path: Path) -> None:
    """By a setting."""
    async with api_in(tmp_path, JUNE_HTTP__SHOW_TEXT="true") as api:
        assert (await api.ask("GET", "/api/ops")).json["shows_text"] is True


async def test_the_store_is_asked_once_a_second(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask."""
    asked = []
    held = api.sessions._store.leases.held

    async def count(**more: Any) -> Any:
        asked.append(1)
        return await held(**more)

    monkeypatch.setattr(api.sessions._store.leases, "held", count)
    await asyncio.gather(*(api.ask("GET", "/api/ops") for _ in range(30)))
    assert len(asked) == 1


async def test_a_call_is_ended_for_good(api: Api) -> None:
    """By its room, on whichever worker; once its lease is over there is none."""
    lease = await api.sessions.claim_room("lobby", "w/j")
    assert lease is not None
    assert (await api.ask("POST", "/api/calls/end", json={"room": "lobby"})).status == 204
    state = await api.sessions.renew_room(lease)
    assert (state.held, state.asked_to_leave) == (True, Leave.FOR_GOOD)
    await api.sessions.release_room(lease)
    for room in ("lobby", "nowhere", "\x00", "日本語"):
        answer = await api.ask("POST", "/api/calls/end", json={"room": room})
        assert answer.status == 404
        assert room not in answer.detail


async def test_a_worker_is_no_room_that_somebody_can_end(api: Api) -> None:
    """Nor is it among the rooms in which a June lives."""
    await go_to_work(api)
    watching = api.sessions.watching("ws://livekit.test:7880")
    assert await watching.take_seat(f"{WORKER} watcher") is not None
    assert await watching.living() == {"lobby"}
    assert (await api.ask("POST", "/api/calls/end", json={"room": WORKER})).status == 404
    assert await api.sessions.ask_to_leave(f"{WORKER}/") == 1
    assert await api.sessions.free_rooms(f"{WORKER}/AJ_1") == 1
    now = (await api.ask("GET", "/api/ops")).json
    assert (len(now["workers"]), now["calls"]) == (1, [])


async def test_turns_of_a_session_are_told(api: Api) -> None:
    """With where their time went; of none there is a 404."""
    session = await api.sessions.get_or_create_for_room("lobby", "ann")
    turn = TurnMetrics(turn=1, at=NOW, stages=Stages(final_text=0.3, first_audio=0.9))
    await api.sessions.update_session_metrics(session.session_id, turn)
    (told,) = (await api.ask("GET", f"/api/sessions/{session.session_id}/turns")).json
    assert told["stages"]["first_audio"] == 0.9
    assert told["stages"]["first_token"] is None
    assert (await api.ask("GET", "/api/sessions/nobody/turns")).status == 404


async def test_a_stream_tells_what_changes(api: Api) -> None:
    """At once all there is, then only what is another."""
    session = await api.sessions.get_or_create_for_room("lobby", "ann")
    await api.sessions.update_session_metrics(session.session_id, TurnMetrics(turn=1, at=NOW))
    async with served(api) as http, http.stream("GET", OPS_STREAM_ROUTE) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        async with aclosing(events(response)) as told, asyncio.timeout(10):
            name, now = await anext(told)
            assert (name, now["calls"]) == ("now", [])
            name, page = await anext(told)
            assert name == "sessions"
            (one,) = page["sessions"]
            assert (one["room_name"], one["status"], one["spent_micros"]) == ("lobby", "open", 0)
            assert [turn["turn"] for turn in one["turns"]] == [1]
            assert "user" not in one
            await go_to_work(api)
            await api.sessions.close_session(session.session_id, CloseReason.GOODBYE)
            name, now = await anext(told)
            assert (name, len(now["calls"])) == ("now", 1)
            name, page = await anext(told)
            assert (name, page["sessions"][0]["close_reason"]) == ("sessions", "goodbye")


async def test_a_session_that_is_over_is_read_once(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that goes on, was resumed or has just ended each time; one that is gone is not told."""
    ids = {}
    for room in ("over", "ended", "open"):
        ids[room] = (await api.sessions.get_or_create_for_room(room, "ann")).session_id
    await api.sessions.close_session(ids["over"], CloseReason.DRAIN, seconds_ago=61)
    await api.sessions.close_session(ids["ended"], CloseReason.GOODBYE)
    read: list[str] = []
    measured = api.sessions._store.sessions.measured

    async def note(session_id: str) -> tuple[TurnMetrics, ...]:
        read.append(next(room for room, one in ids.items() if one == session_id))
        return await measured(session_id)

    monkeypatch.setattr(api.sessions._store.sessions, "measured", note)
    newest = NewestSessions(api.sessions)

    async def told() -> dict[str, Any]:
        text = await newest.text()
        assert text is not None
        return {one["room_name"]: one for one in json.loads(text)["sessions"]}

    assert set(await told()) == {"over", "ended", "open"}
    assert sorted(read) == ["ended", "open", "over"]
    read.clear()
    await api.sessions.update_session_metrics(ids["open"], TurnMetrics(turn=1, at=NOW))
    page = await told()
    assert (len(page["open"]["turns"]), page["over"]["close_reason"]) == (1, "drain")
    assert sorted(read) == ["ended", "open"]
    await api.sessions.get_or_create_for_room("over", "ann")
    assert (await told())["over"]["status"] == "open"
    await api.sessions.delete_session(ids["over"])
    assert set(await told()) == {"ended", "open"}


async def test_a_stream_outlasts_the_time_of_a_request(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says now and then that it is there; its beginning has to come in time like any other."""
    monkeypatch.setattr(ops_feed, "SILENCE_SECONDS", 0.1)
    monkeypatch.setattr(
        bounds.Bounds.__init__,
        "__kwdefaults__",
        {
            "most_body_bytes": bounds.MOST_BODY_BYTES,
            "most_seconds": 0.5,
        },
    )
    async with served(api) as http, http.stream("GET", OPS_STREAM_ROUTE) as response:
        began = time.monotonic()
        async with aclosing(events(response)) as told, asyncio.timeout(10):
            async for name, _ in told:
                if name == "" and time.monotonic() - began > 1.5:
                    break


async def test_a_stream_ends_with_the_server_at_once(api: Api) -> None:
    """A worker that stops waits for nobody who only looks."""
    async with AsyncExitStack() as clients:
        async with HttpServer(api.app, "127.0.0.1", 0) as server:
            http = await clients.enter_async_context(
                httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port}")
            )
            for _ in range(3):
                await clients.enter_async_context(http.stream("GET", OPS_STREAM_ROUTE))
            began = time.monotonic()
        assert time.monotonic() - began < 1
    await nobody_looks()


async def nobody_looks() -> None:
    for _ in range(100):
        if not [one for one in asyncio.all_tasks() if one.get_name() == "june.ops"]:
            return
        await asyncio.sleep(0.02)
    pytest.fail("somebody still looks")


async def test_so_many_watch_and_no_more(api: Api) -> None:
    """Until one goes; then nobody is left who looks for nobody."""
    async with served(api) as http:
        async with AsyncExitStack() as streams:
            for _ in range(MOST_WATCHERS):
                one = await streams.enter_async_context(http.stream("GET", OPS_STREAM_ROUTE))
                assert one.status_code == 200
            refused = await http.get(OPS_STREAM_ROUTE)
            assert (refused.status_code, refused.json()["reason"]) == (503, "too_many_streams")
            assert refused.headers["retry-after"] == "5"
        await nobody_looks()
        async with http.stream("GET", OPS_STREAM_ROUTE) as again:
            assert again.status_code == 200


async def test_a_store_that_is_away_is_said_and_the_stream_goes_on(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls are as they were last seen: they go on as well."""
    await go_to_work(api)

    async def fail(*_: object, **__: object) -> None:
        raise StoreError("away", retryable=True)

    async with (
        served(api) as http,
        http.stream("GET", OPS_STREAM_ROUTE) as response,
        aclosing(events(response)) as told,
        asyncio.timeout(15),
    ):
        assert (await next_now(told))["health"]["status"] == "ok"
        with monkeypatch.context() as patched:
            for part, does in (("leases", "held"), ("sessions", "page")):
                patched.setattr(getattr(api.sessions._store, part), does, fail)
            now = await next_now(told)
            assert now["health"] == {"status": "degraded", "reasons": [STORE_AWAY]}
            assert [call["room"] for call in now["calls"]] == ["lobby"]
            assert now["money"] is None
        assert (await next_now(told))["health"]["status"] == "ok"


async def test_whatever_fails_in_a_look_the_next_one_is_had() -> None:
    """It is said once in the log."""
    answers: list[str | Exception] = [ValueError("a mistake"), ValueError("again"), '{"a": 1}']

    async def look() -> str | None:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    feed = Feed(look, look, sleep=lambda _: asyncio.sleep(0))
    with feed.seat():
        async with aclosing(feed.events()) as told, asyncio.timeout(5):
            assert await anext(told) == b'event: now\ndata: {"a": 1}\n\n'


async def test_a_slow_reader_gets_the_newest() -> None:
    """What came between is of no interest any more."""
    looks = 0

    async def look() -> str | None:
        nonlocal looks
        looks += 1
        return str(looks)

    async def never() -> str | None:
        return None

    feed = Feed(look, never, sleep=lambda _: asyncio.sleep(0))
    with feed.seat():
        async with aclosing(feed.events()) as told, asyncio.timeout(5):
            first = await anext(told)
            for _ in range(50):
                await asyncio.sleep(0)
            second = await anext(told)
    numbers = [int(one.decode().split("data: ")[1]) for one in (first, second)]
    assert numbers[1] - numbers[0] > 10

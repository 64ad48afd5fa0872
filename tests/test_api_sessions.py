"""Sessions over HTTP: pages of them, what was said, guests, and that what goes is gone."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import jwt
import pytest
from api_fakes import NOW, SECRET, Api, api_in
from test_store import said

from session import CloseReason, Session, StoreError, TurnMetrics


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with api_in(tmp_path) as opened:
        yield opened


async def begin(api: Api, room: str = "room", user: str = "ann") -> Session:
    """A session in which each has said one thing."""
    session = await api.sessions.get_or_create_for_room(room, user)
    await api.sessions.add_message(said(session, f"{room} {user} 1", "my cat is called Momo"))
    await api.sessions.add_message(said(session, f"{room} {user} 2", "Hi!", role="assistant"))
    return session


async def rooms_of(api: Api, query: str) -> tuple[list[str], int | None]:
    """The rooms on a page, and what to skip for the next one."""
    page = (await api.ask("GET", f"/api/sessions?{query}")).json
    return [session["room_name"] for session in page["sessions"]], page["next_skip"]


async def test_pages_follow_one_another(api: Api) -> None:
    """Each tells what to skip for the next; the last one nothing."""
    names = [f"room {number}" for number in range(5)]
    for name in names:
        await begin(api, name)
    found: list[str] = []
    skip: int | None = 0
    while skip is not None:
        page, skip = await rooms_of(api, f"limit=2&skip={skip}")
        found += page
    assert sorted(found) == names
    assert await rooms_of(api, "skip=5") == ([], None)
    assert await rooms_of(api, f"skip={2**40}") == ([], None)


async def test_sessions_are_found_by_user_and_by_room(api: Api) -> None:
    """Also those of a user in one room."""
    for room, user in (("a", "ann"), ("b", "ann"), ("a", "bob"), ("c", "bob")):
        await begin(api, room, user)
    assert sorted((await rooms_of(api, "user=ann"))[0]) == ["a", "b"]
    assert await rooms_of(api, "user=bob&room=a") == (["a"], None)
    assert await rooms_of(api, "room=c") == (["c"], None)
    assert (await rooms_of(api, "user=ann&limit=1"))[1] == 1
    assert await rooms_of(api, "room=a&skip=1") == ([], None)
    for nobody in ("user=carol", "room=d", "user=carol&room=a"):
        assert await rooms_of(api, nobody) == ([], None)


@pytest.mark.parametrize(
    "name", ["a/b?c#d&e", "日本語", "\x00\x1b[31m", "' OR 1=1 --", "r" * 1_000]
)
async def test_any_name_can_be_looked_for(api: Api, name: str) -> None:
    """However others called their rooms and users."""
    await begin(api, name, name)
    for query in (f"room={quote(name, safe='')}", f"user={quote(name, safe='')}"):
        assert len((await rooms_of(api, query))[0]) == 1


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=x", "skip=-1", f"skip={2**64}", "room=", f"user={'u' * 1025}"],
)
async def test_a_page_that_there_cannot_be_is_refused(api: Api, query: str) -> None:
    """By the name of what is wrong."""
    answer = await api.ask("GET", f"/api/sessions?{query}")
    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == query.partition("=")[0]


async def test_a_session_is_shown_with_its_figures_and_without_its_words(api: Api) -> None:
    """Who the user is nobody can tell; what was said is asked for apart."""
    session = await begin(api, user="crm-4711")
    await api.sessions.update_session_metrics(
        session.session_id, TurnMetrics(turn=1, at=NOW, reply_seconds=0.5)
    )
    answer = await api.ask("GET", f"/api/sessions/{session.session_id}")
    assert answer.json["session"]["room_name"] == "room"
    assert answer.json["session"]["message_count"] == 2
    assert answer.json["reply_times"]["p50_seconds"] == 0.5
    assert answer.json["spent_micros"] == 0
    assert b"Momo" not in answer.response.content
    assert b"crm-4711" not in answer.response.content


async def test_what_was_said_is_told_in_order(api: Api) -> None:
    """With who said it."""
    session = await begin(api)
    messages = (await api.ask("GET", f"/api/sessions/{session.session_id}/messages")).json
    assert [(one["role"], one["text"]) for one in messages] == [
        ("user", "my cat is called Momo"),
        ("assistant", "Hi!"),
    ]


async def test_figures_are_over_all_sessions(api: Api) -> None:
    """Whatever a session is called, none is called `stats`."""
    await begin(api, "a")
    closed = await begin(api, "b")
    await api.sessions.close_session(closed.session_id, CloseReason.GOODBYE)
    stats = (await api.ask("GET", "/api/sessions/stats")).json
    assert (stats["active_sessions"], stats["total_created"], stats["messages"]) == (1, 2, 4)
    assert stats["money"]["spent_micros"] == 0


async def test_a_guest_may_join_the_room_of_a_session(api: Api) -> None:
    """With a token for this room."""
    session = await begin(api, "lobby")
    path = f"/api/sessions/{session.session_id}/token"
    answer = await api.ask("POST", path, json={"identity": "supervisor"})
    claims = jwt.decode(answer.json.pop("token"), SECRET, algorithms=["HS256"])
    assert (claims["sub"], claims["video"]["room"]) == ("supervisor", "lobby")
    assert answer.json["url"] == "ws://livekit.test:7880"
    assert answer.json["expires_in_seconds"] == 600
    assert api.rooms.asked == 0  # June is there, or was
    assert (await api.ask("POST", path, json={"identity": "a\nb"})).status == 422


async def test_what_is_deleted_is_gone(api: Api) -> None:
    """With all that was said; once."""
    session = await begin(api)
    other = await begin(api, "other")
    path = f"/api/sessions/{session.session_id}"
    deleted = await api.ask("DELETE", path)
    assert (deleted.status, deleted.response.content) == (204, b"")
    for method, end in (("GET", ""), ("GET", "/messages"), ("DELETE", "")):
        assert (await api.ask(method, path + end)).status == 404
    assert (await rooms_of(api, "user=ann"))[0] == [other.room_name]


async def test_a_user_is_forgotten_with_a_receipt(api: Api) -> None:
    """What was removed, by number; others keep what is theirs."""
    for room, user in (("a", "ann"), ("b", "ann"), ("c", "bob")):
        await begin(api, room, user)
    receipt = (await api.ask("POST", "/api/users/forget", json={"user": "ann"})).json
    assert (receipt["sessions"], receipt["messages"]) == (2, 4)
    assert (await rooms_of(api, "user=ann"))[0] == []
    assert (await rooms_of(api, "user=bob"))[0] == ["c"]
    again = (await api.ask("POST", "/api/users/forget", json={"user": "ann"})).json
    assert set(again.values()) == {0}


@pytest.mark.parametrize(
    "session_id",
    ["nobody", "%00", "..%2F..", "%E2%80%AE", "x" * 1_000, "' OR 1=1", "%F0%9F%98%80", "stats2"],
)
@pytest.mark.parametrize(
    ("method", "end"), [("GET", ""), ("GET", "/messages"), ("DELETE", ""), ("POST", "/token")]
)
async def test_an_unknown_session_is_a_404(
    api: Api, session_id: str, method: str, end: str
) -> None:
    """Whatever its id looks like; it is not said again."""
    body = {"identity": "guest"} if method == "POST" else None
    answer = await api.ask(method, f"/api/sessions/{session_id}{end}", json=body)
    assert answer.status == 404
    assert session_id not in answer.detail


async def test_a_store_that_is_away_is_a_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """With when to try again."""

    async def fail(*_: object, **__: object) -> None:
        raise StoreError("redis://:secret@host is away", retryable=True)

    monkeypatch.setattr(api.sessions._store.sessions, "page", fail)
    answer = await api.ask("GET", "/api/sessions")
    assert (answer.status, answer.json["reason"]) == (503, "store_is_down")
    assert answer.headers["retry-after"] == "5"
    assert "secret" not in answer.detail

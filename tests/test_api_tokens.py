"""Tokens for callers: what is in them, that June comes once, and who gets none."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest
from api_fakes import ADMIN, KEY, NOW, SECRET, Answer, Api, api_in

from agent.api.access import TOKEN_ROUTE
from agent.api.dispatches import Dispatches
from agent.api.problems import Problem
from agent.api.tokens import TOKENS_PER_MINUTE
from agent.metadata import LONGEST_PERSONA, read_metadata
from agent.rooms import LiveKitRefused, LiveKitUnreachable
from session import StoreError


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    limits = {"JUNE_LIMITS__CALLS_PER_HOUR": "2", "JUNE_LIMITS__DOLLARS_PER_USER_AND_DAY": "1"}
    async with api_in(tmp_path, JUNE_ADMIN_TOKEN=ADMIN, JUNE_TOKEN_KEY=KEY, **limits) as opened:
        yield opened


async def wish(api: Api, token: str = KEY, /, **wanted: object) -> Answer:
    return await api.ask("POST", TOKEN_ROUTE, token, json={"identity": "ann", **wanted})


async def call(api: Api, user: str, call_id: str) -> bool:
    """As a job does it at its beginning."""
    session = await api.sessions.get_or_create_for_room(f"room of {user}", user)
    return (await api.sessions.admit_call(session, call_id)).allowed


async def test_a_token_is_for_one_room_a_voice_and_ten_minutes(api: Api) -> None:
    """And the answer says all that is needed to join."""
    answer = await wish(api, name="Ann", room="lobby")
    assert answer.status == 200
    assert answer.json | {"token": ""} == {
        "url": "ws://livekit.test:7880",
        "token": "",
        "room": "lobby",
        "identity": "ann",
        "expires_in_seconds": 600,
        "is_full": False,
    }
    claims = jwt.decode(answer.json["token"], SECRET, algorithms=["HS256"])
    assert (claims["sub"], claims["name"], claims["iss"]) == ("ann", "Ann", "devkey")
    assert claims["exp"] - claims["nbf"] == 600
    grants = claims["video"]
    assert (grants["roomJoin"], grants["room"]) == (True, "lobby")
    assert grants["canPublishSources"] == ["microphone"]
    assert not {"roomAdmin", "roomCreate", "roomList", "roomRecord"} & {
        name for name, is_granted in grants.items() if is_granted
    }


async def test_who_waits_for_a_busy_june_is_told_so(api: Api) -> None:
    """She comes once a call ends; until then nothing is wrong with their network."""
    api.worker.calls = api.config.worker.max_calls
    assert (await wish(api)).json["is_full"] is True


async def test_june_is_told_who_calls_and_how_to_speak(api: Api) -> None:
    """By what `agent.metadata` reads."""
    await wish(api, room="lobby", language="de", persona="You are Ada. Grüß Gott!")
    read = read_metadata(json.dumps(api.rooms.dispatched["lobby"]))
    assert (read.identity, read.language, read.persona) == ("ann", "de", "You are Ada. Grüß Gott!")
    assert read.user is None
    assert api.looks == ["lobby"]


async def test_each_caller_gets_a_room_of_their_own_unless_they_name_one(api: Api) -> None:
    """Which nobody can guess."""
    rooms = {(await wish(api)).json["room"] for _ in range(5)}
    assert len(rooms) == 5
    assert all(room.startswith("call-") and len(room) == 21 for room in rooms)
    assert rooms == set(api.rooms.dispatched)


async def test_those_who_ask_at_once_for_one_room_are_served_in_turn(api: Api) -> None:
    """Each then sees whom the one before has sent: June is asked into a room once."""
    api.rooms.takes_seconds = 0.02
    answers = await asyncio.gather(*(wish(api, ADMIN, room="one") for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    assert (api.rooms.asked, api.rooms.most_at_once) == (8, 1)
    await asyncio.gather(*(wish(api, ADMIN, room=f"room {n}") for n in range(8)))
    assert api.rooms.most_at_once == 8


async def test_to_ask_for_tokens_counts_no_call(api: Api) -> None:
    """A page that is reloaded ten times has called nobody."""
    for _ in range(10):
        assert (await wish(api)).status == 200
    assert await call(api, "ann", "1")


async def test_who_has_called_too_often_is_told_when_to_try_again(api: Api) -> None:
    """June is not sent; another user may call. To ask on makes it no worse."""
    assert await call(api, "ann", "1")
    assert await call(api, "ann", "2")
    for _ in range(5):
        answer = await wish(api)
        assert (answer.status, answer.json["reason"]) == (429, "too_many_calls")
        assert answer.headers["retry-after"] == "3600"
        assert "calls_per_hour" in answer.detail
    assert api.rooms.asked == 0
    assert (await wish(api, identity="bob")).status == 200


async def test_who_was_refused_too_often_is_told_that_they_are_blocked(api: Api) -> None:
    """For as long as the block lasts."""
    calls = [await call(api, "ann", str(number)) for number in range(5)]
    assert calls == [True, True, False, False, False]
    answer = await wish(api)
    assert (answer.status, answer.json["reason"]) == (429, "blocked")
    assert answer.headers["retry-after"] == "900"


async def test_while_june_is_paused_nobody_gets_a_token(api: Api) -> None:
    """It is no fault of the user's, so it is 503."""
    await api.sessions.money.pause(120)
    answer = await wish(api)
    assert (answer.status, answer.json["reason"]) == (503, "paused")
    assert answer.headers["retry-after"] == "120"
    assert api.rooms.asked == 0


async def test_of_users_who_are_not_known_yet_only_the_budget_is_asked(tmp_path: Path) -> None:
    """Whom a call belongs to is then known when they are in the room."""
    async with api_in(tmp_path, JUNE_CALL__USER="sip", JUNE_LIMITS__CALLS_PER_HOUR="1") as api:
        assert await call(api, "ann", "1")
        assert (await api.ask("POST", TOKEN_ROUTE, json={"identity": "ann"})).status == 200
        await api.sessions.money.pause(60)
        assert (await api.ask("POST", TOKEN_ROUTE, json={"identity": "ann"})).status == 503


async def test_a_flood_by_the_key_gets_what_is_allowed_and_no_more(api: Api) -> None:
    """However many ask at once; the operator is not held up by it."""
    answers = await asyncio.gather(*(wish(api, identity=f"user {n}") for n in range(300)))
    statuses = [answer.status for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (TOKENS_PER_MINUTE, 240)
    late = next(answer for answer in answers if answer.status == 429)
    assert late.json["reason"] == "too_many_uses"
    assert late.headers["retry-after"] == "60"
    assert api.rooms.asked == TOKENS_PER_MINUTE
    assert (await wish(api, ADMIN)).status == 200


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (LiveKitUnreachable("no LiveKit server answers at `ws://x`\nhint: run `curl`"), 503),
        (LiveKitRefused("the LiveKit server does not accept the key"), 502),
    ],
)
async def test_where_june_cannot_be_sent_there_is_no_token(
    api: Api, error: LiveKitUnreachable | LiveKitRefused, status: int
) -> None:
    """A caller would wait in a room to which nobody comes."""
    api.rooms.fails = error
    answer = await wish(api)
    assert (answer.status, answer.detail) == (status, str(error))
    assert ("retry-after" in answer.headers) == (status == 503)
    assert api.looks == []


async def test_a_livekit_server_that_does_not_answer_is_not_waited_for_for_ever(api: Api) -> None:
    """Nor does it hold up the next one who asks for this room."""
    api.rooms.takes_seconds = 60
    dispatches = Dispatches(api.rooms, patience_seconds=0.05)
    for _ in range(2):
        with pytest.raises(Problem) as late:
            await dispatches.send("lobby", {})
        assert (late.value.status_code, late.value.reason) == (503, "livekit_is_away")
    api.rooms.takes_seconds = 0
    await dispatches.send("lobby", {})
    assert list(api.rooms.dispatched) == ["lobby"]


async def test_without_a_store_nobody_gets_a_token(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could not be counted; and the words of the store's error stay in the log."""

    async def fail(*_: object, **__: object) -> None:
        raise StoreError("redis://:secret@host is away", retryable=True)

    monkeypatch.setattr(api.sessions._store.limits, "admit", fail)
    answer = await wish(api)
    assert (answer.status, answer.json["reason"]) == (503, "store_is_down")
    assert "secret" not in answer.detail


@pytest.mark.parametrize(
    "wanted",
    [
        {"identity": ""},
        {"identity": "   "},
        {"identity": "a\nb"},
        {"identity": "a\x00b"},
        {"identity": "a\x1b[31mb"},
        {"identity": "a\u2028b"},
        {"identity": "x" * 257},
        {"identity": "é" * 129},  # more bytes than a LiveKit server takes
        {"identity": None},
        {"identity": 4711},
        {"identity": ["ann"]},
        {"identity": {"$ne": None}},
        {"name": "n" * 257},
        {"name": "a\tb"},
        {"room": ""},
        {"room": "r" * 129},
        {"room": "../\r\nx"},
        {"room": "😀" * 100},
        {"language": "english please"},
        {"language": "en\n"},
        {"language": "e"},
        {"persona": ""},
        {"persona": "p" * (LONGEST_PERSONA + 1)},
        {"persona": "\x07" * 4_000},  # fits, but not as the JSON that June reads
        {"user": "somebody else"},
        {"metadata": {}},
    ],
)
async def test_what_cannot_be_a_caller_is_refused_by_its_field(
    api: Api, wanted: dict[str, object]
) -> None:
    """The answer names the field, and repeats nothing of what was in it."""
    answer = await wish(api, **wanted)
    (field,) = wanted
    assert answer.status == 422
    assert [one["field"] for one in answer.json["errors"]] == [field]
    assert f"`{field}`" in answer.detail
    assert len(answer.response.content) < 600
    assert api.rooms.asked == 0


@pytest.mark.parametrize(
    "wanted",
    [
        {"identity": "+49 30 123456"},
        {"identity": "x" * 256},
        {"identity": "日本語 ユーザー"},
        {"name": ""},
        {"name": "Zoë 👩‍💻"},
        {"room": "../../etc/passwd"},
        {"room": "r" * 128},
        {"room": "a room/with?all#kinds of&signs"},
        {"language": "pt-BR"},
        {"persona": "Line one.\nLine two."},
        {"persona": "ж" * 2_600},
    ],
)
async def test_what_can_be_a_caller_is_taken_as_it_is(api: Api, wanted: dict[str, str]) -> None:
    """A room's name is no path, and nobody's name is wrong."""
    answer = await wish(api, **wanted)
    assert answer.status == 200
    claims = jwt.decode(answer.json["token"], SECRET, algorithms=["HS256"])
    assert claims["sub"] == wanted.get("identity", "ann")
    assert claims["video"]["room"] == wanted.get("room", answer.json["room"])
    (told,) = api.rooms.dispatched.values()
    assert told.get("persona") == wanted.get("persona")
    assert read_metadata(json.dumps(told)).persona == wanted.get("persona")


async def test_every_token_is_of_now(api: Api) -> None:
    """LiveKit's clock is the machine's, whatever time the store goes by."""
    claims = jwt.decode((await wish(api)).json["token"], SECRET, algorithms=["HS256"])
    assert claims["nbf"] != NOW

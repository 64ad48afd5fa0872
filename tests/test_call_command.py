"""`./june call`: June is sent once, what is wrong is said, and what is printed suffices to join."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest
from test_cli import SERVER, june

from agent.call_command import Wanted, Whereabouts, called, send
from agent.config import Config, load
from agent.errors import CannotStart
from agent.metadata import CallMetadata, read_metadata
from agent.owed import Dispatch, Inside, Person
from agent.rooms import LiveKitClient

JUNE = frozenset({"agent-1"})


class ScriptedRooms:
    """One room, in which something happens as time passes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.junes = frozenset[str]()
        self.people: tuple[Person, ...] = ()
        self.found: list[Dispatch] = []
        self.sent: list[str] = []
        self.withdrawn: list[str] = []
        self.happens: dict[float, Callable[[], None]] = {}

    async def inside(self, room: str) -> Inside:
        return Inside(self.people, self.junes)

    async def dispatches(self, room: str) -> tuple[Dispatch, ...]:
        return tuple(self.found)

    async def dispatch(self, room: str, metadata: Mapping[str, Any] | None = None) -> str:
        return await self.send(room, json.dumps(metadata) if metadata else "")

    async def send(self, room: str, metadata: str) -> str:
        self.sent.append(metadata)
        name = f"dispatch-{len(self.sent)}"
        self.found.append(Dispatch(name, self.now, metadata))
        return name

    async def withdraw(self, room: str, dispatch_id: str) -> None:
        self.withdrawn.append(dispatch_id)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        for at in [at for at in self.happens if at <= self.now]:
            self.happens.pop(at)()

    async def called(self, **wanted: str) -> Whereabouts:
        return await send(self, Wanted("lobby", **wanted), sleep=self.sleep, now=lambda: self.now)

    def june_comes(self) -> None:
        self.junes = JUNE

    def is_taken(self) -> None:
        last = self.found.pop()
        self.found.append(Dispatch(last.id, last.created_at, last.metadata, JUNE))


@pytest.fixture
def rooms() -> ScriptedRooms:
    return ScriptedRooms()


async def test_june_is_sent_and_comes(rooms: ScriptedRooms) -> None:
    """With what she is to know about the call, and nothing that was not typed."""
    rooms.happens[1.0] = rooms.june_comes
    assert await rooms.called(identity="ann", language="de") is Whereabouts.COMING
    (sent,) = rooms.sent
    assert read_metadata(sent) == CallMetadata(identity="ann", language="de")
    assert json.loads(sent) == {"identity": "ann", "language": "de"}
    assert rooms.now == 1.0


async def test_a_call_that_is_taken_late_is_taken(rooms: ScriptedRooms) -> None:
    """June is not in the room yet."""
    rooms.happens[2.5] = rooms.is_taken
    assert await rooms.called() is Whereabouts.COMING
    assert rooms.sent == [""]


async def test_without_a_worker_it_is_said_after_three_seconds(rooms: ScriptedRooms) -> None:
    """The call waits for one all the same."""
    assert await rooms.called() is Whereabouts.UNTAKEN
    assert rooms.now == 3.0
    assert rooms.withdrawn == []


async def test_where_june_is_she_is_not_sent_again(rooms: ScriptedRooms) -> None:
    """LiveKit would send a second one."""
    rooms.june_comes()
    assert await rooms.called() is Whereabouts.THERE
    assert rooms.sent == []


async def test_where_she_talks_with_somebody_else_she_comes_when_she_is_done(
    rooms: ScriptedRooms,
) -> None:
    """She would not listen to whoever joins with this token now, and that is said."""
    rooms.june_comes()
    rooms.people = (Person("bob", 0.0),)
    rooms.found = [Dispatch("theirs", 0.0, '{"identity": "bob"}', JUNE)]
    assert await rooms.called(identity="eve") is Whereabouts.BUSY
    assert rooms.sent == ['{"identity": "eve"}']
    assert await rooms.called(identity="bob") is Whereabouts.THERE


async def test_where_she_waits_for_somebody_who_is_not_there_she_comes_anew(
    rooms: ScriptedRooms,
) -> None:
    rooms.june_comes()
    rooms.found = [Dispatch("theirs", 0.0, '{"identity": "bob"}', JUNE)]
    assert await rooms.called(identity="eve") is Whereabouts.COMING
    assert rooms.sent == ['{"identity": "eve"}']


async def test_who_is_on_her_way_is_not_sent_again(rooms: ScriptedRooms) -> None:
    """Somebody else has asked her a moment ago."""
    rooms.found = [Dispatch("theirs", 0.0)]
    rooms.happens[0.5] = rooms.june_comes
    assert await rooms.called() is Whereabouts.THERE
    assert (rooms.sent, rooms.withdrawn) == ([], [])


async def test_where_she_has_come_and_gone_she_is_sent_at_once(rooms: ScriptedRooms) -> None:
    """Her old dispatch says nothing of now."""
    rooms.found = [Dispatch("old", 0.0, junes=JUNE)]
    rooms.happens[0.5] = rooms.june_comes
    assert await rooms.called() is Whereabouts.COMING
    assert (rooms.now, rooms.withdrawn) == (0.5, [])


@pytest.mark.parametrize(
    ("wanted", "told"),
    [({}, '{"user": "crm-1"}'), ({"language": "de"}, '{"language": "de"}')],
)
async def test_a_dispatch_that_nobody_took_is_made_anew(
    rooms: ScriptedRooms, wanted: dict[str, str], told: str
) -> None:
    """With what it said, unless something else is wanted now."""
    rooms.found = [Dispatch("older", -9.0), Dispatch("lost", 0.0, '{"user": "crm-1"}')]
    rooms.happens[4.0] = rooms.june_comes
    assert await rooms.called(**wanted) is Whereabouts.COMING
    assert rooms.sent == [told]
    assert rooms.withdrawn == ["older", "lost"]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load(environ={"HOME": str(tmp_path), **SERVER})


@pytest.fixture
def _there(monkeypatch: pytest.MonkeyPatch) -> None:
    """June is in every room."""

    async def inside(*_: object) -> Inside:
        return Inside(junes=JUNE)

    async def dispatches(*_: object) -> tuple[Dispatch, ...]:
        return ()

    monkeypatch.setattr(LiveKitClient, "inside", inside)
    monkeypatch.setattr(LiveKitClient, "dispatches", dispatches)


@pytest.mark.usefixtures("_there")
async def test_what_is_printed_suffices_to_join(config: Config) -> None:
    """The token is for this room and ten minutes, and as whom one wishes."""
    told = json.loads(await called(config, Wanted("lobby", identity="ann"), as_json=True))
    token = told.pop("token")
    assert told == {
        "june": "there",
        "address": SERVER["LIVEKIT_URL"],
        "room": "lobby",
        "identity": "ann",
        "join_within_seconds": 600,
    }
    claims = jwt.decode(token, SERVER["LIVEKIT_API_SECRET"], algorithms=["HS256"])
    assert (claims["sub"], claims["video"]["room"]) == ("ann", "lobby")
    assert claims["exp"] - claims["nbf"] == 600

    read = await called(config, Wanted("lobby"), as_json=False)
    assert read.startswith("June is in that room already")
    for line in (f"address  {SERVER['LIVEKIT_URL']}", "room     lobby", "within 10 minutes"):
        assert line in read
    assert SERVER["LIVEKIT_API_SECRET"] not in read


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a\x1b[31mb",), "`ROOM` is a name that can be printed, of at most 256 bytes "),
        (("a\x1b[31mb",), "(got `a\\x1b[31mb`)"),
        (("",), "`ROOM` is a name"),
        (("ö" * 129,), "`ROOM` is a name"),
        (("lobby", "--persona", "\x07" * 4_000), "`--persona` is too long"),
        (("lobby", "--identity", "\u202eann"), "`--identity` is a name"),
        (("lobby", "--language", "Englisch"), "`--language` is a language tag (got `Englisch`)"),
        (("lobby", "--persona", ""), "`--persona` is text of at most 8,000 characters (got 0)"),
    ],
)
def test_what_cannot_be_is_said_with_what_can(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """Before the server is asked, and without the power of its characters over a terminal."""
    done = june("call", *words, folder=tmp_path, **SERVER)
    assert done.returncode == 2
    assert said in done.stderr
    assert "\nhint: " in done.stderr
    assert done.stdout == ""
    assert "\x1b" not in done.stderr


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """All of it."""
    done = june("call", "lobby", folder=tmp_path)
    assert done.returncode == 2
    assert "`LIVEKIT_URL`, `LIVEKIT_API_KEY`, `LIVEKIT_API_SECRET` are not set" in done.stderr
    assert "hint: run `export LIVEKIT_URL=…`" in done.stderr


def test_a_server_that_does_not_answer_is_said(tmp_path: Path) -> None:
    """No traceback, and no token that is of no use."""
    done = june("call", "lobby", folder=tmp_path, **SERVER)
    assert done.returncode == 2
    assert "no LiveKit server answers at `ws://127.0.0.1:9`" in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


async def test_what_is_typed_is_checked_before_anything(config: Config) -> None:
    """A persona of many words, say."""
    with pytest.raises(CannotStart, match="8,001"):
        await called(config, Wanted("lobby", persona="x" * 8_001), as_json=True)

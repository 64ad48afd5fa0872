"""`./june sessions`: what the operator sees of what is kept, and that what goes is really gone."""

import asyncio
import json
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import typer
from test_cli import ROOT, june
from test_store import said

from agent.command import show
from agent.config import Config, load
from agent.errors import CannotStart
from agent.sessions_command import deleted, forgotten, listed, shown
from agent.sessions_text import receipt
from session import (
    CloseReason,
    Removed,
    Session,
    SessionService,
    StoreError,
    TurnMetrics,
    UnknownSession,
    open_sessions,
)
from session.money import Charge, Reservation

NOW = 1_800_000_000.0

DAY_SECONDS = 86_400.0

Act = Callable[[SessionService], Awaitable[None]]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Of a June whose folder is `june`."""
    return load(environ=environment(tmp_path))


def environment(folder: Path) -> dict[str, str]:
    return {"HOME": str(folder), "JUNE_DATA__DIR": str(folder / "june")}


async def begin(sessions: SessionService, room: str = "room", user: str = "ann") -> Session:
    """A session in which each has said one thing."""
    session = await sessions.get_or_create_for_room(room, user)
    await sessions.add_message(said(session, f"{room} 1", "my cat is called Momo", at=NOW))
    await sessions.add_message(
        said(
            session,
            f"{room} 2",
            "what a lovely name for a cat",
            role="assistant",
            heard_text="what a lovely",
            at=NOW + 1,
        )
    )
    return session


async def listing(
    config: Config,
    *,
    limit: int = 50,
    skip: int = 0,
    user: str | None = None,
    as_json: bool = False,
) -> str:
    return await listed(config, limit=limit, skip=skip, user=user, as_json=as_json)


async def test_the_newest_sign_of_life_comes_first(config: Config) -> None:
    """With the reason of the end where there is one, and harmless for a terminal."""
    async with open_sessions(config.session, now=lambda: NOW) as sessions:
        first = await begin(sessions, "first")
        await sessions.close_session(first.session_id, CloseReason.GOODBYE)
    async with open_sessions(config.session, now=lambda: NOW + 5) as sessions:
        second = await begin(sessions, "a\x1b[31m red\nroom", "ben")
    heads, *rows = (await listing(config)).splitlines()
    assert heads.split() == ["id", "room", "channel", "status", "started", "messages"]
    assert rows[0].startswith(f"{second.session_id}  a\\x1b[31m red room  room     open     ")
    assert rows[1].split() == [
        first.session_id,
        "first",
        "room",
        "goodbye",
        "2027-01-15T08:00:00Z",
        "2",
    ]


async def test_a_user_is_named_by_identity(config: Config) -> None:
    """Only hashes are stored; an operator knows none."""
    async with open_sessions(config.session) as sessions:
        session = await begin(sessions, "room", "ann")
        await begin(sessions, "other", "ben")
    found = json.loads(await listing(config, user="ann", as_json=True))
    assert [one["session_id"] for one in found] == [session.session_id]
    assert json.loads(await listing(config, user="anna", as_json=True)) == []


@pytest.mark.parametrize("user", [None, "ann"])
async def test_who_showed_life_last_comes_first(config: Config, user: str | None) -> None:
    """Whenever it began."""
    at = NOW
    async with open_sessions(config.session, now=lambda: at) as sessions:
        ids = []
        for room in ("a", "b", "c", "d"):
            ids.append((await sessions.get_or_create_for_room(room, "ann")).session_id)
            at += 1
        await sessions.touch(ids[1])
    found = json.loads(await listing(config, user=user, as_json=True))
    assert [one["session_id"] for one in found] == [ids[1], ids[3], ids[2], ids[0]]


@pytest.mark.parametrize("user", [None, "ann o'hara"])
async def test_what_is_printed_for_more_shows_more(
    config: Config, tmp_path: Path, user: str | None
) -> None:
    """Each session is on one page, and the last page does not promise another."""
    async with open_sessions(config.session) as sessions:
        ids = {(await begin(sessions, f"room-{n}", "ann o'hara")).session_id for n in range(5)}
    seen: list[str] = []
    page = await listing(config, limit=2, user=user)
    for _ in range(3):
        seen += [line.split()[0] for line in page.splitlines()[1:] if line.split()[0] in ids]
        if "`" not in page:
            break
        _, *words = shlex.split(page.split("`")[1])
        page = june(*words, folder=tmp_path, JUNE_DATA__DIR=str(tmp_path / "june")).stdout
    assert sorted(seen) == sorted(ids)
    assert "more" not in page


async def test_nothing_is_said_to_be_nothing(config: Config) -> None:
    """An empty table would leave the reader in doubt."""
    assert await listing(config) == "There are no sessions."
    assert await listing(config, skip=5) == "There are no more sessions."
    assert json.loads(await listing(config, as_json=True)) == []


async def test_a_session_is_shown_as_the_caller_heard_it(config: Config) -> None:
    """Figures, money, and of a reply that was cut off what was heard."""
    async with open_sessions(config.session) as sessions:
        session = await begin(sessions)
        for turn, seconds in enumerate([0.5, 0.7, 3.0], 1):
            metrics = TurnMetrics(turn=turn, at=NOW, reply_seconds=seconds)
            await sessions.update_session_metrics(session.session_id, metrics)
        budgets = sessions.money.budgets_of(session)
        await sessions.money.reserve(Reservation("1", budgets, micros=50_000, tokens=9))
        await sessions.money.settle("1", Charge(micros=12_300, tokens=7))
        await sessions.keep_summary(session.session_id, "She has a cat.", 1)
    text = await shown(config, session.session_id, as_json=False)
    assert "replies    mean 1.40 s, p50 0.70 s, p95 3.00 s (3 timed)" in text
    assert "spent      $0.0123" in text
    assert "ann" not in text.replace("channel", "")
    assert "\nturn 3 " in text
    assert text[text.index("in short") :].splitlines() == [
        "in short: She has a cat.",
        "",
        "2027-01-15T08:00:00Z  caller  my cat is called Momo",
        "2027-01-15T08:00:01Z  june    what a lovely [cut off]",
    ]
    told = json.loads(await shown(config, session.session_id, as_json=True))
    assert told["session"]["session_id"] == session.session_id
    assert told["spent_micros"] == 12_300
    assert told["reply_times"]["p95_seconds"] == 3.0
    assert [one["text"] for one in told["messages"]][1] == "what a lovely name for a cat"


async def test_a_session_that_is_deleted_is_gone(config: Config) -> None:
    """And only it."""
    async with open_sessions(config.session) as sessions:
        gone, kept = await begin(sessions, "gone"), await begin(sessions, "kept", "ben")
    assert gone.session_id in await deleted(config, gone.session_id)
    for command in (deleted(config, gone.session_id), shown(config, gone.session_id, as_json=True)):
        with pytest.raises(UnknownSession):
            await command
    found = json.loads(await listing(config, as_json=True))
    assert [one["session_id"] for one in found] == [kept.session_id]


async def test_a_receipt_says_what_was_removed_and_the_words_are_in_no_file(
    config: Config, tmp_path: Path
) -> None:
    """Not even in the free pages of the database."""
    async with open_sessions(config.session) as sessions:
        session = await begin(sessions)
        await begin(sessions, "room-2")
        other = await begin(sessions, "other", "ben")
        await sessions.update_session_metrics(session.session_id, TurnMetrics(turn=1, at=NOW))
        await sessions.duplicates.claim_message(session, "typed-1")
        await sessions.duplicates.answered(session, "typed-1", "Momo is a fine name")
        await sessions.delete_session(other.session_id)
    assert "Momo" in everything_in(tmp_path) or "lovely" in everything_in(tmp_path)
    text = await forgotten(config, "ann")
    assert text.startswith(f"June forgot `ann` in `sqlite:{tmp_path}/june/june.db`, on 20")
    removed = {"sessions": 2, "messages": 4, "measured turns": 1, "kept answers": 1}
    for name, count in removed.items():
        assert f"\n  {name:<16}{count}\n" in text
    assert "2 of the sessions were open" in text
    assert "names of their rooms, for up to two hours after a call" in plain(text)
    assert "Momo" not in everything_in(tmp_path)
    assert "lovely" not in everything_in(tmp_path)


def plain(text: str) -> str:
    return " ".join(text.split())


def everything_in(folder: Path) -> str:
    return "".join(
        path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()
    )


async def test_what_is_not_removed_at_once_is_gone_within_three_days(
    config: Config, tmp_path: Path
) -> None:
    """How often somebody called, their block and their account, as the receipt promises."""
    at = NOW
    async with open_sessions(config.session, now=lambda: at) as sessions:
        session = await begin(sessions)
        for _ in range(8):
            at += 14_400.0  # the longest block is over, and the next one as long
            for turn in range(30):
                await sessions.reserve_turn(session, turn, "hello")
        budgets = sessions.money.budgets_of(session)
        await sessions.money.reserve(Reservation("1", budgets, micros=5, tokens=5))
        at += 120.0  # its call has died, and another one looks at the money
        await sessions.money.today()
    text = await forgotten(config, "ann")
    assert "within 3 days" in text
    for key in ("turns of", "block of", "user"):
        assert f"{key} {session.user}" in everything_in(tmp_path)
    at += 3 * DAY_SECONDS
    async with open_sessions(config.session, now=lambda: at) as sessions:
        await sessions.cleanup_expired_sessions()
    assert session.user not in everything_in(tmp_path)


async def test_whom_nobody_knows_is_not_an_error(config: Config) -> None:
    """But may be a misspelling, or another key."""
    async with open_sessions(config.session) as sessions:
        await begin(sessions)
    text = await forgotten(config, "Ann")
    assert text.startswith("June kept nothing of `Ann` in ")
    assert "`JUNE_SECRET_KEY`" in text
    assert len(json.loads(await listing(config, as_json=True))) == 1


async def test_files_that_were_set_aside_are_named_for_removal(
    config: Config, tmp_path: Path
) -> None:
    """June deletes no damaged database by herself, and somebody's words are still in it."""
    folder = tmp_path / "june"
    folder.mkdir()
    damaged = folder / "june.db.damaged-4711-1764000000"
    damaged.write_text("my cat is called Momo")
    (folder / "june.db.damaged-4711-1764000000-wal").write_text("Momo")
    text = await forgotten(config, "ann")
    commands = [line.strip() for line in text.splitlines() if line.startswith("  rm ")]
    assert len(commands) == 2
    for command in commands:
        await asyncio.to_thread(subprocess.run, command, shell=True, check=True)
    assert "Momo" not in everything_in(tmp_path)


def test_a_receipt_shows_no_escapes_of_a_name() -> None:
    """It is copied from somewhere else."""
    text = receipt("a\x1b[2J", Removed(), still_open=0, store="memory:", set_aside=(), at=NOW)
    assert "a\\x1b[2J" in text


async def test_a_store_that_a_worker_uses_is_used_beside_it(config: Config, tmp_path: Path) -> None:
    """It goes on, and what it says too late of somebody forgotten is not kept."""
    june_dir = str(tmp_path / "june")
    async with open_sessions(config.session) as sessions:
        session = await begin(sessions)
        listed_too = june("sessions", "list", folder=tmp_path, JUNE_DATA__DIR=june_dir)
        assert session.session_id in listed_too.stdout
        done = june("sessions", "forget", "ann", "--yes", folder=tmp_path, JUNE_DATA__DIR=june_dir)
        assert done.returncode == 0
        assert done.stdout.startswith("June forgot `ann`")
        with pytest.raises(UnknownSession):
            await sessions.add_message(said(session, "late"))
        await begin(sessions, "room-2", "ben")
    assert done.stderr == listed_too.stderr == ""


def test_an_id_that_is_unknown_is_said_with_the_way_to_all_ids(tmp_path: Path) -> None:
    """Exit code 1, no traceback."""
    for command in ("show", "delete"):
        done = june("sessions", command, "nobody", folder=tmp_path)
        assert done.returncode == 1
        assert done.stderr == (
            "error: no session has the id `nobody`\n"
            "hint: run `./june sessions list` to see every id\n"
        )


def test_a_store_that_is_busy_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """It is not the operator's fault, and will pass."""

    async def busy() -> str:
        raise StoreError("the store is locked", retryable=True)

    with pytest.raises(typer.Exit) as ended:
        show(busy())
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == "error: the store is locked\nhint: try again in a moment\n"


def test_a_store_that_is_none_is_said(tmp_path: Path) -> None:
    """As the worker says it."""
    (tmp_path / "june").mkdir()
    (tmp_path / "june/june.db").write_bytes(b"not a database " * 400)
    done = june("sessions", "list", folder=tmp_path, JUNE_DATA__DIR=str(tmp_path / "june"))
    assert done.returncode == 2
    assert "is not a SQLite database" in done.stderr
    assert "hint:" in done.stderr


async def test_a_memory_that_is_a_process_s_own_has_nothing_to_show(tmp_path: Path) -> None:
    """An empty list would be taken for the truth."""
    config = load(environ={"HOME": str(tmp_path), "JUNE_STORE__URL": "memory:"})
    with pytest.raises(CannotStart, match=r"(?s)keeps nothing between processes.*hint: "):
        await forgotten(config, "ann")


def test_forgetting_without_a_terminal_needs_a_yes(tmp_path: Path) -> None:
    """Nothing was asked, and nothing is done."""
    done = june("sessions", "forget", "ann", folder=tmp_path)
    assert done.returncode == 2
    assert "`--yes`" in done.stderr
    assert not (tmp_path / ".local").exists()


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, 1), ("y", 0, 0)])
async def test_forgetting_on_a_terminal_is_confirmed(
    config: Config, tmp_path: Path, answer: str, code: int, left: int
) -> None:
    """It cannot be undone."""
    async with open_sessions(config.session) as sessions:
        await begin(sessions)
    terminal, its_end = pty.openpty()
    try:
        os.write(terminal, f"{answer}\n".encode())
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-P", "-m", "agent", "sessions", "forget", "ann"],
            env={"PYTHONPATH": str(ROOT), **environment(tmp_path)},
            cwd=tmp_path,
            stdin=its_end,
            capture_output=True,
            timeout=30,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(its_end)
    assert done.returncode == code
    assert b"Delete all that June keeps of `ann`?" in done.stdout + done.stderr
    assert len(json.loads(await listing(config, as_json=True))) == left


def test_the_settings_are_found_as_for_every_command(tmp_path: Path) -> None:
    """Before the command's name and after it."""
    (tmp_path / "my.toml").write_text(f'[data]\ndir = "{tmp_path}/elsewhere"\n')
    for words in (
        ("sessions", "list", "--config", "my.toml"),
        ("--config", "my.toml", "sessions", "list"),
    ):
        assert june(*words, folder=tmp_path).stdout == "There are no sessions.\n"
    assert (tmp_path / "elsewhere/june.db").exists()
    assert not (tmp_path / ".local").exists()


def test_livekit_is_not_needed(tmp_path: Path) -> None:
    """Nor imported: a list is there at once."""
    script = (
        "import sys\n"
        "from agent.__main__ import main\n"
        "sys.argv = ['june', 'sessions', 'list']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code in (None, 0)\n"
        "heavy = {'livekit', 'numpy', 'onnxruntime', 'piper', 'aiohttp', 'genai_prices'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT), **environment(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("There are no sessions.\n", "\n")

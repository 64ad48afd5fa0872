"""The synchronous face of the memory, for scripts."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_store import said

from session import (
    NoGuestTokens,
    Removed,
    SessionConfig,
    SkillSession,
    StoreUnusable,
    TurnMetrics,
    UnknownSession,
    compat,
)
from session.compat import SessionManager


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[SessionManager]:
    opened = SessionManager(SessionConfig(tmp_path / "june"))
    yield opened
    opened.close()


def test_a_script_gets_a_session(manager: SessionManager) -> None:
    """As the original June promised."""
    session = manager.get_or_create_session_for_room("test-room", "test-user")
    assert session.room_name == "test-room"
    assert manager.get_session(session.session_id) == session
    again = manager.get_or_create_session_for_room("test-room", "test-user")
    assert again.session_id == session.session_id


async def test_it_works_inside_a_running_event_loop(manager: SessionManager) -> None:
    """A notebook has one."""
    session = manager.get_or_create_session_for_room("test-room", "test-user")
    assert manager.add_message(said(session, "1", "hello"))
    assert [one.text for one in manager.get_history(session.session_id)] == ["hello"]
    assert manager.get_stats().messages == 1


def test_what_is_unknown_is_said_to_be(manager: SessionManager) -> None:
    """Errors come out as they are."""
    with pytest.raises(UnknownSession, match="nobody"):
        manager.get_session("nobody")
    assert manager.get_session_by_room("nowhere") is None
    assert not manager.delete_session("nobody")


def test_a_store_that_cannot_be_opened_leaves_nothing_running(tmp_path: Path) -> None:
    """And the next use tries again."""
    (tmp_path / "june.db").write_text("this is no database")
    manager = SessionManager(SessionConfig(tmp_path))
    with pytest.raises(StoreUnusable, match="hint:"):
        manager.get_stats()
    assert manager._thread is None
    (tmp_path / "june.db").unlink()
    assert manager.get_stats().messages == 0
    manager.close()


def test_a_whole_script(tmp_path: Path) -> None:
    """In a process of its own, which ends by itself."""
    script = (
        "from session.compat import session_manager\n"
        "one = session_manager.get_or_create_session_for_room('test-room', 'test-user')\n"
        "print(one.session_id, one.room_name)\n"
    )
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(root), "JUNE_DATA__DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.split()[1] == "test-room"
    assert done.stderr == ""
    left = {file.name for file in tmp_path.iterdir()}
    assert {"june.db", "secret.key"} <= left
    assert not {"june.db-wal", "june.db-shm"} & left, "it was closed"


async def test_every_word_of_the_service_is_spoken(manager: SessionManager) -> None:
    """Inside a running event loop, as a notebook has one."""
    session = manager.get_or_create_session_for_room("test-room", "test-user")
    assert manager.list_sessions() == (session,)
    assert manager.list_sessions(1, skip=1) == ()
    skill = SkillSession(name="storyteller", version=1, state={"page": 2}, started_at=1.0)
    manager.save_skill(session.session_id, skill)
    assert manager.get_session(session.session_id).skill == skill
    manager.update_session_metrics(
        session.session_id, TurnMetrics(turn=1, at=1.0, reply_seconds=0.5)
    )
    assert manager.reply_times(session.session_id).p50_seconds == 0.5
    assert manager.cleanup_expired_sessions() == Removed()
    assert manager.forget_user("test-user") == Removed(sessions=1, turns=1)
    assert manager.get_user_sessions("test-user") == ()
    assert manager.close_session(session.session_id) is False


def test_tokens_are_minted_by_whoever_knows_livekit(
    manager: SessionManager, tmp_path: Path
) -> None:
    """Without it that is said."""

    class Mint:
        def mint(self, room_name: str, identity: str) -> str:
            return f"a token for {identity} in {room_name}"

    with pytest.raises(NoGuestTokens, match="guest_tokens="):
        manager.generate_guest_token("test-room", "ann")
    minting = SessionManager(SessionConfig(tmp_path / "june"), Mint())
    assert minting.generate_guest_token("test-room", "ann") == "a token for ann in test-room"
    minting.close()


@pytest.mark.parametrize(
    ("url", "opened"),
    [
        ("", ""),
        ("memory:", "memory:"),
        ("sqlite:~/june.db", "sqlite:{home}/june.db"),
        ("redis://:a//b@h:6379/0", "redis://:a//b@h:6379/0"),
    ],
)
def test_a_script_finds_the_store_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, opened: str
) -> None:
    """Only a path has a home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JUNE_STORE__URL", url)
    monkeypatch.setenv("JUNE_SECRET_KEY", "0123456789abcdef")
    assert compat._config().store_url == opened.format(home=tmp_path)


def test_a_script_with_redis_needs_the_key_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under another key it would find nobody, and say so of everybody."""
    monkeypatch.setenv("JUNE_STORE__URL", "redis://:hush-hush@h:6379")
    with pytest.raises(StoreUnusable, match=r"(?s)`JUNE_SECRET_KEY` is not set.*hint: ") as caught:
        SessionManager().get_stats()
    assert "hush" not in str(caught.value)

"""The synchronous face of the memory, for scripts."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_store import said

from session import SessionConfig, StoreUnusable, UnknownSession
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
    assert {file.name for file in tmp_path.iterdir()} == {"june.db", "secret.key"}, "closed"

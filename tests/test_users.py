"""The key of users' hashes: what is wrong with it is said, and two users are never one."""

from pathlib import Path

import pytest

from session import SessionConfig, StoreUnusable, open_sessions
from session.users import KEY_FILE, hash_user, key_in


def test_users_that_differ_in_no_utf8_are_two() -> None:
    """One must never be given what the other said."""
    key = b"k" * 32
    assert len({hash_user(user, key) for user in ("u\ud800", "u\ud801", "u?", "u\ufffd")}) == 4


@pytest.mark.parametrize("content", [b"", b"half of a key"])
def test_a_torn_key_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    """A hash under an empty key could be guessed; under a new one nobody would be remembered."""
    path = tmp_path / KEY_FILE
    path.write_bytes(content)
    with pytest.raises(StoreUnusable, match=r"bytes instead of 32\nhint: "):
        key_in(tmp_path)
    assert path.read_bytes() == content


def test_a_folder_that_cannot_hold_the_key_is_refused_in_words(tmp_path: Path) -> None:
    """Here it is a file."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnusable, match=r"neither read nor made.*\nhint: "):
        key_in(tmp_path / "file")


async def test_the_key_has_a_folder_when_the_store_is_elsewhere(tmp_path: Path) -> None:
    """`[store] url` names another folder, and nothing has made June's yet."""
    config = SessionConfig(tmp_path / "june", store_url=f"sqlite:{tmp_path}/else/june.db")
    async with open_sessions(config) as sessions:
        await sessions.get_or_create_for_room("room", "ann")
    assert [file.name for file in (tmp_path / "june").iterdir()] == [KEY_FILE]
    assert (tmp_path / "june").stat().st_mode & 0o077 == 0


async def test_a_store_in_memory_needs_no_folder(tmp_path: Path) -> None:
    """A call whose store is away goes on with one, whatever is wrong with the disk."""
    (tmp_path / "file").write_text("")
    async with open_sessions(SessionConfig(tmp_path / "file", store_url="memory:")) as sessions:
        assert await sessions.get_user_sessions("ann") == ()


def test_a_configuration_does_not_show_its_key() -> None:
    """It may be logged."""
    assert "hunter2" not in repr(SessionConfig(Path("june"), secret_key=b"hunter2"))

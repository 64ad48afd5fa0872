"""The notebook: in order, off the audio path, and nothing lost that can be kept."""

import asyncio

import pytest
from structlog.testing import capture_logs

from agent import notebook as notebook_module
from agent.notebook import LONGEST_QUEUE, Notebook
from session import Message, SessionConfig, SessionService, SkillSession, StoreError


def message(number: int, role: str = "user") -> Message:
    return Message.model_validate(
        {
            "id": str(number),
            "session_id": "s",
            "call_id": "c",
            "participant": "caller",
            "role": role,
            "source": "voice",
            "language": "en",
            "turn": number,
            "text": f"message {number}",
            "at": 0.0,
        }
    )


class Script(SessionService):
    """A store that is away for so many writes; what it kept, in order."""

    def __init__(self, away: int = 0) -> None:
        super().__init__(SessionConfig.__new__(SessionConfig))
        self.away = away
        self.kept: list[str] = []
        self.committed: list[int] = []
        self.wait: asyncio.Event | None = None
        self.skills: list[tuple[SkillSession | None, int]] = []
        """Each with how many messages were kept before it."""

    async def save_skill(self, session_id: str, skill: SkillSession | None) -> None:
        if self.away > 0:
            self.away -= 1
            raise StoreError("away", retryable=True)
        self.skills.append((skill, len(self.kept)))

    async def commit_turn(self, session_id: str, turn: int) -> bool:
        self.committed.append(turn)
        return True

    async def add_message(self, message: Message) -> bool:
        if self.wait is not None:
            await self.wait.wait()
        await asyncio.sleep(0)
        if self.away > 0:
            self.away -= 1
            raise StoreError("away", retryable=True)
        self.kept.append(message.id)
        return True


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store comes back at once in these tests."""
    monkeypatch.setattr(notebook_module, "RETRY_SECONDS", 0.0)


async def test_messages_are_written_in_order_before_the_call_is_over() -> None:
    """Noting never waits; the end does."""
    sessions = Script()
    async with Notebook(sessions) as notebook:
        for number in range(50):
            notebook.note(message(number))
        assert sessions.kept == []
    assert sessions.kept == [str(number) for number in range(50)]


async def test_a_user_s_message_commits_its_turn() -> None:
    """And June's does not."""
    sessions = Script()
    async with Notebook(sessions) as notebook:
        notebook.note(message(1, "user"))
        notebook.note(message(2, "assistant"))
    assert sessions.committed == [1]


async def test_which_skill_has_the_floor_is_kept_in_order_with_what_was_said() -> None:
    """Also by a store that was away meanwhile."""
    sessions = Script(away=2)
    story = SkillSession(name="storyteller", version=1, state={}, started_at=0.0)
    async with Notebook(sessions) as notebook:
        notebook.note(message(1))
        notebook.note_skill("s", story)
        notebook.note(message(2))
        notebook.note_skill("s", None)
    assert sessions.skills == [(story, 1), (None, 2)]


async def test_a_store_that_comes_back_loses_nothing() -> None:
    """Said once in the log, however often it was tried."""
    sessions = Script(away=5)
    with capture_logs() as logs:
        async with Notebook(sessions) as notebook:
            for number in range(3):
                notebook.note(message(number))
    assert sessions.kept == ["0", "1", "2"]
    assert [entry["event"] for entry in logs] == ["store.unavailable"]
    assert notebook.lost == 0


async def test_a_store_that_stays_away_ends_the_wait_and_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The end of a call does not hang; the loss is an error in the log."""
    monkeypatch.setattr(notebook_module, "PATIENCE_SECONDS", 0.05)
    sessions = Script()
    sessions.wait = asyncio.Event()
    with capture_logs() as logs:
        async with Notebook(sessions) as notebook:
            for number in range(4):
                notebook.note(message(number))
    assert notebook.lost == 4
    assert [entry["event"] for entry in logs] == ["notebook.messages_lost"]


async def test_the_queue_is_bounded() -> None:
    """A store that is away for hours must not eat the memory of the machine."""
    sessions = Script()
    async with Notebook(sessions) as notebook:
        for number in range(LONGEST_QUEUE + 10):
            notebook.note(message(number))
        assert notebook.lost == 10
    assert len(sessions.kept) == LONGEST_QUEUE


async def test_the_words_of_a_caller_are_in_no_log_line() -> None:
    """Not even when they cannot be written."""
    sessions = Script(away=2)
    with capture_logs() as logs:
        async with Notebook(sessions) as notebook:
            notebook.note(message(7))
    assert "message 7" not in str(logs)

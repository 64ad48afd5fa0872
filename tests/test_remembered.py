"""What a call begins with, also when the store cannot be used."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livekit.agents import llm
from structlog.testing import capture_logs
from test_store import said

from agent.remembered import chat_context, closed, recall, sessions_for_call
from session import CloseReason, SessionConfig

ANN: Any = {"room": "room", "user": "ann", "channel": "room", "language": "en"}


async def test_a_call_goes_on_without_its_store(tmp_path: Path) -> None:
    """It remembers itself only, and the log says so."""
    (tmp_path / "june.db").write_bytes(b"not a database " * 400)
    with capture_logs() as logs:
        sessions = await sessions_for_call(SessionConfig(tmp_path))
    memory = await recall(sessions, **ANN)
    assert memory.session.room_name == "room"
    assert [entry["event"] for entry in logs] == ["store.unavailable"]
    await sessions.aclose()


@dataclass
class Ended:
    """An Ending by what is written of it."""

    reason: CloseReason | None
    seconds_ago: float = 0.0


async def test_a_call_that_was_replaced_does_not_close_it_under_the_other(tmp_path: Path) -> None:
    """It ends late: another June has resumed the session, and lives."""
    sessions = await sessions_for_call(SessionConfig(tmp_path))
    replaced = (await recall(sessions, **ANN)).session
    living = (await recall(sessions, **ANN)).session
    assert living.session_id == replaced.session_id
    late: Any = Ended(CloseReason.REPLACED)
    await closed(sessions, replaced, late)
    assert (await sessions.get_session(living.session_id)).close_reason is None
    goodbye: Any = Ended(CloseReason.GOODBYE)
    await closed(sessions, living, goodbye)
    kept = await sessions.get_session(living.session_id)
    assert kept.close_reason is CloseReason.GOODBYE
    await sessions.aclose()


async def test_the_model_is_given_what_was_heard(tmp_path: Path) -> None:
    """Not what June was kept from saying; in order, and nothing empty."""
    sessions = await sessions_for_call(SessionConfig(tmp_path))
    session = await sessions.get_or_create_for_room("room", "ann")
    for message in (
        said(session, "1", "What can you do?"),
        said(session, "2", "I can do much", role="assistant", heard_text="I can"),
        said(session, "3", ""),
    ):
        await sessions.add_message(message)
    memory = await recall(sessions, **ANN)
    context: llm.ChatContext = chat_context(memory.context)
    assert [(one.role, one.text_content) for one in context.messages()] == [
        ("user", "What can you do?"),
        ("assistant", "I can"),
    ]
    await sessions.aclose()

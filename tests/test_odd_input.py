"""What nobody should hand to the memory, and somebody will: an answer, and nothing broken."""

import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from test_store import NOW, begin, said

from session import CloseReason, LimitConfig, Message, SessionConfig, SessionService, open_sessions
from session.errors import StoreError
from session.store import SqliteStore

ODD = ["\ud800", "a\0b", "\x1b[31m", ""]


@pytest.fixture(params=["", "memory:"], ids=["sqlite", "memory"])
async def sessions(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SessionService]:
    config = SessionConfig(tmp_path / "june", store_url=request.param)
    async with open_sessions(config, now=lambda: NOW) as opened:
        yield opened


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["id", "call_id", "participant", "language", "text", "heard_text"])
async def test_any_text_in_a_message_is_kept(sessions: SessionService, name: str, odd: str) -> None:
    """Whichever field it is in: the notebook must not stop for it."""
    session = await sessions.get_or_create_for_room("room", "ann")
    message = said(session, "1").model_copy(update={name: odd})
    assert await sessions.add_message(message)
    assert not await sessions.add_message(message)
    assert len(await sessions.history(session.session_id)) == 1


@pytest.mark.parametrize("odd", ODD)
async def test_any_text_may_be_an_id(sessions: SessionService, odd: str) -> None:
    """It is the id of nothing."""
    await sessions.touch(odd)
    assert not await sessions.close_session(odd, CloseReason.IDLE)
    assert not await sessions.commit_turn(odd, 1)
    await sessions.ask_to_leave(odd)
    assert await sessions.history(odd) == ()


async def test_what_is_too_long_counts_as_a_turn(tmp_path: Path) -> None:
    """June answers it, in a sentence that costs as much as any other."""
    config = SessionConfig(tmp_path, limits=LimitConfig(turns_per_minute=2))
    async with open_sessions(config, now=lambda: NOW) as sessions:
        session = await sessions.get_or_create_for_room("room", "ann")
        reasons = [
            (await sessions.reserve_turn(session, turn, "x" * 2001)).reason for turn in (1, 1, 2, 3)
        ]
        assert reasons == ["too_long", "too_long", "too_long", "too_many_turns"]


async def test_too_long_is_too_long_without_a_store(sessions: SessionService) -> None:
    """The words decide; a store that is away must not let them through."""
    session = await sessions.get_or_create_for_room("room", "ann")
    await sessions.aclose()
    assert (await sessions.reserve_turn(session, 1, "x" * 2001)).reason == "too_long"


async def test_a_closed_session_gives_no_sign_of_life(sessions: SessionService) -> None:
    """A late one must not keep it resumable."""
    session = await sessions.get_or_create_for_room("room", "ann")
    await sessions.close_session(session.session_id, CloseReason.DRAIN)
    closed = await sessions.get_session(session.session_id)
    await sessions.touch(session.session_id)
    assert await sessions.get_session(session.session_id) == closed


def test_a_time_that_is_no_number_is_refused_without_the_words() -> None:
    """It could not be read back; and what was said belongs in no error."""
    fields = said_fields() | {"at": math.nan}
    with pytest.raises(ValidationError) as raised:
        Message.model_validate(fields)
    assert "my PIN" not in str(raised.value)


async def test_a_record_that_cannot_be_read_is_a_fault_of_the_store(tmp_path: Path) -> None:
    """The call goes on without it, and the error does not show what was said."""
    store = await SqliteStore.open(tmp_path / "june.db")
    session = await begin(store)
    await store.sessions.append(said(session, "1", "my PIN"), now=NOW)
    await store.db.write(
        lambda db: db.execute('UPDATE messages SET record = \'{"text": "my PIN"}\'')
    )
    with pytest.raises(StoreError, match="holds a Message that cannot be read") as raised:
        await store.sessions.messages(session.session_id)
    assert "my PIN" not in f"{raised.value} {raised.value.__cause__}"
    await store.aclose()


def said_fields() -> dict[str, object]:
    return {
        "id": "1",
        "session_id": "s",
        "call_id": "c",
        "participant": "caller",
        "role": "user",
        "source": "voice",
        "language": "en",
        "turn": 1,
        "text": "my PIN",
        "at": NOW,
    }

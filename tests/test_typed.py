"""Typed text that is delivered twice is answered once, the second time with the same answer."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from livekit.agents import llm

from agent.typed import TypedOnce
from session import Claim, Session, SessionConfig, SessionService, open_sessions
from session.patience import Patience


class Speech:
    """An answer, as LiveKit's handle shows it once it is done."""

    def __init__(self, *said: str) -> None:
        self.chat_items = [
            llm.ChatMessage(role="user", content=["What is two plus two?"]),
            *(llm.ChatMessage(role="assistant", content=[text]) for text in said),
        ]

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        callback(self)


class Clock:
    now = 1000.0


@pytest.fixture
async def sessions() -> AsyncIterator[SessionService]:
    config = SessionConfig(Path("unused"), "memory:")
    async with open_sessions(config, now=lambda: Clock.now) as opened:
        yield opened


@pytest.fixture
async def session(sessions: SessionService) -> Session:
    Clock.now = 1000.0
    return await sessions.get_or_create_for_room("room", "ann")


async def follow(typed: TypedOnce, speech: Speech, message_id: str | None) -> None:
    typed.follow(speech, message_id)  # type: ignore[arg-type]  # what is asked of a handle
    await typed.aclose()


async def test_the_same_id_gets_the_same_answer(sessions: SessionService, session: Session) -> None:
    """Also in a later call of the same session, and also with other words."""
    typed = TypedOnce(sessions, session, Patience())
    assert (await typed.claim("What is two plus two?", "id")).is_first
    assert await typed.claim("What is two plus two?", "id") == Claim(is_first=False)
    await follow(typed, Speech("Four.", "Anything else?"), "id")
    later = TypedOnce(sessions, session, Patience())
    Clock.now += 500
    assert await later.claim("?", "id") == Claim(is_first=False, result="Four. Anything else?")
    Clock.now += 600
    assert (await later.claim("?", "id")).is_first


async def test_what_was_not_answered_may_be_tried_again(
    sessions: SessionService, session: Session
) -> None:
    """The model failed, or the call ended."""
    typed = TypedOnce(sessions, session, Patience())
    assert (await typed.claim("hello", "id")).is_first
    await follow(typed, Speech(), "id")
    Clock.now += 10
    assert (await typed.claim("hello", "id")).is_first


async def test_the_same_words_count_once_within_three_seconds(
    sessions: SessionService, session: Session
) -> None:
    """People press a button twice; later they mean it."""
    typed = TypedOnce(sessions, session, Patience())
    assert (await typed.claim("Yes", "a")).is_first
    Clock.now += 2.9
    assert await typed.claim("yes ", "b") == Claim(is_first=False)
    Clock.now += 0.1
    assert (await typed.claim("yes", None)).is_first


async def test_with_the_store_away_everything_is_answered(
    sessions: SessionService, session: Session, tmp_path: Path
) -> None:
    """Twice is better than never."""
    away = open_sessions(SessionConfig(tmp_path))
    async with away:
        pass
    typed = TypedOnce(away, session, Patience())
    for _ in range(2):
        assert (await typed.claim("hello", "id")).is_first
    await follow(typed, Speech("Hello."), "id")

"""Typed text that is delivered twice is answered once, the second time with the same answer."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from livekit.agents import llm

from agent.lines import ENGLISH
from agent.typed import TypedOnce
from session import (
    Claim,
    LimitConfig,
    Session,
    SessionConfig,
    SessionService,
    open_sessions,
)
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
    handle: Any = speech
    typed.follow(handle, "hello", message_id)
    await typed.aclose()


def listening(sessions: SessionService, session: Session) -> TypedOnce:
    return TypedOnce(sessions, session, ENGLISH, Patience())


async def test_the_same_id_gets_the_same_answer(sessions: SessionService, session: Session) -> None:
    """Also in a later call of the same session, and also with other words."""
    typed = listening(sessions, session)
    assert (await typed.claim("What is two plus two?", "id")).is_first
    assert await typed.claim("What is two plus two?", "id") == Claim(is_first=False)
    await follow(typed, Speech("Four.", "Anything else?"), "id")
    later = listening(sessions, session)
    Clock.now += 500
    assert await later.claim("?", "id") == Claim(is_first=False, result="Four. Anything else?")
    Clock.now += 600
    assert (await later.claim("?", "id")).is_first


@pytest.mark.parametrize("said", [(), ("",), (ENGLISH.trouble,), (ENGLISH.too_many_turns,)])
async def test_what_was_not_answered_may_be_tried_again_at_once(
    sessions: SessionService, session: Session, said: tuple[str, ...]
) -> None:
    """The model failed, or June asked for a moment: an apology is no answer."""
    typed = listening(sessions, session)
    assert (await typed.claim("hello", "id")).is_first
    await follow(typed, Speech(*said), "id")
    assert (await typed.claim("hello", "id")).is_first


async def test_who_died_over_an_answer_holds_it_for_a_minute(
    sessions: SessionService, session: Session
) -> None:
    """The call that is resumed answers it then."""
    assert (await listening(sessions, session).claim("hello", "id")).is_first
    Clock.now += 59
    assert not (await listening(sessions, session).claim("hello", "id")).is_first
    Clock.now += 1
    assert (await listening(sessions, session).claim("hello", "id")).is_first


async def test_an_id_is_free_where_its_words_were_just_typed(
    sessions: SessionService, session: Session
) -> None:
    """Delivered again later it is a question of its own."""
    typed = listening(sessions, session)
    assert (await typed.claim("hello", "a")).is_first
    assert not (await typed.claim("hello", "b")).is_first
    Clock.now += 4
    assert (await typed.claim("hello", "b")).is_first


async def test_an_answer_is_taken_once_and_said_again(
    sessions: SessionService, session: Session
) -> None:
    """What cannot be taken, because the voice is closing, is free again."""
    typed = listening(sessions, session)
    said: list[str] = []

    async def take(text: str) -> Any:
        return Speech("Four.")

    async def fail(text: str) -> Any:
        raise RuntimeError("closing")

    async def say(text: str) -> None:
        said.append(text)

    with pytest.raises(RuntimeError):
        await typed.answer("2+2?", "id", fail, say)
    await typed.aclose()
    await typed.answer("2+2?", "id", take, say)
    await typed.aclose()
    await typed.answer("2+2?", "id", fail, say)
    assert said == ["Four."]


async def test_an_answer_that_is_given_again_counts_as_a_turn() -> None:
    """Or a client could make June speak for ever by sending one id."""
    config = SessionConfig(Path("unused"), "memory:", limits=LimitConfig(turns_per_minute=3))
    async with open_sessions(config, now=lambda: 1000.0) as sessions:
        session = await sessions.get_or_create_for_room("room", "ann")
        allowed = [(await sessions.reserve_repeat(session)).allowed for _ in range(5)]
    assert allowed == [True, True, True, False, False]


async def test_of_a_session_that_was_deleted_nothing_is_kept(
    sessions: SessionService, session: Session
) -> None:
    """Forgotten in the middle of a call, a user's answers are not kept either."""
    await sessions.forget_user("ann")
    typed = listening(sessions, session)
    for _ in range(2):
        Clock.now += 5
        assert (await typed.claim("hello", "id")).is_first
        await follow(typed, Speech("Hello."), "id")


async def test_the_same_words_count_once_within_three_seconds(
    sessions: SessionService, session: Session
) -> None:
    """People press a button twice; later they mean it."""
    typed = listening(sessions, session)
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
    typed = listening(away, session)
    for _ in range(2):
        assert (await typed.claim("hello", "id")).is_first
    await follow(typed, Speech("Hello."), "id")

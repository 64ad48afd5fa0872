"""SessionService: the one door."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue
from test_store import said

from session import (
    Claim,
    CloseReason,
    LimitConfig,
    NoGuestTokens,
    SessionConfig,
    SessionService,
    SkillSession,
    TurnMetrics,
    UnknownSession,
    open_sessions,
)
from session.gate import decide_turn
from session.service import CONTEXT_MESSAGES
from session.storable import storable
from session.users import hash_user, key_in

USER = "+49 30 123456"


@pytest.fixture
async def sessions(tmp_path: Path) -> AsyncIterator[SessionService]:
    async with open_sessions(SessionConfig(tmp_path / "june"), now=lambda: 1000.0) as opened:
        yield opened


async def test_an_identity_is_never_stored(sessions: SessionService, tmp_path: Path) -> None:
    """Only its keyed hash."""
    session = await sessions.get_or_create_for_room("room", USER)
    await sessions.aclose()
    assert USER not in session.model_dump_json()
    for file in (tmp_path / "june").iterdir():
        assert USER.encode() not in file.read_bytes()


async def test_a_session_is_found_again(sessions: SessionService) -> None:
    """By its id, its room and its user."""
    session = await sessions.get_or_create_for_room("room", USER, channel="phone", language="de")
    assert await sessions.get_session(session.session_id) == session
    assert await sessions.get_session_by_room("room") == session
    assert await sessions.get_user_sessions(USER) == (session,)
    assert (session.channel, session.language) == ("phone", "de")


@pytest.mark.parametrize("session_id", ["", "nobody", "\0", "\ud800", "x" * 10_000])
async def test_an_unknown_id_is_said_to_be_unknown(
    sessions: SessionService, session_id: str
) -> None:
    """Whatever it looks like."""
    with pytest.raises(UnknownSession):
        await sessions.get_session(session_id)
    assert not await sessions.delete_session(session_id)


@pytest.mark.parametrize("room", ["a\0b", "a\x1b[31mb", "\ud800", "r" * 10_000, "日本語", ""])
async def test_any_room_name_is_a_room(sessions: SessionService, room: str) -> None:
    """LiveKit hands them on as they are."""
    session = await sessions.get_or_create_for_room(room, USER)
    found = await sessions.get_session_by_room(room)
    assert found is not None
    assert found.session_id == session.session_id
    assert await sessions.claim_room(room, "w/j") is not None


@given(st.text(st.characters()))
def test_every_text_can_be_stored(text: str) -> None:
    """Also what is no UTF-8."""
    kept = storable(text)
    assert len(kept) == len(text)
    assert "\0" not in kept.encode().decode()


async def test_messages_with_odd_characters_are_kept(sessions: SessionService) -> None:
    """A lone surrogate must not cost the call its notebook."""
    session = await sessions.get_or_create_for_room("room", USER)
    await sessions.add_message(said(session, "1", "a\ud800b\0c\x07", heard_text="a\ud800"))
    (message,) = await sessions.history(session.session_id)
    assert message.text.startswith("a")
    assert message.text.endswith("c\x07")


async def test_the_context_is_the_last_twenty(sessions: SessionService) -> None:
    """From whichever session, oldest first."""
    first = await sessions.get_or_create_for_room("a", USER)
    for number in range(15):
        await sessions.add_message(said(first, f"a{number}"))
    await sessions.close_session(first.session_id, CloseReason.CALLER_LEFT)
    second = await sessions.get_or_create_for_room("b", USER)
    for number in range(10):
        await sessions.add_message(said(second, f"b{number}"))
    context = await sessions.context(second)
    assert len(context) == CONTEXT_MESSAGES
    assert [context[0].id, context[-1].id] == ["a5", "b9"]


async def test_a_turn_is_judged_on_its_words_each_time(sessions: SessionService) -> None:
    """They may change between attempts; a refused attempt leaves nothing behind."""
    session = await sessions.get_or_create_for_room("room", USER)
    assert (await sessions.reserve_turn(session, 1, "x" * 2001)).reason == "too_long"
    assert (await sessions.reserve_turn(session, 1, "x" * 2000)).allowed
    assert await sessions.commit_turn(session.session_id, 1)
    assert not await sessions.commit_turn(session.session_id, 1)


async def test_turns_are_counted_by_user_and_for_all(tmp_path: Path) -> None:
    """Two rooms of one user share a limit; everybody shares the fleet's."""
    limits = LimitConfig(turns_per_minute=3, fleet_turns_per_minute=4)
    config = SessionConfig(tmp_path, limits=limits)
    async with open_sessions(config, now=lambda: 1000.0) as sessions:
        ann = [await sessions.get_or_create_for_room(room, "ann") for room in "ab"]
        bob = await sessions.get_or_create_for_room("a", "bob")
        for turn in (1, 2, 3):
            assert (await sessions.reserve_turn(ann[turn % 2], turn, "hello")).allowed
        refused = await sessions.reserve_turn(ann[0], 4, "hello")
        assert (refused.reason, refused.retry_after_seconds) == ("too_many_turns", 60.0)
        assert (await sessions.reserve_turn(bob, 1, "hello")).allowed
        assert not (await sessions.reserve_turn(bob, 2, "hello")).allowed


async def test_calls_are_counted_by_user(tmp_path: Path) -> None:
    """A call that is tried again counts once."""
    config = SessionConfig(tmp_path, limits=LimitConfig(calls_per_hour=2))
    async with open_sessions(config, now=lambda: 1000.0) as sessions:
        ann = await sessions.get_or_create_for_room("a", "ann")
        for call_id in ("1", "1", "2"):
            assert (await sessions.admit_call(ann, call_id)).allowed
        refused = await sessions.admit_call(ann, "3")
        assert (refused.reason, refused.retry_after_seconds) == ("too_many_calls", 3600.0)
        bob = await sessions.get_or_create_for_room("a", "bob")
        assert (await sessions.admit_call(bob, "3")).allowed


async def test_june_can_be_paused_by_hand(sessions: SessionService) -> None:
    """For 30 minutes, seen in the figures, and until she is let go on."""
    session = await sessions.get_or_create_for_room("room", USER)
    await sessions.money.pause()
    refused = await sessions.reserve_turn(session, 1, "hello")
    assert (refused.reason, refused.retry_after_seconds) == ("paused", 1800.0)
    money = (await sessions.get_stats()).money
    assert money is not None
    assert (money.breaker_reason, money.breaker_until) == ("paused", 2800.0)
    assert await sessions.money.resume()
    assert (await sessions.reserve_turn(session, 1, "hello")).allowed


async def test_a_message_that_is_delivered_again_has_the_same_answer(
    sessions: SessionService,
) -> None:
    """By its id; by its words only for a moment, and only in its own session."""
    session = await sessions.get_or_create_for_room("room", USER)
    other = await sessions.get_or_create_for_room("other", USER)
    twice = sessions.duplicates
    assert (await twice.claim_message(session, "id")).is_first
    assert await twice.claim_message(session, "id") == Claim(is_first=False)
    await twice.answered(session, "id", "Four.")
    assert await twice.claim_message(session, "id") == Claim(is_first=False, result="Four.")
    assert (await twice.claim_message(other, "id")).is_first
    assert await twice.claim_text(session, "Two plus  TWO?")
    assert not await twice.claim_text(session, "two plus two?")
    assert await twice.claim_text(other, "two plus two?")
    await twice.unanswered(session, "id")
    assert (await twice.claim_message(session, "id")).is_first


async def test_a_session_has_its_reply_times(sessions: SessionService) -> None:
    """A true mean, and percentiles by nearest rank."""
    session = await sessions.get_or_create_for_room("room", USER)
    for turn in range(1, 21):
        figures = TurnMetrics(turn=turn, at=1000.0, reply_seconds=turn / 10)
        await sessions.update_session_metrics(session.session_id, figures)
    times = await sessions.reply_times(session.session_id)
    assert (times.turns, times.p50_seconds, times.p95_seconds) == (20, 1.0, 1.9)
    assert times.mean_seconds == pytest.approx(1.05)


async def test_a_skill_may_keep_odd_text(sessions: SessionService) -> None:
    """And numbers that JSON does not have; what is kept is no longer the skill's own."""
    session = await sessions.get_or_create_for_room("room", USER)
    inner: list[JsonValue] = ["\ud800", float("inf"), {"\0": None}]
    skill = SkillSession(name="odd", version=1, state={"heard\ud800": inner}, started_at=1000.0)
    await sessions.save_skill(session.session_id, skill)
    inner.append("later")
    kept = (await sessions.get_session(session.session_id)).skill
    assert kept is not None
    assert kept.state == {"heard?": ["?", None, {"\N{REPLACEMENT CHARACTER}": None}]}


@pytest.mark.parametrize(("limit", "skip", "found"), [(-1, 0, 0), (2**70, 0, 1), (5, -(2**70), 1)])
async def test_odd_pages_are_pages(
    sessions: SessionService, limit: int, skip: int, found: int
) -> None:
    """Numbers come from whoever asks."""
    await sessions.get_or_create_for_room("room", USER)
    assert len(await sessions.list_sessions(limit, skip=skip)) == found


async def test_a_guest_token_comes_through_the_port(tmp_path: Path) -> None:
    """And without one it is said how to have one."""

    class Tokens:
        def mint(self, room_name: str, identity: str) -> str:
            return f"{room_name}/{identity}"

    opened = open_sessions(SessionConfig(tmp_path), guest_tokens=Tokens())
    assert opened.generate_guest_token("room", "ann") == "room/ann"
    with pytest.raises(NoGuestTokens, match="hint: open it with `guest_tokens=`"):
        open_sessions(SessionConfig(tmp_path)).generate_guest_token("room", "ann")


async def test_a_user_with_many_sessions_is_no_burden(sessions: SessionService) -> None:
    """Ten thousand of them: the next call begins, and all are found and forgotten."""
    hashed = (await sessions.get_or_create_for_room("first", USER)).user
    store = sessions._store
    for number in range(10_000):
        await store.sessions.open(
            f"room {number}", hashed, channel="room", language="en", now=1000.0 + number
        )
    async with asyncio.timeout(1):
        await sessions.get_or_create_for_room("room 17", USER)
        await sessions.context(await sessions.get_or_create_for_room("one more", USER))
    assert len(await sessions.get_user_sessions(USER)) == 10_002
    assert (await sessions.forget_user(USER)).sessions == 10_002


@given(st.integers(0, 50), st.integers(1, 40))
def test_the_longest_input_is_a_sharp_edge(length: int, limit: int) -> None:
    """As many characters as are allowed are allowed."""
    decision = decide_turn("x" * length, max_input_characters=limit)
    assert decision.allowed == (length <= limit)
    assert (decision.reason is None) == decision.allowed


async def test_it_must_be_opened_first(tmp_path: Path) -> None:
    """And says how."""
    with pytest.raises(RuntimeError, match="async with"):
        await open_sessions(SessionConfig(tmp_path)).get_stats()


async def test_the_key_is_made_once_by_whoever_comes_first(tmp_path: Path) -> None:
    """Several processes start at once and must agree on who is who."""
    keys = await asyncio.gather(*(asyncio.to_thread(key_in, tmp_path) for _ in range(16)))
    assert len(set(keys)) == 1
    (file,) = await asyncio.to_thread(lambda: list(tmp_path.iterdir()))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_same_user_is_another_under_another_key() -> None:
    """Without June's key nobody can test a guess."""
    assert hash_user("ann", b"k" * 16) == hash_user("ann", b"k" * 16)
    assert hash_user("ann", b"k" * 16) != hash_user("ann", b"l" * 100)
    assert hash_user("ann", b"k" * 16) != hash_user("bob", b"k" * 16)

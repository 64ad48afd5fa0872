"""What every store promises: one suite over all of them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from session.errors import StoreUnusable, UnknownSession
from session.records import CloseReason, Message, Session, Status
from session.resume import FRESH_SECONDS
from session.store import Store, open_store

NOW = 1_000_000.0


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    url = "memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'june.db'}"
    opened = await open_store(url)
    yield opened
    await opened.aclose()


async def begin(store: Store, room: str = "room", user: str = "ann", now: float = NOW) -> Session:
    return await store.open_session(room, user, channel="room", language="en", now=now)


def said(session: Session, message_id: str, text: str = "hello", **changes: object) -> Message:
    message = Message(
        id=message_id,
        session_id=session.session_id,
        call_id="call",
        participant="caller",
        role="user",
        source="voice",
        language="en",
        turn=1,
        text=text,
        at=NOW,
    )
    return message.model_copy(update=changes)


async def test_what_was_kept_comes_back_exactly(store: Store) -> None:
    """Records are values."""
    session = await begin(store)
    message = said(session, "1", 'quotes " and \n lines and \N{SNOWMAN}', heard_text="quotes")
    assert await store.append_message(message, now=NOW)
    assert await store.messages(session.session_id) == (message,)
    kept = await store.get_session(session.session_id)
    assert kept == session.model_copy(update={"message_count": 1})


async def test_a_message_is_kept_once(store: Store) -> None:
    """The notebook may write again what it is not sure of."""
    session = await begin(store)
    assert await store.append_message(said(session, "1"), now=NOW)
    assert not await store.append_message(said(session, "1"), now=NOW)
    assert len(await store.messages(session.session_id)) == 1


async def test_a_message_needs_its_session(store: Store) -> None:
    """A deleted conversation is not brought back by its last words."""
    session = await begin(store)
    assert await store.delete_session(session.session_id)
    with pytest.raises(UnknownSession):
        await store.append_message(said(session, "1"), now=NOW)


@pytest.mark.parametrize("reason", [CloseReason.CRASH, CloseReason.DRAIN, CloseReason.NETWORK_LOST])
async def test_a_conversation_that_was_cut_off_is_resumed(
    store: Store, reason: CloseReason
) -> None:
    """The caller did not choose its end."""
    first = await begin(store)
    await store.close_session(first.session_id, reason, now=NOW + 10)
    again = await begin(store, now=NOW + 10 + FRESH_SECONDS - 1)
    assert again.session_id == first.session_id
    assert (again.status, again.close_reason, again.resumes) == (Status.OPEN, None, 1)


@pytest.mark.parametrize("reason", [CloseReason.CALLER_LEFT, CloseReason.GOODBYE])
async def test_a_conversation_that_ended_is_not_resumed(store: Store, reason: CloseReason) -> None:
    """A new call is a new conversation."""
    first = await begin(store)
    await store.close_session(first.session_id, reason, now=NOW + 10)
    assert (await begin(store, now=NOW + 11)).session_id != first.session_id


async def test_an_open_conversation_is_resumed_while_it_is_fresh(store: Store) -> None:
    """Its end is missing: the process died."""
    first = await begin(store)
    await store.touch(first.session_id, now=NOW + 500)
    again = await begin(store, now=NOW + 500 + FRESH_SECONDS - 1)
    assert again.session_id == first.session_id


async def test_an_old_open_conversation_is_closed_as_crashed(store: Store) -> None:
    """At its last sign of life, when the next one begins."""
    first = await begin(store)
    second = await begin(store, now=NOW + FRESH_SECONDS)
    closed = await store.get_session(first.session_id)
    assert second.session_id != first.session_id
    assert closed is not None
    assert (closed.status, closed.close_reason) == (Status.CLOSED, CloseReason.CRASH)
    assert closed.closed_at == NOW


async def test_rooms_and_users_are_kept_apart(store: Store) -> None:
    """Two people in one room, and one person in two, have conversations of their own."""
    sessions = [await begin(store, room, user) for room in "ab" for user in "cd"]
    assert len({session.session_id for session in sessions}) == 4


async def test_a_clock_that_was_set_back_loses_nothing(store: Store) -> None:
    """An hour earlier it is still the same call."""
    first = await begin(store)
    assert (await begin(store, now=NOW - 3600)).session_id == first.session_id


async def test_the_first_reason_stands(store: Store) -> None:
    """Closing twice is fine."""
    session = await begin(store)
    assert await store.close_session(session.session_id, CloseReason.GOODBYE, now=NOW + 1)
    assert not await store.close_session(session.session_id, CloseReason.CRASH, now=NOW + 2)
    closed = await store.get_session(session.session_id)
    assert closed is not None
    assert closed.close_reason is CloseReason.GOODBYE
    assert not await store.close_session("nobody", CloseReason.CRASH, now=NOW)


async def test_a_room_is_found_by_its_open_conversation(store: Store) -> None:
    """Else by its newest."""
    assert await store.session_by_room("room") is None
    first = await begin(store, user="ann")
    second = await begin(store, user="bob", now=NOW + 1)
    await store.close_session(second.session_id, CloseReason.GOODBYE, now=NOW + 2)
    found = await store.session_by_room("room")
    assert found is not None
    assert found.session_id == first.session_id


async def test_a_user_is_remembered_across_sessions_in_order(store: Store) -> None:
    """The last ones, oldest first, and nobody else's."""
    for room in ("a", "b"):
        session = await begin(store, room)
        for number in range(3):
            await store.append_message(said(session, f"{room}{number}"), now=NOW)
    stranger = await begin(store, "c", "bob")
    await store.append_message(said(stranger, "x"), now=NOW)
    assert [one.id for one in await store.recent_messages("ann", 4)] == ["a2", "b0", "b1", "b2"]
    assert len(await store.user_sessions("ann")) == 2


async def test_deleting_forgets_everything(store: Store) -> None:
    """Messages, turns and the session; only the count of all that ever were stays."""
    session = await begin(store)
    await store.append_message(said(session, "1"), now=NOW)
    await store.reserve_turn(session.session_id, 1, now=NOW)
    assert await store.delete_session(session.session_id)
    assert not await store.delete_session(session.session_id)
    assert await store.get_session(session.session_id) is None
    assert await store.recent_messages("ann", 9) == ()
    stats = await store.stats()
    assert (stats.active_sessions, stats.messages, stats.total_created) == (0, 0, 1)


async def test_attempts_at_a_turn_reserve_it_once_and_commit_it_once(store: Store) -> None:
    """However often the model is asked."""
    session = (await begin(store)).session_id
    assert [await store.reserve_turn(session, 1, now=NOW) for _ in range(3)] == [True, False, False]
    assert [await store.commit_turn(session, 1, now=NOW) for _ in range(2)] == [True, False]
    assert not await store.reserve_turn(session, 1, now=NOW)
    assert await store.commit_turn(session, 2, now=NOW)


async def test_figures_are_true(store: Store) -> None:
    """A mean over what is kept, rooms counted once."""
    first = await begin(store, "a")
    await begin(store, "a", "bob")
    third = await begin(store, "b", "cleo")
    await store.close_session(third.session_id, CloseReason.GOODBYE, now=NOW)
    for number in range(3):
        await store.append_message(said(first, str(number)), now=NOW)
    stats = await store.stats()
    assert (stats.active_sessions, stats.active_rooms, stats.total_created) == (2, 1, 3)
    assert (stats.messages, stats.mean_messages_per_session) == (3, 1.0)


async def test_one_owner_holds_a_room(store: Store) -> None:
    """Until the lease runs out or is given back; the owner may claim it anew."""
    first = await store.claim_lease("room", "w1/j1", ttl_seconds=3, now=NOW)
    assert first is not None
    assert await store.claim_lease("room", "w2/j2", ttl_seconds=3, now=NOW + 2.9) is None
    mine = await store.claim_lease("room", "w1/j1", ttl_seconds=3, now=NOW + 2.9)
    assert mine is not None
    assert mine.fence > first.fence
    assert await store.claim_lease("room", "w2/j2", ttl_seconds=3, now=NOW + 5) is None
    taken = await store.claim_lease("room", "w2/j2", ttl_seconds=3, now=NOW + 5.9)
    assert taken is not None
    assert not (await store.renew_lease(mine, ttl_seconds=3, now=NOW + 6)).held
    await store.release_lease(mine)
    assert (await store.renew_lease(taken, ttl_seconds=3, now=NOW + 6)).held
    await store.release_lease(taken)
    assert await store.claim_lease("room", "w1/j1", ttl_seconds=3, now=NOW + 6) is not None


async def test_a_worker_asks_its_own_calls_to_leave(store: Store) -> None:
    """And no other worker's, however alike their names."""
    mine = await store.claim_lease("a", "w1/j1", ttl_seconds=3, now=NOW)
    other = await store.claim_lease("b", "w11/j1", ttl_seconds=3, now=NOW)
    assert mine is not None
    assert other is not None
    assert await store.ask_to_leave("w1/") == 1
    assert (await store.renew_lease(mine, ttl_seconds=3, now=NOW)).asked_to_leave
    assert not (await store.renew_lease(other, ttl_seconds=3, now=NOW)).asked_to_leave


async def test_a_cancelled_wait_leaves_no_half_and_no_lock(store: Store) -> None:
    """Barge-in cancels at any moment."""
    session = await begin(store)
    for number in range(50):
        writing = asyncio.create_task(store.append_message(said(session, str(number)), now=NOW))
        for _ in range(number % 5):
            await asyncio.sleep(0)
        writing.cancel()
    kept = await store.get_session(session.session_id)
    messages = await store.messages(session.session_id)
    assert kept is not None
    assert kept.message_count == len(messages)
    assert await store.append_message(said(session, "last"), now=NOW)


async def test_a_megabyte_is_kept(store: Store) -> None:
    """Nothing cuts it in silence."""
    session = await begin(store)
    await store.append_message(said(session, "1", "x" * 1_000_000), now=NOW)
    (message,) = await store.messages(session.session_id)
    assert len(message.text) == 1_000_000


@pytest.mark.parametrize("url", ["postgres://x", "june.db", "sqlite:", ""])
async def test_an_unknown_store_names_the_known_ones(url: str) -> None:
    """In words for the operator."""
    with pytest.raises(StoreUnusable, match=r"hint: use `sqlite:/path/to/june\.db` or `memory:`"):
        await open_store(url)

"""What every store promises: one suite over all of them."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest
from pydantic import JsonValue

from session.errors import StoreUnusable, UnknownSession
from session.leases import Held, Lease, Leave
from session.limits import Budget
from session.money import Account, Charge, Reservation, session_account
from session.records import (
    CloseReason,
    Message,
    Removed,
    Session,
    SkillSession,
    Status,
    TurnMetrics,
)
from session.resume import FRESH_SECONDS
from session.store import Store, open_store

NOW = 1_000_000.0


async def begin(store: Store, room: str = "room", user: str = "ann", now: float = NOW) -> Session:
    return await store.sessions.open(room, user, channel="room", language="en", now=now)


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
    assert await store.sessions.append(message, now=NOW)
    assert await store.sessions.messages(session.session_id) == (message,)
    kept = await store.sessions.get(session.session_id)
    assert kept == session.model_copy(update={"message_count": 1})


async def test_a_message_is_kept_once(store: Store) -> None:
    """The notebook may write again what it is not sure of."""
    session = await begin(store)
    assert await store.sessions.append(said(session, "1"), now=NOW)
    assert not await store.sessions.append(said(session, "1"), now=NOW)
    assert len(await store.sessions.messages(session.session_id)) == 1


async def test_a_message_needs_its_session(store: Store) -> None:
    """A deleted conversation is not brought back by its last words."""
    session = await begin(store)
    assert (await store.sessions.delete(session.session_id)).sessions
    with pytest.raises(UnknownSession):
        await store.sessions.append(said(session, "1"), now=NOW)


@pytest.mark.parametrize("reason", [CloseReason.CRASH, CloseReason.DRAIN, CloseReason.NETWORK_LOST])
async def test_a_conversation_that_was_cut_off_is_resumed(
    store: Store, reason: CloseReason
) -> None:
    """The caller did not choose its end."""
    first = await begin(store)
    await store.sessions.close(first.session_id, reason, now=NOW + 10)
    again = await begin(store, now=NOW + 10 + FRESH_SECONDS - 1)
    assert again.session_id == first.session_id
    assert (again.status, again.close_reason, again.resumes) == (Status.OPEN, None, 1)


@pytest.mark.parametrize("reason", [CloseReason.CALLER_LEFT, CloseReason.GOODBYE])
async def test_a_conversation_that_ended_is_not_resumed(store: Store, reason: CloseReason) -> None:
    """A new call is a new conversation."""
    first = await begin(store)
    await store.sessions.close(first.session_id, reason, now=NOW + 10)
    assert (await begin(store, now=NOW + 11)).session_id != first.session_id


async def test_an_open_conversation_is_resumed_while_it_is_fresh(store: Store) -> None:
    """Its end is missing: the process died."""
    first = await begin(store)
    await store.sessions.touch(first.session_id, now=NOW + 500)
    again = await begin(store, now=NOW + 500 + FRESH_SECONDS - 1)
    assert again.session_id == first.session_id


async def test_an_old_open_conversation_is_closed_as_crashed(store: Store) -> None:
    """At its last sign of life, when the next one begins."""
    first = await begin(store)
    second = await begin(store, now=NOW + FRESH_SECONDS)
    closed = await store.sessions.get(first.session_id)
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
    assert await store.sessions.close(session.session_id, CloseReason.GOODBYE, now=NOW + 1)
    assert not await store.sessions.close(session.session_id, CloseReason.CRASH, now=NOW + 2)
    closed = await store.sessions.get(session.session_id)
    assert closed is not None
    assert closed.close_reason is CloseReason.GOODBYE
    assert not await store.sessions.close("nobody", CloseReason.CRASH, now=NOW)


async def test_an_end_takes_no_sign_of_life_back(store: Store) -> None:
    """It is written when the goodbye was said and kept, and tells when it began."""
    session = await begin(store)
    await store.sessions.append(said(session, "goodbye"), now=NOW + 9.5)
    await begin(store, "other", now=NOW + 8)
    assert await store.sessions.close(session.session_id, CloseReason.GOODBYE, now=NOW + 5)
    closed = await store.sessions.get(session.session_id)
    assert closed is not None
    assert (closed.closed_at, closed.seen_at) == (NOW + 5, NOW + 9.5)
    assert [one.room_name for one in await store.sessions.page(9)] == ["room", "other"]


async def test_who_is_late_does_not_close_what_another_call_has_resumed(store: Store) -> None:
    """A June who was replaced: the conversation is not hers any more."""
    first = await begin(store)
    again = await begin(store, now=NOW + 10)
    assert (again.session_id, again.resumes) == (first.session_id, 1)
    for resumes in (first.resumes, 2):
        assert not await store.sessions.close(
            first.session_id, CloseReason.REPLACED, now=NOW + 20, resumes=resumes
        )
    assert await store.sessions.get(first.session_id) == again
    assert await store.sessions.close(
        again.session_id, CloseReason.GOODBYE, now=NOW + 30, resumes=again.resumes
    )
    closed = await store.sessions.get(first.session_id)
    assert closed is not None
    assert (closed.close_reason, closed.resumes) == (CloseReason.GOODBYE, 1)
    assert not await store.sessions.close("nobody", CloseReason.REPLACED, now=NOW, resumes=0)


async def test_a_call_that_resumed_nothing_closes_its_own(store: Store) -> None:
    """As often as no time is a number, too."""
    first = await begin(store)
    assert await store.sessions.close(
        first.session_id, CloseReason.GOODBYE, now=NOW + 1, resumes=first.resumes
    )


async def last_in(store: Store, room: str = "room") -> str | None:
    found = await store.sessions.by_room(room)
    return None if found is None else found.session_id


async def test_a_room_is_found_by_its_last_sign_of_life(store: Store) -> None:
    """A session that a crash left open does not hide the one that has just ended."""
    assert await last_in(store) is None
    bobs = (await begin(store, user="bob")).session_id
    anns = (await begin(store, user="ann", now=NOW + 1)).session_id
    await begin(store, room="other", now=NOW + 9)
    assert await last_in(store) == anns
    await store.sessions.touch(bobs, now=NOW + 2)
    assert await last_in(store) == bobs
    await store.sessions.close(anns, CloseReason.GOODBYE, now=NOW + 3)
    assert await last_in(store) == anns
    left_open = await store.sessions.get(bobs)
    assert left_open is not None
    assert left_open.status is Status.OPEN
    assert await store.sessions.append(said(left_open, "1"), now=NOW + 4)
    assert await last_in(store) == bobs
    await store.sessions.delete(bobs)
    assert await last_in(store) == anns


async def test_of_signs_of_life_at_one_time_that_of_an_open_conversation_counts(
    store: Store,
) -> None:
    """Then that of the one created last."""
    ids = [(await begin(store, user=user, now=NOW + n)).session_id for n, user in enumerate("abc")]
    for one in ids:
        await store.sessions.touch(one, now=NOW + 5)
    assert await last_in(store) == ids[2]
    for one in (ids[2], ids[0]):
        await store.sessions.close(one, CloseReason.GOODBYE, now=NOW + 5)
    assert await last_in(store) == ids[1]
    await store.sessions.close(ids[1], CloseReason.GOODBYE, now=NOW + 5)
    assert await last_in(store) == ids[2]


async def test_a_user_is_remembered_across_sessions_in_order(store: Store) -> None:
    """The last ones, oldest first, and nobody else's."""
    for room in ("a", "b"):
        session = await begin(store, room)
        for number in range(3):
            await store.sessions.append(said(session, f"{room}{number}"), now=NOW)
    stranger = await begin(store, "c", "bob")
    await store.sessions.append(said(stranger, "x"), now=NOW)
    assert [one.id for one in await store.sessions.recent("ann", 4)] == ["a2", "b0", "b1", "b2"]
    assert await store.sessions.recent("ann", 0) == ()
    assert await store.sessions.recent("ann", -1) == ()
    assert len(await store.sessions.of_user("ann")) == 2


async def test_deleting_forgets_everything(store: Store) -> None:
    """Messages, turns and the session; only the count of all that ever were stays."""
    session = await begin(store)
    await store.sessions.append(said(session, "1"), now=NOW)
    await store.sessions.commit_turn(session.session_id, 1)
    await store.sessions.measure(session.session_id, TurnMetrics(turn=1, at=NOW))
    await store.claims.claim("m", ttl_seconds=600, now=NOW, session_id=session.session_id)
    await store.claims.fulfil("m", "an answer", ttl_seconds=600, now=NOW)
    removed = await store.sessions.delete(session.session_id)
    assert removed == Removed(sessions=1, messages=1, turns=1, answers=1)
    assert await store.sessions.delete(session.session_id) == Removed()
    assert (await store.claims.claim("m", ttl_seconds=600, now=NOW)).is_first
    assert await store.sessions.measured(session.session_id) == ()
    assert not await store.sessions.commit_turn(session.session_id, 2)
    assert await store.sessions.get(session.session_id) is None
    assert await store.sessions.recent("ann", 9) == ()
    stats = await store.sessions.stats()
    assert (stats.active_sessions, stats.messages, stats.total_created) == (0, 0, 1)


@pytest.mark.parametrize("how", ["delete", "forget", "purge"])
async def test_the_account_of_a_session_goes_with_it(store: Store, how: str) -> None:
    """What is still held in it is charged to the others only, and nobody counts it as removed."""
    session, other = await begin(store), await begin(store, "other", "bob", now=NOW + 100)
    own, others = session_account(session.session_id), session_account(other.session_id)
    budgets = tuple(Budget(key, "") for key in ("day", own, others))
    for name in ("1", "2", "3"):
        held = Reservation(name, budgets, micros=100, tokens=10)
        assert (await store.ledger.reserve(held, now=NOW)).allowed
    await store.ledger.settle("1", Charge(60, 7), now=NOW)
    match how:
        case "delete":
            removed = await store.sessions.delete(session.session_id)
        case "forget":
            removed = await store.sessions.forget("ann")
        case _:
            removed = await store.sessions.purge(seen_before=NOW + 100, now=NOW)
    assert removed == Removed(sessions=1)
    (kept,) = await store.ledger.accounts([own], now=NOW)
    assert kept == Account(own)
    settled = await store.ledger.settle("2", Charge(60, 7), now=NOW)
    spent = Account("", spent_micros=120, reserved_micros=100, spent_tokens=14, reserved_tokens=10)
    spent = replace(spent, requests=3)
    assert settled == (replace(spent, key="day"), Account(own), replace(spent, key=others))
    day, gone = await store.ledger.accounts(["day", own], now=NOW + 120)
    assert (day.spent_micros, gone) == (220, Account(own))
    assert (await store.ledger.settle("3", Charge(60, 7), now=NOW + 120))[1] == Account(own)


async def test_a_turn_takes_effect_once(store: Store) -> None:
    """However often it is committed."""
    session = (await begin(store)).session_id
    assert [await store.sessions.commit_turn(session, 1) for _ in range(2)] == [True, False]
    assert await store.sessions.commit_turn(session, 2)
    assert not await store.sessions.commit_turn("nobody", 1)


async def test_a_summary_stands_for_the_most_messages(store: Store) -> None:
    """A slower writer with an older one changes nothing."""
    session = (await begin(store)).session_id
    await store.sessions.summarise(session, "six", 6)
    await store.sessions.summarise(session, "four", 4)
    await store.sessions.summarise("nobody", "six", 6)
    kept = await store.sessions.get(session)
    assert kept is not None
    assert (kept.context_summary, kept.summarised) == ("six", 6)


async def test_a_skill_is_kept_as_it_was(store: Store) -> None:
    """So that a crashed call goes on inside it."""
    session = (await begin(store)).session_id
    state: dict[str, JsonValue] = {"turns": [1, 2.5, None, True, "\N{SNOWMAN}", {"a": []}]}
    skill = SkillSession(name="storyteller", version=2, state=state, started_at=NOW, turns=3)
    await store.sessions.save_skill(session, skill)
    await store.sessions.save_skill("nobody", skill)
    kept = await store.sessions.get(session)
    assert kept is not None
    assert kept.skill == skill
    stats = await store.sessions.stats()
    assert (stats.active_skills, stats.skills_in_use) == (1, {"storyteller": 1})
    await store.sessions.save_skill(session, None)
    again = await store.sessions.get(session)
    assert again is not None
    assert again.skill is None


async def test_figures_of_a_turn_are_kept_once(store: Store) -> None:
    """The first ones stand, and the percentiles are of all."""
    session = (await begin(store)).session_id
    for turn in (2, 1, 3):
        figures = TurnMetrics(turn=turn, at=NOW + turn, reply_seconds=turn / 10)
        await store.sessions.measure(session, figures)
    await store.sessions.measure(session, TurnMetrics(turn=1, at=NOW, reply_seconds=9.0))
    await store.sessions.measure(session, TurnMetrics(turn=4, at=NOW))
    await store.sessions.measure("nobody", TurnMetrics(turn=1, at=NOW, reply_seconds=9.0))
    measured = await store.sessions.measured(session)
    assert [(one.turn, one.reply_seconds) for one in measured] == [
        (1, 0.1),
        (2, 0.2),
        (3, 0.3),
        (4, None),
    ]
    reply = (await store.sessions.stats()).reply
    assert (reply.turns, reply.p50_seconds, reply.p95_seconds) == (3, 0.2, 0.3)
    assert reply.mean_seconds == pytest.approx(0.2)


async def test_turns_of_all_sessions_are_found_by_their_time(store: Store) -> None:
    """The newest first, and none of a session that is gone."""
    one, two = [(await begin(store, room)).session_id for room in "ab"]
    for session, turn, at in ((one, 1, 5), (two, 1, 3), (one, 2, 1), (two, 2, 4), (one, -1, 2)):
        await store.sessions.measure(session, TurnMetrics(turn=turn, at=NOW + at))
    await store.sessions.measure(one, TurnMetrics(turn=1, at=NOW + 9))

    async def found(since: float, limit: int) -> list[float]:
        return [turn.at - NOW for turn in await store.sessions.measured_since(NOW + since, limit)]

    assert await found(2, 10) == [5, 4, 3, 2]
    assert await found(0, 2) == [5, 4]
    assert await found(6, 10) == []
    assert await found(0, 0) == []
    await store.sessions.delete(two)
    assert await found(0, 10) == [5, 2, 1]
    await store.sessions.forget("ann")
    assert await found(0, 10) == []


async def test_sessions_are_listed_by_their_last_sign_of_life(store: Store) -> None:
    """In pages."""
    sessions = [await begin(store, str(n), now=NOW + n) for n in range(5)]
    await store.sessions.touch(sessions[1].session_id, now=NOW + 50)
    first = await store.sessions.page(2)
    assert [session.room_name for session in first] == ["1", "4"]
    rest = await store.sessions.page(10, skip=2)
    assert [session.room_name for session in rest] == ["3", "2", "0"]


async def test_a_user_is_forgotten(store: Store) -> None:
    """In every session, and nobody else."""
    for room in ("a", "b"):
        session = await begin(store, room)
        await store.sessions.append(said(session, "1"), now=NOW)
    await begin(store, "a", "bob")
    assert await store.sessions.forget("ann") == Removed(sessions=2, messages=2)
    assert await store.sessions.forget("ann") == Removed()
    assert await store.sessions.of_user("ann") == ()
    assert len(await store.sessions.of_user("bob")) == 1


async def test_what_showed_no_life_is_purged(store: Store) -> None:
    """Open or closed, with its messages; what is younger stays."""
    for number in range(120):
        old = await begin(store, f"old {number}", now=NOW)
        await store.sessions.append(said(old, "1"), now=NOW)
    young = await begin(store, "young", now=NOW + 100)
    removed = await store.sessions.purge(seen_before=NOW + 100, now=NOW + 200)
    assert removed == Removed(sessions=120, messages=120)
    assert [one.session_id for one in await store.sessions.page(200)] == [young.session_id]
    assert await store.sessions.purge(seen_before=NOW + 100, now=NOW + 200) == Removed()


async def test_figures_are_true(store: Store) -> None:
    """A mean over what is kept, rooms counted once."""
    first = await begin(store, "a")
    await begin(store, "a", "bob")
    third = await begin(store, "b", "cleo")
    await store.sessions.close(third.session_id, CloseReason.GOODBYE, now=NOW)
    for number in range(3):
        await store.sessions.append(said(first, str(number)), now=NOW)
    stats = await store.sessions.stats()
    assert (stats.active_sessions, stats.active_rooms, stats.total_created) == (2, 1, 3)
    assert (stats.messages, stats.mean_messages_per_session) == (3, 1.0)


async def test_one_owner_holds_a_room(store: Store) -> None:
    """Until the lease runs out or is given back; the owner may claim it anew."""
    first = await store.leases.claim("room", "w1/j1", ttl_seconds=3, now=NOW)
    assert first is not None
    assert await store.leases.claim("room", "w2/j2", ttl_seconds=3, now=NOW + 2.9) is None
    mine = await store.leases.claim("room", "w1/j1", ttl_seconds=3, now=NOW + 2.9)
    assert mine is not None
    assert mine.fence > first.fence
    assert await store.leases.claim("room", "w2/j2", ttl_seconds=3, now=NOW + 5) is None
    taken = await store.leases.claim("room", "w2/j2", ttl_seconds=3, now=NOW + 5.9)
    assert taken is not None
    assert not (await store.leases.renew(mine, ttl_seconds=3, now=NOW + 6)).held
    await store.leases.release(mine)
    assert (await store.leases.renew(taken, ttl_seconds=3, now=NOW + 6)).held
    await store.leases.release(taken)
    assert await store.leases.claim("room", "w1/j1", ttl_seconds=3, now=NOW + 6) is not None


async def test_a_worker_asks_its_own_calls_to_leave(store: Store) -> None:
    """And no other worker's, however alike their names."""
    mine = await store.leases.claim("a", "w1/j1", ttl_seconds=3, now=NOW)
    other = await store.leases.claim("b", "w11/j1", ttl_seconds=3, now=NOW)
    assert mine is not None
    assert other is not None
    assert await store.leases.ask_to_leave("w1/") == 1
    assert (await store.leases.renew(mine, ttl_seconds=3, now=NOW)).asked_to_leave
    assert not (await store.leases.renew(other, ttl_seconds=3, now=NOW)).asked_to_leave


async def test_a_call_is_ended_by_its_room(store: Store) -> None:
    """For good, also if its worker was asked before, or is after; a lease that is over is none."""
    lease = await store.leases.claim("room", "w1/j1", ttl_seconds=3, now=NOW)
    assert lease is not None
    assert await store.leases.ask_to_leave("w1/") == 1
    assert await store.leases.end("room", now=NOW + 2.9)
    assert await store.leases.ask_to_leave("w1/") == 1
    again = await store.leases.claim("room", "w1/j1", ttl_seconds=3, now=NOW + 2.9)
    assert again is not None
    state = await store.leases.renew(again, ttl_seconds=3, now=NOW + 2.9)
    assert state.asked_to_leave is Leave.FOR_GOOD
    assert not await store.leases.end("room", now=NOW + 5.9)
    other = await store.leases.claim("room", "w2/j2", ttl_seconds=3, now=NOW + 5.9)
    assert other is not None
    state = await store.leases.renew(other, ttl_seconds=3, now=NOW + 6)
    assert state.asked_to_leave is Leave.NO
    await store.leases.release(other)
    assert not await store.leases.end("room", now=NOW + 6)
    assert not await store.leases.end("nowhere", now=NOW)


async def test_what_a_holder_notes_is_there_for_as_long_as_its_lease(store: Store) -> None:
    """The last note; none of who held the room before."""
    note = '{"state": "grüß"}'
    lease = await store.leases.claim("b", "w1/j1", ttl_seconds=3, now=NOW, note="first")
    assert lease is not None
    assert await store.leases.claim("a", "w1", ttl_seconds=10, now=NOW, note="seat") is not None
    seat, room = await store.leases.held(now=NOW)
    assert seat == Held("a", "w1", "seat")
    assert room == Held("b", "w1/j1", "first")
    assert (seat.is_room, room.is_room) == (False, True)
    assert (await store.leases.renew(lease, ttl_seconds=3, now=NOW + 1, note=note)).held
    assert (await store.leases.held(now=NOW + 3.9))[1].note == note
    assert await store.leases.held(now=NOW + 4) == (seat,)
    await store.leases.release(lease)
    assert await store.leases.claim("b", "w2/j2", ttl_seconds=3, now=NOW + 4) is not None
    assert (await store.leases.held(now=NOW + 4))[1] == Held("b", "w2/j2", "")


async def test_a_dead_owner_is_freed_of_its_rooms(store: Store) -> None:
    """And nobody else is."""
    claim = partial(store.leases.claim, ttl_seconds=3.0, now=NOW)
    for room, owner in (("a", "w1/j1"), ("b", "w1/j1"), ("c", "w1/j11")):
        assert await claim(room, owner) is not None
    assert await store.leases.free("w1/j1") == 2
    assert await store.leases.free("w1/j1") == 0
    assert await claim("a", "w2/j2") is not None
    assert await claim("c", "w2/j2") is None


async def test_a_lease_outlasts_a_store_that_was_emptied(store: Store) -> None:
    """The call goes on, and the next claim has a higher fence."""
    lease = Lease("room", "w1/j1", 7)
    assert (await store.leases.renew(lease, ttl_seconds=3, now=NOW)).held
    assert await store.leases.claim("room", "w2/j2", ttl_seconds=3, now=NOW + 1) is None
    taken = await store.leases.claim("room", "w2/j2", ttl_seconds=3, now=NOW + 4)
    assert taken is not None
    assert taken.fence > lease.fence
    assert not (await store.leases.renew(lease, ttl_seconds=3, now=NOW + 4)).held


async def test_a_room_that_was_given_back_is_not_taken_by_renewing(store: Store) -> None:
    """Only by a claim: its old holder may be late."""
    lease = await store.leases.claim("room", "w1/j1", ttl_seconds=3, now=NOW)
    assert lease is not None
    await store.leases.release(lease)
    assert not (await store.leases.renew(lease, ttl_seconds=3, now=NOW)).held
    again = await store.leases.claim("room", "w1/j1", ttl_seconds=3, now=NOW)
    assert again is not None
    assert await store.leases.free("w1/j1") == 1
    assert not (await store.leases.renew(again, ttl_seconds=3, now=NOW)).held
    assert await store.leases.ask_to_leave("") == 0


async def test_a_room_that_was_given_back_is_known_for_an_hour(store: Store) -> None:
    """From the end of its lease: so long a late holder does not take it by renewing."""
    lease = await store.leases.claim("room", "w1/j1", ttl_seconds=3, now=NOW)
    assert lease is not None
    await store.leases.release(lease)
    await store.sessions.purge(seen_before=0, now=NOW + 3 + 3600)
    assert not (await store.leases.renew(lease, ttl_seconds=3, now=NOW + 3 + 3600)).held


async def test_a_lease_that_nobody_renewed_stays_its_holders_for_an_hour(store: Store) -> None:
    """A June whose store was away comes back to her room, also after a purge."""
    lease = await store.leases.claim("room", "w1/j1", ttl_seconds=3, now=NOW)
    assert lease is not None
    await store.sessions.purge(seen_before=0, now=NOW + 3 + 3600)
    assert await store.leases.ask_to_leave("w1/") == 1
    assert (await store.leases.renew(lease, ttl_seconds=3, now=NOW + 3 + 3600)).asked_to_leave


async def test_a_clock_that_was_set_back_holds_no_room(store: Store) -> None:
    """A dead June's lease does not last for an hour."""
    assert await store.leases.claim("room", "w1/j1", ttl_seconds=3, now=NOW) is not None
    back = NOW - 3600
    assert await store.leases.claim("room", "w2/j2", ttl_seconds=3, now=back) is None
    assert await store.leases.claim("room", "w2/j2", ttl_seconds=3, now=back + 3) is not None


async def test_a_cancelled_wait_leaves_no_half_and_no_lock(store: Store) -> None:
    """Barge-in cancels at any moment."""
    session = await begin(store)
    for number in range(50):
        writing = asyncio.create_task(store.sessions.append(said(session, str(number)), now=NOW))
        for _ in range(number % 5):
            await asyncio.sleep(0)
        writing.cancel()
    kept = await store.sessions.get(session.session_id)
    messages = await store.sessions.messages(session.session_id)
    assert kept is not None
    assert kept.message_count == len(messages)
    assert await store.sessions.append(said(session, "last"), now=NOW)


async def test_a_megabyte_is_kept(store: Store) -> None:
    """Nothing cuts it in silence."""
    session = await begin(store)
    await store.sessions.append(said(session, "1", "x" * 1_000_000), now=NOW)
    (message,) = await store.sessions.messages(session.session_id)
    assert len(message.text) == 1_000_000


@pytest.mark.parametrize("url", ["postgres://x", "june.db", "sqlite:", ""])
async def test_an_unknown_store_names_the_known_ones(url: str) -> None:
    """In words for the operator."""
    with pytest.raises(StoreUnusable, match=r"hint: use `sqlite:.*`redis:.*`memory:`"):
        await open_store(url)

"""Limits, money and duplicates, as a caller hears them and as their page is told."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator

import pytest
from livekit import rtc

from agent.lines import ENGLISH
from agent.livekit_server import LoopbackServer
from room.caller import Caller
from room.conftest import Call
from room.goodbye import told_goodbye
from room.worker import Worker
from session import LimitConfig, SessionConfig, SessionService, open_sessions
from session.limits import Budget
from session.money import Charge, Reservation
from session.rules import budgets

LIMITS = LimitConfig(
    turns_per_minute=3, calls_per_hour=2, dollars_per_user_and_day=1.0, dollars_per_session=0.5
)


@pytest.fixture(scope="module")
async def strict(
    livekit: LoopbackServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Worker]:
    """A worker with low limits."""
    async with Worker.of(
        livekit,
        tmp_path_factory.mktemp("strict"),
        JUNE_AGENT__NAME="strict",
        JUNE_CALL__USER="attribute:account",
        JUNE_WORKER__DRAIN_SECONDS="1",
        JUNE_LIMITS__TURNS_PER_MINUTE=str(LIMITS.turns_per_minute),
        JUNE_LIMITS__CALLS_PER_HOUR=str(LIMITS.calls_per_hour),
        JUNE_LIMITS__DOLLARS_PER_USER_AND_DAY=str(LIMITS.dollars_per_user_and_day),
        JUNE_LIMITS__DOLLARS_PER_SESSION=str(LIMITS.dollars_per_session),
    ) as worker:
        yield await worker.ready()


@pytest.fixture
async def memory(strict: Worker) -> AsyncIterator[SessionService]:
    """The one that the worker's calls share."""
    config = SessionConfig(strict.folder / "data", limits=LIMITS)
    async with open_sessions(config) as sessions:
        yield sessions


def said_by_june(caller: Caller) -> list[str]:
    return [one.text for one in caller.transcripts if one.speaker != caller.identity]


async def greeted(call: Call, **where: str) -> Caller:
    caller = await call(**where).join()
    await caller.dispatch(agent="strict")
    await caller.hear()
    return caller


async def spend(memory: SessionService, budget: Budget, dollars: float) -> str:
    """As another call of the same budget would."""
    reservation = Reservation(
        secrets.token_hex(8), (budget,), micros=round(dollars * 1e6), tokens=0, must=True
    )
    await memory.money.reserve(reservation)
    await memory.money.settle(reservation.id, Charge(reservation.micros, 0))
    return reservation.id


@pytest.mark.slow
async def test_who_asks_too_fast_is_told_so_and_then_blocked(strict: Worker, call: Call) -> None:
    """A sentence first, a goodbye at the third refusal, and the next call is refused."""
    caller = await greeted(call)
    for number in range(LIMITS.turns_per_minute):
        caller.listened_from = asyncio.get_running_loop().time()
        await caller.type(f"What time is it? {number}")
        await caller.hear()
    assert ENGLISH.near_limit in said_by_june(caller)[-1]
    for number in range(2):
        await caller.type(f"What can you do? {number}")
        await caller.hear()
        assert said_by_june(caller)[-1] == ENGLISH.too_many_turns
    await caller.type("What can you do? Really?")
    await told_goodbye(strict, caller, ENGLISH.blocked)
    again = await call(identity=caller.identity).join()
    await again.dispatch(agent="strict")
    await told_goodbye(strict, again, ENGLISH.blocked)
    assert len(said_by_june(again)) == 1, "no greeting before it"


@pytest.mark.slow
async def test_who_calls_too_often_is_told_so(strict: Worker, call: Call) -> None:
    """By voice alone; nothing was typed or said."""
    identity = f"often-{secrets.token_hex(4)}"
    for _ in range(LIMITS.calls_per_hour):
        caller = await greeted(call, identity=identity)
        await caller.leave()
    caller = await call(identity=identity).join()
    await caller.dispatch(agent="strict")
    await told_goodbye(strict, caller, ENGLISH.too_many_calls)


@pytest.mark.slow
async def test_a_user_whose_money_is_spent_is_told_so(
    strict: Worker, call: Call, memory: SessionService
) -> None:
    """In the middle of a call, because another one of theirs has spent it."""
    caller = await greeted(call)
    session = await memory.get_session_by_room(caller.room_name)
    assert session is not None
    _, user, _ = budgets(LIMITS, session, memory.now())
    await spend(memory, user, LIMITS.dollars_per_user_and_day)
    await caller.say("What is your name?")
    await told_goodbye(strict, caller, ENGLISH.user_budget)


@pytest.mark.slow
async def test_a_call_whose_money_is_spent_ends_in_words(
    strict: Worker, call: Call, memory: SessionService
) -> None:
    """Its own budget."""
    caller = await greeted(call)
    session = await memory.get_session_by_room(caller.room_name)
    assert session is not None
    *_, own = budgets(LIMITS, session, memory.now())
    await spend(memory, own, LIMITS.dollars_per_session)
    await caller.type("What is your name?")
    await told_goodbye(strict, caller, ENGLISH.session_budget)


@pytest.mark.slow
async def test_a_day_whose_money_is_spent_ends_calls_and_refuses_new_ones(
    strict: Worker, call: Call, memory: SessionService
) -> None:
    """Until the operator lets June go on."""
    caller = await greeted(call)
    session = await memory.get_session_by_room(caller.room_name)
    assert session is not None
    day, *_ = budgets(LIMITS, session, memory.now())
    await spend(memory, day, LIMITS.dollars_per_day)
    try:
        await caller.type("What is your name?")
        await told_goodbye(strict, caller, ENGLISH.out_of_budget)
        assert "budget.refused" in [event["type"] for event in caller.events]
        late = await call().join()
        await late.dispatch(agent="strict")
        await told_goodbye(strict, late, ENGLISH.out_of_budget)
        stats = await memory.get_stats()
        assert stats.money is not None
        assert stats.money.breaker_reason == "out_of_budget"
    finally:
        await spend(memory, day, -LIMITS.dollars_per_day)
        assert await memory.money.resume()
    assert "June" in (await greeted(call)).heard[0].text


@pytest.mark.slow
async def test_what_is_typed_twice_at_once_is_answered_once(strict: Worker, call: Call) -> None:
    """The second is dropped; said again later it is a question of its own."""
    caller = await greeted(call)
    for _ in range(2):
        await caller.type("Who are you?")
    await caller.hear()
    await strict.event("message.repeated", room=caller.room_name, by="text")
    await asyncio.sleep(1)
    answers = said_by_june(caller)
    assert len(answers) == 2, answers
    await asyncio.sleep(3)
    await caller.type("Who are you?")
    await caller.hear()
    assert len(said_by_june(caller)) == 3


@pytest.mark.slow
async def test_two_dispatches_to_one_room_give_one_june(strict: Worker, call: Call) -> None:
    """At the same moment; the second is refused by the lease."""
    caller = await call().join()
    await asyncio.gather(caller.dispatch(agent="strict"), caller.dispatch(agent="strict"))
    await caller.hear()
    await strict.event("call.rejected", room=caller.room_name, why="June is there")
    agents = [
        one
        for one in caller.room.remote_participants.values()
        if one.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    ]
    assert len(agents) == 1
    assert len(said_by_june(caller)) == 1


@pytest.mark.slow
async def test_the_caller_alone_is_told_of_skills_and_limits(
    strict: Worker, call: Call, memory: SessionService
) -> None:
    """As events; and this caller is known by what their token says."""
    caller = call()
    caller.attributes["account"] = "4711"
    await caller.join(with_microphone=False)
    guest = await call(room=caller.room_name).join(with_microphone=False)
    await caller.dispatch(json.dumps({"identity": caller.identity}), agent="strict")
    await caller.until(lambda: caller.june_says, 15, "June greets")
    for text in ("Tell me a story.", "Stop the story.", "What time is it?", "Who are you?"):
        await caller.type_and_be_answered(text)
    refused = await caller.until(
        lambda: [one for one in caller.events if "retry_after_seconds" in one], 10, "a refusal"
    )
    assert 0 < refused[0].pop("retry_after_seconds") <= 60
    timed = [event for event in caller.events if event["type"] == "turn.timed"]
    assert [event["turn"] for event in timed][:3] == [1, 2, 3]
    assert [event for event in caller.events if event not in timed] == [
        {"type": "skill.began", "skill": "storyteller"},
        {"type": "skill.ended", "skill": "storyteller"},
        {"type": "limit.near", "reason": "too_many_turns"},
        {"type": "skill.used", "skill": "clock"},
        {"type": "limit.refused", "reason": "too_many_turns"},
    ]
    assert guest.events == []

    (theirs,) = await memory.get_user_sessions("4711")
    assert theirs.room_name == caller.room_name
    assert not await memory.get_user_sessions(caller.identity)
    assert not strict.events("user.by_identity", room=caller.room_name)
    assert "4711" not in strict.log


@pytest.mark.slow
async def test_who_comes_back_is_told_again_what_holds(strict: Worker, call: Call) -> None:
    """Their page may be a new one. Without the attribute their identity says who they are."""
    caller = await call().join(with_microphone=False)
    await caller.dispatch(agent="strict")
    await caller.until(lambda: caller.june_says, 15, "June greets")
    await caller.type_and_be_answered("Tell me a story.")
    again = call(identity=caller.identity, room=caller.room_name)
    await again.join(with_microphone=False)  # LiveKit puts the first of them out
    await again.until(lambda: again.events, 10, "June tells what holds")
    await asyncio.sleep(1)
    told = [event for event in again.events if event["type"] != "turn.timed"]
    assert told == [{"type": "skill.began", "skill": "storyteller"}]
    assert strict.events("user.by_identity", room=caller.room_name)
    assert not strict.events("event.unsent")

"""Two workers on one Redis, which share nothing else: what one knows holds on the other.

Each takes one call at a time where it matters on which of them a call is.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.lines import ENGLISH
from agent.livekit_server import LoopbackServer
from agent.models.local.engine import LocalSpeech
from bench.provider import Refusal, ScriptedProvider
from room import hosted
from room.caller import Caller
from room.conftest import Call
from room.goodbye import told_goodbye
from room.guard_table import thinking
from room.pairs import (
    Fleet,
    answered,
    goes_on,
    going_and_staying,
    hand_over,
    hears_june_again,
    junes,
    kept_redis,
    never_cut,
    until_free,
    writes,
)
from room.worker import Worker

pytestmark = pytest.mark.slow

QUESTIONS = ("What is your name?", "Are you a robot?", "Who are you?")

DOLLARS_PER_REQUEST = 0.01

OPEN, CLOSE = (f"/api/security/circuit-breaker/{what}" for what in ("open", "close"))


@dataclass(frozen=True)
class Pair:
    """Two workers that take one call each."""

    fleet: Fleet
    workers: tuple[Worker, Worker]

    async def one_each(self, call: Call, identity: str = "") -> tuple[Caller, Caller]:
        """A greeted caller on each worker, in their order; one and the same user, if named."""
        await asyncio.gather(*map(until_free, self.workers))
        callers = await asyncio.gather(*(self.fleet.greeted(call, identity) for _ in range(2)))
        found = [[one for one in callers if answered(worker, one)] for worker in self.workers]
        assert [len(one) for one in found] == [1, 1], "each has taken one call"
        return found[0][0], found[1][0]


@pytest.fixture(scope="module")
async def provider(ears: LocalSpeech) -> AsyncIterator[ScriptedProvider]:
    """What thinks for both workers; they hear and speak by themselves."""
    async with ScriptedProvider(ears, hosted.script(), hosted.KEY) as serving:
        yield serving


@pytest.fixture(scope="module")
async def pair(
    livekit: LoopbackServer,
    provider: ScriptedProvider,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Pair]:
    """With low limits, and a mind that costs money."""
    folder = tmp_path_factory.mktemp("pair")
    with kept_redis(folder) as redis:
        fleet = Fleet.on_redis(
            livekit,
            folder,
            "june-of-a-pair",
            redis,
            JUNE_WORKER__MAX_CALLS="1",
            JUNE_LIMITS__CALLS_PER_HOUR="2",
            JUNE_LIMITS__UNPRICED=f"{{per_request = {DOLLARS_PER_REQUEST}}}",
            JUNE_LIMITS__DOLLARS_PER_USER_AND_DAY=str(len(QUESTIONS) * DOLLARS_PER_REQUEST),
            **hosted.asking(provider, "LLM"),
        )
        async with fleet.pair() as workers:
            yield Pair(fleet, workers)


async def ask(worker: Worker, path: str, wanted: dict[str, Any] | None = None) -> dict[str, Any]:
    """What an operator is told over HTTP; by POST where something is `wanted`."""
    async with await worker.http() as http:
        answer = await (http.get(path) if wanted is None else http.post(path, json=wanted))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


async def test_calls_of_one_user_are_counted_on_both(pair: Pair, call: Call) -> None:
    """Two in an hour: one on each worker, and the third is one too many for the first of them."""
    first, second = pair.workers
    caller, _ = await pair.one_each(call, "often")
    await caller.leave()
    await until_free(first)
    again = await call("often").join()
    await again.dispatch(agent=pair.fleet.agent)
    await told_goodbye(first, again, ENGLISH.too_many_calls)
    counts = [len(one.events("call.answered")) for one in pair.workers]
    refused = first.events("call.refused", room=again.room_name)
    print(f"\nanswered {counts}, then refused by the first: {refused}")
    assert [one["reason"] for one in refused] == ["too_many_calls"]
    assert not second.events("call.refused", room=again.room_name)
    assert again.june_says == [ENGLISH.too_many_calls]


async def test_money_that_is_spent_on_one_is_gone_on_the_other(
    pair: Pair, provider: ScriptedProvider, call: Call
) -> None:
    """A user's for the day; the second worker's first turn is refused, and no model is asked."""
    before = len(provider.asked("llm"))
    spending, other = await pair.one_each(call, "spender")
    for question in QUESTIONS:
        await spending.type_and_be_answered(question)
    spent = len(provider.asked("llm")) - before
    await other.type(QUESTIONS[0])
    await told_goodbye(pair.workers[1], other, ENGLISH.user_budget)
    asked = len(provider.asked("llm")) - before
    money = (await ask(pair.workers[1], "/api/security/stats"))["money"]
    print(f"\nasked {spent} times on one worker, {asked - spent} times on the other: {money}")
    assert (spent, asked) == (len(QUESTIONS), len(QUESTIONS))
    assert money["spent_micros"] >= spent * DOLLARS_PER_REQUEST * 1e6
    assert spending.june() is not None


async def test_an_operator_who_stops_june_on_one_stops_her_on_the_other(
    pair: Pair, call: Call
) -> None:
    """In the middle of a call; and the call beside it goes on, once they let her."""
    first, second = pair.workers
    here, there = await pair.one_each(call)
    told = await ask(first, OPEN, {"minutes": 5})
    print(f"\nopened on the first: {told}")
    assert (told["phase"], told["reason"]) == ("open", "paused")
    try:
        await there.type(QUESTIONS[0])
        await told_goodbye(second, there, ENGLISH.out_of_budget)
    finally:
        told = await ask(first, CLOSE, {})
    budget = (await ask(second, "/api/security/stats"))["budget"]
    print(f"\nclosed on the first: {told}, as the second sees it: {budget}")
    assert (told["phase"], budget["phase"]) == ("closed", "closed")
    await writes(here, "june", QUESTIONS[0])


async def test_a_provider_that_one_found_dead_is_not_asked_by_the_other(
    pair: Pair, provider: ScriptedProvider, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until an operator, who knows that it is well, says so to the first of them."""
    first, second = pair.workers
    here, there = await pair.one_each(call)
    before = len(provider.asked("llm"))
    failing = partial(thinking, fault=Refusal.server_error())
    monkeypatch.setattr(provider.script, "llm", failing)
    for question in QUESTIONS[:2]:
        await here.type_and_be_answered(question)
    found = len(provider.asked("llm"))
    ((circuit, state),) = (await ask(second, "/api/security/stats"))["providers"].items()
    print(f"\nafter {found - before} requests of the first the second sees {circuit}: {state}")
    assert (state["phase"], state["reason"]) == ("open", "failed")

    await writes(there, ENGLISH.trouble.lower(), QUESTIONS[0])
    refused = len(provider.asked("llm")) - found
    print(f"asked {refused} times by the second, which says {there.june_says[-1]!r}")
    assert refused == 0

    monkeypatch.undo()
    assert (await ask(first, CLOSE, {"circuit": circuit}))["phase"] == "closed"
    await writes(there, "june", QUESTIONS[2])
    print(f"asked {len(provider.asked('llm')) - found} times after it was closed")
    assert len(provider.asked("llm")) == found + 1


async def test_two_dispatches_that_reach_both_give_one_june(pair: Pair, call: Call) -> None:
    """At the same moment: whichever worker comes second finds the room taken."""
    await asyncio.gather(*map(until_free, pair.workers))
    caller = await call().join()
    await asyncio.gather(*(caller.dispatch(agent=pair.fleet.agent) for _ in range(2)))
    await caller.hear(30)
    (taker,) = (one for one in pair.workers if answered(one, caller))
    (other,) = (one for one in pair.workers if one is not taker)
    rejected = await other.event("call.rejected", room=caller.room_name, why="June is there")
    print(f"\ntaken by {taker.folder.name}; {other.folder.name}: {rejected}")
    assert len(junes(caller)) == 1
    assert caller.june_says == [ENGLISH.greeting]
    assert not answered(other, caller)


async def test_a_worker_that_watches_is_killed_in_a_call(
    livekit: LoopbackServer, tmp_path: Path, call: Call
) -> None:
    """The other one takes the seat, and then the call, in the same session."""
    async with going_and_staying(livekit, tmp_path, call) as two:
        (caller,) = two.theirs
        same, before = junes(two.other), await two.session_of(caller)
        said = await two.fleet.said(caller.room_name)
        watcher, killed = await two.watcher(), two.holder(caller.room_name)
        print(f"\nwatches: {watcher}, killed: {killed}, stays: {two.holder(two.other.room_name)}")
        assert watcher == killed

        os.killpg(two.going.process.pid, signal.SIGKILL)
        died = time.monotonic()
        await two.going.process.wait()
        seconds = await hears_june_again(caller, died, "the worker that watched")
        await goes_on(caller)
        after = await two.session_of(caller)
        print(f"the session was {before.session_id}, is {after.session_id}")
        assert (after.session_id, after.resumes) == (before.session_id, before.resumes + 1)
        assert (await two.fleet.said(caller.room_name))[: len(said)] == said
        assert answered(two.staying, caller)
        assert await two.watcher() == two.holder(two.other.room_name)
        assert len(two.staying.events("june.dispatched")) == 1
        assert seconds < 10
        await never_cut(two.other, same, "blue")


async def test_a_draining_worker_keeps_its_call_to_the_end(
    livekit: LoopbackServer, tmp_path: Path, call: Call
) -> None:
    """And takes no more of them, though it has room: new ones go to the other."""
    async with going_and_staying(
        livekit, tmp_path, call, calls=2, JUNE_WORKER__DRAIN_SECONDS="120"
    ) as two:
        caller, leaving = two.theirs
        same, of_other = junes(caller), junes(two.other)
        await leaving.leave()
        await two.going.event("call.ended", room=leaving.room_name)
        await asyncio.sleep(3)  # until the LiveKit server knows that it has room
        began = time.monotonic()
        stopping = asyncio.create_task(two.going.stop(seconds=90))
        draining = await two.going.event("worker.draining")
        late = await asyncio.gather(*(two.fleet.greeted(call) for _ in range(2)))
        await caller.ask_for("june|assistant", "What is your name?")
        assert junes(caller) == same
        print(
            f"\n{draining['calls']} call went on for {time.monotonic() - began:.1f} s of draining"
        )
        assert draining["calls"] == 1
        assert [answered(two.staying, one) for one in late] == [True] * len(late)
        assert not stopping.done()

        await caller.leave()
        left = time.monotonic()
        assert await stopping == 0
        print(f"the worker ended {time.monotonic() - left:.1f} s after the caller had left")
        ended = two.going.events("call.ended")
        assert [one["reason"] for one in ended] == ["caller_left"] * 2
        assert [one["messages_lost"] for one in ended] == [0, 0]
        assert not two.going.events("june.dispatched") + two.staying.events("june.dispatched")
        await never_cut(two.other, of_other, "blue")
        await asyncio.gather(*(one.leave() for one in late))


async def test_a_worker_that_must_go_at_once_hands_its_call_over(
    livekit: LoopbackServer, tmp_path: Path, call: Call
) -> None:
    """She says goodbye, and June of the other worker goes on in the same session."""
    async with going_and_staying(livekit, tmp_path, call) as two:
        (caller,) = two.theirs
        same, before = junes(two.other), await two.session_of(caller)
        seconds = await hand_over(two.going, [caller])
        (ended,) = two.going.events("call.ended")
        print(f"\n{seconds:.2f} s from SIGTERM to the other June: {caller.june_says[-2:]}, {ended}")
        assert ENGLISH.leaving in caller.june_says
        assert ended["reason"] == "drain"
        await goes_on(caller)
        assert answered(two.staying, caller)
        assert (await two.session_of(caller)).session_id == before.session_id
        await never_cut(two.other, same, "blue")

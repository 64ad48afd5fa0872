"""No fault of a provider makes June silent: every one of them in a real call, and what comes of it.

Ears, mind and voice are at a provider each, so that one may fail alone. The measurements are
printed as a table at the end.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, suppress

import pytest

from agent.config import STAGES, Stage
from agent.lines import ENGLISH
from agent.livekit_server import LoopbackServer
from agent.models.local.engine import LocalSpeech
from agent.turns import load_vad
from bench.provider import Hang, Hearing, Refusal, ScriptedProvider, Speaking
from room import hosted
from room.caller import Caller
from room.conftest import Call
from room.guard_table import (
    FAULTS,
    LONGEST_SILENCE_SECONDS,
    MOST_ATTEMPTS,
    MOST_CONNECTIONS,
    ROUND_TRIP_SECONDS,
    Ailing,
    Row,
    table,
    thinking,
)
from room.guard_turn import turn
from room.worker import Worker
from session import SessionConfig, open_sessions
from session.circuits import Phase

AGENT = "june-guarded"

QUESTIONS = ("What is your name?", "Are you a robot?", "Who are you?")

LONGEST_SECONDS = LONGEST_SILENCE_SECONDS + ROUND_TRIP_SECONDS

Providers = dict[Stage, ScriptedProvider]


@pytest.fixture(scope="module")
async def providers() -> AsyncIterator[Providers]:
    """One for each stage, with the same models behind them."""
    detector = await asyncio.to_thread(load_vad)
    async with AsyncExitStack() as stack:
        speech = await stack.enter_async_context(LocalSpeech(threads=2))
        started: Providers = {}
        for stage in STAGES:
            provider = ScriptedProvider(speech, hosted.script(), hosted.KEY, detector=detector)
            started[stage] = await stack.enter_async_context(provider)
        yield started


def asking(providers: Providers) -> dict[str, str]:
    variables: dict[str, str] = {}
    for stage, provider in providers.items():
        variables |= hosted.asking(provider, stage.upper())
    return variables


Start = Callable[..., Worker]


@pytest.fixture(scope="module")
def start(
    livekit: LoopbackServer, providers: Providers, tmp_path_factory: pytest.TempPathFactory
) -> Start:
    """Makes a worker that asks these providers."""

    def make(name: str, **settings: str) -> Worker:
        return Worker.of(
            livekit,
            tmp_path_factory.mktemp(name),
            JUNE_AGENT__NAME=name,
            JUNE_WORKER__DRAIN_SECONDS="1",
            **asking(providers),
            **settings,
        )

    return make


@pytest.fixture(scope="module")
async def guarded(start: Start) -> AsyncIterator[Worker]:
    """With nobody to fall back on, so that faults are heard."""
    async with start(AGENT, JUNE_STT__FALLBACK="[]", JUNE_TTS__FALLBACK="[]") as worker:
        yield await worker.ready()


@pytest.fixture(scope="module")
def rows(request: pytest.FixtureRequest) -> Iterator[list[Row]]:
    """Of every call; what they say is printed whatever pytest hides."""
    measured: list[Row] = []
    yield measured
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n\n{table(measured)}")


@pytest.fixture(autouse=True)
async def _all_are_well_again(guarded: Worker, providers: Providers) -> AsyncIterator[None]:
    """Whatever a test scripts ends with it, and so does what June learnt of it."""
    yield
    for stage in STAGES:
        await heal(providers, stage)
    await close_circuits(guarded)


async def heal(providers: Providers, stage: Stage) -> None:
    """As a provider that is started anew."""
    providers[stage].script = hosted.script()
    await providers[stage].refuse()
    await providers[stage].listen()


async def close_circuits(june: Worker) -> None:
    """As an operator may; by itself each would be open for 30 s and more."""
    async with open_sessions(SessionConfig(june.folder / "data")) as sessions:
        for circuit in await sessions.breakers.state():
            await sessions.breakers.close(circuit)


async def is_open(june: Worker, stage: Stage) -> bool:
    async with open_sessions(SessionConfig(june.folder / "data")) as sessions:
        circuits = await sessions.breakers.state()
    return any(
        circuit.startswith(stage) and state.phase is Phase.OPEN
        for circuit, state in circuits.items()
    )


async def greeted(call: Call, agent: str = AGENT) -> Caller:
    caller = await call().join()
    await caller.dispatch(agent=agent)
    await caller.hear()
    return caller


@pytest.mark.slow
@pytest.mark.parametrize("ailing", FAULTS, ids=str)
async def test_a_fault_does_not_make_june_silent(
    guarded: Worker, providers: Providers, call: Call, rows: list[Row], ailing: Ailing
) -> None:
    """Two turns under it and one after it: something is heard in time, and nothing multiplies."""
    stage, provider = ailing.stage, providers[ailing.stage]
    if ailing.take is None:
        await provider.refuse()
    else:
        setattr(provider.script, stage, ailing.take)
    caller = await greeted(call)
    turns = []
    for number, question in enumerate(QUESTIONS, 1):
        if number == len(QUESTIONS):
            await recover(guarded, providers, stage)
        turns.append(await turn(guarded, provider, stage, caller, question))
    alive = not guarded.events("call.ended", room=caller.room_name)
    row = Row(ailing, turns, alive)
    rows.append(row)
    print(f"\n{table([row])}")

    assert [one.silence_seconds for one in turns if one.silence_seconds > LONGEST_SECONDS] == []
    assert row.is_alive
    assert "closing due to unrecoverable error" not in guarded.log
    if stage == "stt":
        assert max(one.requests for one in turns) <= MOST_CONNECTIONS
    else:
        assert max(one.most_attempts for one in turns) <= MOST_ATTEMPTS
    assert [one.wrote for one in turns if one.says_something_twice] == []
    assert turns[-1].is_answered, turns[-1]
    if ailing.is_harmless:
        assert row.recovery_turn == 1, turns


async def recover(june: Worker, providers: Providers, stage: Stage) -> None:
    """The provider is well, and June free to ask it; her ears may come back by themselves."""
    provider = providers[stage]
    connections = len(provider.asked(stage))
    await heal(providers, stage)
    await close_circuits(june)
    if stage == "stt":
        with suppress(TimeoutError):
            async with asyncio.timeout(3.0):
                await provider.wait_for(stage, connections + 1)


@pytest.mark.slow
async def test_two_calls_share_one_circuit(
    guarded: Worker, providers: Providers, call: Call
) -> None:
    """What one caller found dead, another one's turn does not ask; June speaks all the same."""
    llm = providers["llm"]
    first, second = await greeted(call), await greeted(call)
    llm.script.llm = lambda asked: thinking(asked, fault=Refusal.server_error())
    for question in QUESTIONS:
        if not await is_open(guarded, "llm"):
            await turn(guarded, llm, "llm", first, question)
    assert await is_open(guarded, "llm")
    refused = await turn(guarded, llm, "llm", second, QUESTIONS[0])
    assert refused.requests == 0
    assert refused.heard
    assert refused.silence_seconds < LONGEST_SECONDS


@pytest.mark.slow
async def test_the_models_of_this_machine_stand_in_for_ears_and_voice(
    start: Start, providers: Providers, call: Call
) -> None:
    """As June is set up by default: neither fault is heard."""
    async with start("june-with-local") as june:
        await june.ready()
        failing = Refusal.server_error()
        providers["stt"].script.stt = lambda _: Hearing(fault=failing)
        providers["tts"].script.tts = lambda _: Speaking(fault=failing)
        caller = await greeted(call, "june-with-local")
        await caller.ask_for("june|assistant", QUESTIONS[0])
        assert june.events("call.ended", room=caller.room_name) == []


@pytest.mark.slow
async def test_a_call_in_which_nobody_hears_ends_in_words(
    guarded: Worker, providers: Providers, call: Call
) -> None:
    """After three turns in a minute, of which nothing was understood; not in silence."""
    providers["stt"].script.stt = lambda _: Hearing(fault=Refusal.wrong_key())
    caller = await greeted(call)
    for question in QUESTIONS:
        await turn(guarded, providers["stt"], "stt", caller, question)
    ended = await guarded.event("call.ended", 20, room=caller.room_name)
    assert ended["reason"] == "error"
    said = [one.text for one in caller.transcripts if one.speaker != caller.identity]
    assert said == [ENGLISH.greeting, ENGLISH.cannot_hear, ENGLISH.cannot_hear, ENGLISH.broken]


@pytest.mark.slow
@pytest.mark.parametrize("june", ["openai"], indirect=True)
async def test_ears_that_only_hang_are_heard_for_by_others(
    june: Worker, provider: ScriptedProvider, call: Call
) -> None:
    """What was said to them is heard again, by those of this machine."""
    provider.script.stt = lambda _: Hearing(fault=Hang(after_seconds=0))
    caller = await greeted(call, agent="june")
    try:
        turns = [await turn(june, provider, "stt", caller, one) for one in QUESTIONS[:2]]
    finally:
        provider.script = hosted.script()
        await close_circuits(june)
    print(turns)
    assert [one.silence_seconds for one in turns if one.silence_seconds > LONGEST_SECONDS] == []
    assert all(one.is_answered for one in turns), turns

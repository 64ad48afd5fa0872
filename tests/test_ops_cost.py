"""What the operator's page costs the parent process, while eight calls run and a page is open."""

import asyncio
import multiprocessing
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx2
import pytest
from api_fakes import ScriptedRooms, config_of, parts_of

from agent.api.app import build_app
from agent.api.endless import OPS_STREAM_ROUTE
from agent.api.server import HttpServer
from agent.on_duty import OnDuty
from agent.rooms import LiveKitClient
from agent.worker_state import WorkerState
from session import CloseReason, Lease, SessionService, TurnMetrics, open_sessions
from session.notes import CallNote, State
from session.records import Stages

CALLS = 8
SESSIONS = 50
TURNS = 20

TURN_SECONDS = 5
"""Between two turns of each call."""

MOST_OF_A_CORE = 0.02

SECONDS = 20.0

T = TypeVar("T")

spawning = multiprocessing.get_context("spawn")

STATES: tuple[State, ...] = ("listening", "thinking", "speaking")


def measured(turn: int) -> TurnMetrics:
    stages = Stages(
        final_text=0.31, end_of_turn=0.55, first_token=0.61, first_clause=0.72, first_audio=0.92
    )
    return TurnMetrics(
        turn=turn, at=time.time(), reply_seconds=0.9, first_token_seconds=0.2, stages=stages
    )


def call_for_ever(folder: str) -> None:
    """Eight calls, which renew their rooms' leases and take turns."""

    async def calls() -> None:
        async with open_sessions(config_of(Path(folder)).session) as sessions:
            await asyncio.gather(*(call(sessions, number) for number in range(CALLS)))

    asyncio.run(calls())


async def call(sessions: SessionService, number: int) -> None:
    room = f"room {number}"
    session = await sessions.get_or_create_for_room(room, f"user {number}")
    lease: Lease | None = await sessions.claim_room(room, f"w/{number}")
    assert lease is not None
    for second in range(10_000):
        await asyncio.sleep(1)
        note = CallNote(
            state=STATES[second % 3],
            since=time.time(),
            began_at=1.0,
            session_id=session.session_id,
            skill="storyteller",
        )
        await sessions.renew_room(lease, note=note.text)
        if (second + number) % TURN_SECONDS == 0:
            await sessions.touch(session.session_id)
            await sessions.update_session_metrics(session.session_id, measured(TURNS + second))


def watch_for_ever(port: int) -> None:
    """A page that is open."""

    async def read() -> None:
        async with (
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http,
            http.stream("GET", OPS_STREAM_ROUTE) as response,
        ):
            async for _ in response.aiter_bytes():
                pass

    asyncio.run(read())


@asynccontextmanager
async def beside(work: Callable[[T], None], argument: T) -> AsyncIterator[None]:
    """In a process of its own, which is none of the parent's cost."""
    process = spawning.Process(target=work, args=(argument,), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


async def share_of_a_core() -> float:
    """Of this process with all its threads, while somebody else does the work."""
    await asyncio.sleep(10)  # until what was begun has begun, and all modules are loaded
    began, used = time.monotonic(), time.process_time()
    await asyncio.sleep(SECONDS)
    return (time.process_time() - used) / (time.monotonic() - began)


@pytest.mark.slow
async def test_the_page_costs_the_parent_little(tmp_path: Path) -> None:
    """With 50 sessions of 20 turns in SQLite, of which eight go on."""
    config = config_of(tmp_path)
    async with open_sessions(config.session) as sessions:
        for number in range(SESSIONS):
            session = await sessions.get_or_create_for_room(f"room {number}", f"user {number}")
            for turn in range(TURNS):
                await sessions.update_session_metrics(session.session_id, measured(turn))
            if number >= CALLS:
                await sessions.close_session(
                    session.session_id, CloseReason.GOODBYE, seconds_ago=120
                )
        rooms = ScriptedRooms(LiveKitClient(config.livekit, agent_name="june"))
        app = build_app(parts_of(config, sessions, rooms))
        async with (
            OnDuty(sessions, WorkerState(), worker_key="k", max_calls=CALLS) as on_duty,
            HttpServer(app, "127.0.0.1", 0) as server,
            beside(call_for_ever, str(tmp_path)),
        ):
            on_duty.begin()
            alone = await share_of_a_core()
            async with beside(watch_for_ever, server.port):
                watched = await share_of_a_core()
    print(f"\nof a core: {alone:.2%} with nobody, {watched:.2%} with a page")
    assert watched - alone < MOST_OF_A_CORE

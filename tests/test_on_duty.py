"""A worker says that it runs, for as long as it does; and a call how it is, while it goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agent.call_note import StateNote
from agent.on_duty import OnDuty
from agent.worker_state import WorkerState
from session import SessionConfig, SessionService, StoreError, open_sessions
from session.duty import SEAT_SECONDS
from session.notes import LONGEST_CHARACTERS, CallNote, WorkerNote, short


class Clock:
    now = 1000.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sessions(clock: Clock) -> AsyncIterator[SessionService]:
    config = SessionConfig(Path("unused"), "memory:")
    async with open_sessions(config, now=lambda: clock.now) as opened:
        yield opened


class State(WorkerState):
    """As the test says."""

    is_draining = False
    calls = 0


def on_duty(sessions: SessionService, state: WorkerState) -> OnDuty:
    return OnDuty(
        sessions,
        state,
        worker_key="k1",
        max_calls=4,
        host="h" * 300,
        sleep=lambda _: asyncio.sleep(0.01),
    )


async def notes_of(sessions: SessionService) -> list[WorkerNote]:
    return [one.note for one in (await sessions.duty.at_work()).workers]


async def test_a_worker_is_seen_until_its_end(sessions: SessionService, clock: Clock) -> None:
    """With what is true of it now; its seat is no room."""
    state = State()
    async with on_duty(sessions, state) as duty:
        assert await notes_of(sessions) == []
        duty.begin()
        duty.begin()  # as LiveKit registers a worker again and again
        await asyncio.sleep(0.05)
        (note,) = await notes_of(sessions)
        assert (note.host, note.calls, note.max_calls, note.since) == ("h" * 64, 0, 4, 1000.0)
        state.calls, state.is_draining = 2, True
        clock.now += 60
        await asyncio.sleep(0.05)
        (note,) = await notes_of(sessions)
        assert (note.calls, note.is_draining, note.since) == (2, True, 1000.0)
        assert await sessions.watching("ws://livekit").living() == frozenset()
    assert await notes_of(sessions) == []


async def test_a_worker_that_died_is_gone_soon(sessions: SessionService, clock: Clock) -> None:
    """It gives nothing back."""
    note = WorkerNote(host="h", calls=1, max_calls=4, is_draining=False, since=1.0)
    assert await sessions.duty.sign_on("k1", note) is not None
    clock.now += SEAT_SECONDS - 0.1
    assert await notes_of(sessions) == [note]
    clock.now += 0.1
    assert await notes_of(sessions) == []


async def test_a_store_that_is_away_is_said_once(
    sessions: SessionService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the worker is seen again once it is back."""

    async def fail(*_: object, **__: object) -> None:
        raise StoreError("away", retryable=True)

    with capture_logs() as logs:
        with monkeypatch.context() as patched:
            patched.setattr(sessions._store.leases, "claim", fail)
            duty = on_duty(sessions, State())
            duty.begin()
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.05)
    assert [line["event"] for line in logs] == ["worker.unseen"]
    assert len(await notes_of(sessions)) == 1
    await duty.__aexit__()


class Voice:
    """As much of LiveKit's as a note wants to know."""

    def __init__(self) -> None:
        self.agent_state = "initializing"
        self.listening: list[Callable[[Any], None]] = []

    def on(self, _: str, listener: Callable[[Any], None]) -> None:
        self.listening.append(listener)

    def off(self, _: str, listener: Callable[[Any], None]) -> None:
        self.listening.remove(listener)

    def become(self, state: str) -> None:
        self.agent_state = state
        for listener in self.listening:
            listener(None)


async def test_a_call_notes_what_it_is_doing_and_since_when(clock: Clock) -> None:
    """As LiveKit knows it, with its session and the skill that has the floor."""
    voice: Any = Voice()
    found: dict[str, str] = {}
    with StateNote(
        voice,
        now=lambda: clock.now,
        session_id=lambda: found.get("session"),
        skill=lambda: found.get("skill"),
    ) as note:
        assert CallNote.read(note.text()) == CallNote(
            state="starting", since=1000.0, began_at=1000.0
        )
        clock.now = 1005.0
        voice.become("thinking")
        clock.now = 1009.0
        found |= {"session": "s1", "skill": "s" * 900}
        assert CallNote.read(note.text()) == CallNote(
            state="thinking", since=1005.0, began_at=1000.0, session_id="s1", skill="s" * 64
        )
        assert 0 < len(note.text()) <= LONGEST_CHARACTERS
        voice.become("a state of a later LiveKit")
        assert '"state":"idle"' in note.text()
    assert voice.listening == []


@given(st.text(max_size=2 * LONGEST_CHARACTERS))
def test_whatever_a_note_says_it_is_short_and_read_or_not(text: str) -> None:
    """Another version of June may have written it."""
    kept = short(text)
    assert len(kept) <= LONGEST_CHARACTERS
    for kind in (CallNote, WorkerNote):
        kind.read(kept)


@given(
    st.sampled_from(["listening", "idle", "starting"]),
    st.floats(0, 1e10),
    st.none() | st.text(max_size=40),
)
def test_a_note_is_read_as_it_was_written(state: Any, at: float, name: str | None) -> None:
    """Every number exactly."""
    note = CallNote(state=state, since=at, began_at=at, session_id=name)
    assert CallNote.read(short(note.text)) == note

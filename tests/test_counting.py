"""What happens in a call is counted: once, when it happens, and under no more than a few labels."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from guard_fakes import HOST, Ears, Mind, Voice, told_apart
from livekit import rtc
from livekit.agents import (
    AgentStateChangedEvent,
    APIConnectionError,
    APIStatusError,
    ConversationItemAddedEvent,
    llm,
    vad,
)
from prometheus_client import REGISTRY
from test_notebook import Script as FlakySessions
from test_notebook import message
from test_purse import DOLLAR, LLM, VOICE, calling

import agent.job
from agent import notebook as notebook_module
from agent.config import load
from agent.counting import count_request, count_spending, count_times
from agent.first_word import FirstWord
from agent.gate import TurnGate
from agent.models.guard import Guard, TooSlow, Unanswered
from agent.models.guarded_ears import GuardedEars
from agent.models.guarded_vad import GuardedVAD
from agent.models.refused import Refused
from agent.notebook import Notebook
from agent.payment import Payment, refusal_of_call
from agent.remembered import sessions_for_call
from bench.redis_server import RedisServer
from session import (
    CloseReason,
    Decision,
    LimitConfig,
    SessionConfig,
    SessionService,
    StoreError,
    open_sessions,
)
from session.patience import Patience


class Counted:
    """How much was counted since this test began."""

    def __init__(self) -> None:
        self._before = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in REGISTRY.collect()
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        now = REGISTRY.get_sample_value(name, labels) or 0.0
        return now - self._before.get((name, *sorted(labels.items())), 0.0)


@pytest.fixture
def counted() -> Counted:
    return Counted()


def said(role: llm.ChatRole, text: str = "Hello", **metrics: Any) -> ConversationItemAddedEvent:
    item = llm.ChatMessage(role=role, content=[text])
    measured: Any = metrics
    item.metrics.update(measured)
    return ConversationItemAddedEvent(item=item)


# Turns


async def gate_of(sessions: SessionService) -> TurnGate:
    session = await sessions.get_or_create_for_room("room", "ann")
    return TurnGate(
        sessions,
        session,
        Notebook(sessions),
        call_id="call",
        turns_before=0,
        longest_kept_characters=100,
        patience=Patience(),
        on_end=lambda _: None,
    )


async def test_a_turn_is_counted_at_its_commit(counted: Counted) -> None:
    """With the times of its stages; a reply, a greeting and a tool are no turns."""
    async with open_sessions(SessionConfig(Path("unused"), store_url="memory:")) as sessions:
        gate = await gate_of(sessions)
        gate.commit(said("assistant", "I am June."))
        gate.commit(said("user", end_of_turn_delay=0.5, transcription_delay=0.25))
        gate.commit(said("assistant", llm_node_ttft=0.3, tts_node_ttfb=0.1, e2e_latency=1.125))
    assert counted("june_turns_total") == 1
    assert counted("june_reply_seconds_count") == 1
    assert counted("june_reply_seconds_sum") == 1.125
    for stage in ("end_of_turn", "transcription", "first_token", "first_audio"):
        assert counted("june_stage_seconds_count", stage=stage) == 1


def test_what_was_not_measured_is_not_counted(counted: Counted) -> None:
    """A typed turn has no end of speech."""
    count_times(llm.ChatMessage(role="user", content=["typed"]))
    assert counted("june_reply_seconds_count") == 0
    assert counted("june_stage_seconds_count", stage="end_of_turn") == 0


async def test_a_refused_turn_is_counted_once(counted: Counted) -> None:
    """LiveKit may attempt it several times, before and after its commit."""
    limits = LimitConfig(max_input_characters=10)
    memory = SessionConfig(Path("unused"), store_url="memory:", limits=limits)
    async with open_sessions(memory) as sessions:
        gate = await gate_of(sessions)
        for _ in range(2):
            event = said("user", "far too long for this June")
            assert isinstance(event.item, llm.ChatMessage)
            for _ in range(3):
                await gate.reserve(event.item)
            gate.commit(event)
            await gate.reserve(event.item)
    assert counted("june_refusals_total", reason="too_long") == 2


async def test_a_refused_call_is_counted(counted: Counted) -> None:
    """By why it was."""
    config = load(environ={"JUNE_STORE__URL": "memory:", "JUNE_LIMITS__CALLS_PER_HOUR": "1"})
    async with open_sessions(config.session) as sessions:
        session = await sessions.get_or_create_for_room("room", "ann")
        for call in ("one", "two"):
            await refusal_of_call(sessions, session, call, Patience(), config)
    assert counted("june_refusals_total", reason="too_many_calls") == 1


def test_money_that_is_refused_to_several_models_is_one_refusal(counted: Counted) -> None:
    """Ears, mind and voice may all ask for it while the call ends."""
    ending: Any = SimpleNamespace(reason=None)
    ending.begin = lambda reason, *_: setattr(ending, "reason", reason)
    lines: Any = SimpleNamespace(out_of_budget="No money.")
    purse: Any = SimpleNamespace()
    payment = Payment(load(environ={}), purse, ending, lines)
    for _ in range(3):
        payment._refuse_money(Decision(allowed=False, reason="out_of_budget"))
    assert counted("june_refusals_total", reason="out_of_budget") == 1
    assert ending.reason is CloseReason.LIMIT


# Models and their money

TURNED_AWAY = Refused(Decision(allowed=False, reason="out_of_budget"))


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "answered"),
        (APIConnectionError(), "failed"),
        (ValueError("whatever"), "failed"),
        (TooSlow(), "too_slow"),
        (TooSlow(is_its_fault=False), "too_slow"),
        (APIStatusError("no", status_code=429), "busy"),
        (APIStatusError("no", status_code=401), "forbidden"),
        (APIStatusError("no", status_code=400), "rejected"),
        (APIStatusError("no", status_code=503), "failed"),
        (asyncio.CancelledError(), "cancelled"),
        (TURNED_AWAY, None),
    ],
)
async def test_a_request_is_counted_by_what_came_of_it(
    error: BaseException | None, outcome: str | None, counted: Counted
) -> None:
    """In a few words: what a provider answers is not a label. Nobody is asked without money."""
    outcomes = ("answered", "failed", "too_slow", "busy", "forbidden", "rejected", "cancelled")

    async def ask(*_: object, has_other: bool) -> None:
        if error is not None:
            raise error

    providers = told_apart([Mind("mind", provider="local")])
    with suppress(Unanswered, Refused, asyncio.CancelledError):
        await Guard().answer(providers, ask, has_begun=lambda: False)
    found = {
        name: counted(
            "june_model_requests_total", stage="llm", provider="local", model="mind", outcome=name
        )
        for name in outcomes
    }
    assert {name: number for name, number in found.items() if number} == (
        {outcome: 1} if outcome else {}
    )


@pytest.mark.parametrize(
    ("model", "stage"), [(Mind("m"), "llm"), (Voice("m"), "tts"), (Ears("m"), "stt")]
)
async def test_a_request_is_told_by_stage_and_host(
    model: object, stage: str, counted: Counted
) -> None:
    """As the price list knows them."""
    count_request(model, "answered")
    assert (
        counted(
            "june_model_requests_total", stage=stage, provider=HOST, model="m", outcome="answered"
        )
        == 1
    )


async def test_what_is_spent_is_counted_when_it_is_charged(counted: Counted) -> None:
    """Also by a wrapper that never came to its end; as much as the call is said to have cost."""
    async with calling() as call:
        call.purse._on_charged = count_spending
        held = await call.purse.reserve(LLM, DOLLAR)
        call.purse.settle(held, DOLLAR, is_estimate=False)
        call.purse.settle(held, DOLLAR, is_estimate=False)
        assert (
            counted("june_model_spend_dollars_total", provider="models.example", model="mind") == 1
        )
        await call.purse.reserve(VOICE, DOLLAR)
        await call.purse.aclose()
        assert (
            counted("june_model_spend_dollars_total", provider="models.example", model="mind") == 2
        )
        assert call.purse.spent_micros == 2_000_000


# What fails


async def test_a_voice_detector_that_is_made_anew_is_counted(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time."""
    monkeypatch.setattr("agent.models.guarded_vad.PAUSE_SECONDS", 0.0)

    class Dying(vad.VAD):
        left = 3

        def stream(self) -> Any:
            self.left -= 1
            if self.left == 0:
                stream.end_input()
            raise RuntimeError("it dies")

    stream = GuardedVAD(Dying(capabilities=vad.VADCapabilities(update_interval=0.1))).stream()
    async for _ in stream:
        pass
    await stream.aclose()
    assert counted("june_rebuilds_total", stage="vad") == 2


async def test_ears_that_are_made_anew_are_counted(counted: Counted) -> None:
    """Whether what was said is heard again or forgotten."""
    ears = Ears("ears")
    stream = GuardedEars(ears, told_apart([ears]), Guard(), "en", on_asked=lambda _: None)
    stream.rebuild(forget=False)
    stream.rebuild(forget=True)
    await stream.aclose()
    assert counted("june_rebuilds_total", stage="stt") == 2


async def test_what_waits_for_the_store_is_seen_until_it_is_written(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is away shows by a number that grows."""
    monkeypatch.setattr(notebook_module, "RETRY_SECONDS", 0.01)
    sessions = FlakySessions(away=3)
    async with Notebook(sessions) as notebook:
        for number in range(5):
            notebook.note(message(number))
        assert counted("june_notebook_waiting") == 5
        while len(sessions.kept) < 5:
            await asyncio.sleep(0.01)
    assert counted("june_notebook_waiting") == 0


async def test_a_file_that_fails_is_counted(tmp_path: Path, counted: Counted) -> None:
    """Each time that somebody asks."""
    config = load(environ={"JUNE_DATA__DIR": str(tmp_path)}).session
    sessions = await sessions_for_call(config)
    await sessions.get_or_create_for_room("room", "ann")
    store: Any = sessions._store
    await store.db.read(lambda db: db.pragma("max_page_count", 1))
    for _ in range(2):
        with pytest.raises(StoreError):
            await _fill(sessions)
    await sessions.aclose()
    assert counted("june_store_errors_total") == 2


async def _fill(sessions: Any) -> None:
    for number in range(1_000):
        await sessions.get_or_create_for_room("room" * 100, f"user {number}")


async def test_a_redis_that_is_gone_is_counted(tmp_path: Path, counted: Counted) -> None:
    """While it is, and not before."""
    with RedisServer(tmp_path) as server:
        environ = {"JUNE_STORE__URL": server.url, "JUNE_SECRET_KEY": "k" * 32}
        sessions = await sessions_for_call(load(environ=environ).session)
        await sessions.list_sessions()
        assert counted("june_store_errors_total") == 0
    for _ in range(3):
        with pytest.raises(StoreError):
            await sessions.list_sessions()
    await sessions.aclose()
    assert counted("june_store_errors_total") == 3


async def test_a_store_that_no_call_could_open_is_counted(
    tmp_path: Path, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call goes on, and remembers only itself."""
    monkeypatch.setattr("agent.remembered.OPEN_SECONDS", 0.05)
    (tmp_path / "data").write_text("not a folder")
    config = load(environ={"JUNE_DATA__DIR": str(tmp_path / "data")}).session
    sessions = await sessions_for_call(config)
    assert sessions.stands_in
    assert counted("june_store_errors_total") == 1


# Calls


def speaking(voice: rtc.EventEmitter[str]) -> None:
    event = AgentStateChangedEvent(old_state="listening", new_state="speaking")
    voice.emit("agent_state_changed", event)


@pytest.mark.parametrize(
    ("asked_at", "waited", "expected"),
    [(100.0, 0.0, 2.5), (100.0, 30.0, 2.5), (0.0, 0.0, None), (500.0, 0.0, None)],
    ids=["at once", "a caller who comes late", "nobody knows when", "a clock that was set"],
)
def test_the_first_word_is_timed_from_the_dispatch(
    asked_at: float, waited: float, expected: float | None, counted: Counted
) -> None:
    """Once; June is not slow where she waits for a caller who has not joined."""
    now = 100.5
    voice: Any = rtc.EventEmitter[str]()
    first_word = FirstWord(voice, asked_at, now=lambda: now)
    with first_word.nobody_waits():
        now += waited
    now += 2.0
    voice.emit(
        "agent_state_changed",
        AgentStateChangedEvent(old_state="initializing", new_state="listening"),
    )
    assert counted("june_first_word_seconds_count") == 0
    speaking(voice)
    now += 10.0
    speaking(voice)
    assert counted("june_first_word_seconds_count") == (0 if expected is None else 1)
    assert counted("june_first_word_seconds_sum") == pytest.approx(expected or 0.0)


def job_of(*, fails: Callable[[], Coroutine[Any, Any, None]] | None = None) -> Any:
    """A job whose call ends as an idle one, if it does not fail."""

    class Call:
        reason = CloseReason.IDLE

        def __init__(self, *_: object, **__: object) -> None:
            pass

        async def answer(self) -> None:
            if fails is not None:
                self.reason = CloseReason.CRASH
                await fails()

        aclose = answer

    userdata = {"speech": None, "vad": None, "skills": None}
    return Call, SimpleNamespace(
        proc=SimpleNamespace(userdata=userdata), job=SimpleNamespace(id="job"), room=None
    )


async def test_a_call_is_counted_while_it_lasts_and_by_its_end(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is active meanwhile."""
    call, ctx = job_of()
    monkeypatch.setattr(agent.job, "RoomCall", call)
    await agent.job.answer(ctx, config=load(environ={}), worker_key="w")
    assert counted("june_calls_total") == 1
    assert counted("june_calls_active") == 1
    assert counted("june_calls_ended_total", reason="idle") == 0
    await agent.job.end(ctx)
    assert counted("june_calls_active") == 0
    assert counted("june_calls_ended_total", reason="idle") == 1


async def test_a_call_that_fails_is_counted_as_one_that_ended(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if its end fails, too."""

    async def fails() -> None:
        raise ValueError("broken")

    call, ctx = job_of(fails=fails)
    monkeypatch.setattr(agent.job, "RoomCall", call)
    with pytest.raises(ValueError, match="broken"):
        await agent.job.answer(ctx, config=load(environ={}), worker_key="w")
    with pytest.raises(ValueError, match="broken"):
        await agent.job.end(ctx)
    assert counted("june_calls_active") == 0
    assert counted("june_calls_ended_total", reason="crash") == 1


async def test_a_job_without_a_call_is_none(counted: Counted) -> None:
    """LiveKit ends jobs that were never answered as well."""
    _, ctx = job_of()
    await agent.job.end(ctx)
    assert counted("june_calls_active") == 0

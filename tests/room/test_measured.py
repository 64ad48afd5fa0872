"""What an operator sees of a real call: numbers of all processes, and spans."""

import asyncio
import os
from pathlib import Path

import pytest
from collector import collecting
from counting_processes import samples_of

from agent.livekit_server import LoopbackServer
from agent.metrics_folder import MEMORY, parts_of
from agent.process_files import ProcessFiles
from room.caller import Caller
from room.conftest import Call
from room.worker import Worker
from session import SessionConfig, open_sessions


async def test_a_call_is_counted_and_traced(
    livekit: LoopbackServer, call: Call, tmp_path: Path
) -> None:
    """When its process is gone its counts remain, without its files; nobody's words are in them."""
    folder = tmp_path / "metrics"
    with collecting() as collector:
        environment = {
            "PROMETHEUS_MULTIPROC_DIR": str(folder),
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
            "JUNE_WORKER__DRAIN_SECONDS": "1",
            "JUNE_AGENT__NAME": "measured",
        }
        async with Worker.of(livekit, tmp_path, **environment) as june:
            await june.ready()
            files = ProcessFiles(parts_of(folder))
            caller = await call().join()
            await caller.dispatch(agent="measured")
            await caller.hear()
            _, ended = await caller.say("What is your name?")
            caller.listened_from = ended - 0.2
            answer = await caller.hear()
            during = await asyncio.to_thread(samples_of, files)
            await caller.leave()
            await june.event("call.ended", room=caller.room_name)
            process = june.events("call.answered")[-1]["pid"]
            await gone(process)
            found = await asyncio.to_thread(samples_of, files)
            await kept_as_told(june, caller, answer.started - ended)
    assert (during["june_calls_total"], during["june_calls_active"]) == (1, 1)
    assert found["june_calls_active"] == 0
    assert found["june_calls_ended_total{reason=caller_left}"] == 1
    assert found["june_turns_total"] == 1
    assert found["june_first_word_seconds_count"] == 1
    assert 0 < found["june_first_word_seconds_sum"] < 10
    assert found["june_reply_seconds_count"] == 1
    for stage in ("end_of_turn", "transcription", "first_token", "first_clause", "first_audio"):
        assert found[f"june_stage_seconds_count{{stage={stage}}}"] >= 1
    answered = "{model=offline-brain,outcome=answered,provider=local,stage=llm}"
    assert found[f"june_model_requests_total{answered}"] == 1
    assert found["june_store_errors_total"] == 0
    assert found["june_notebook_waiting"] == 0
    assert not [path for part in parts_of(folder) for path in part.glob(f"*_{process}.db")]
    names = {span.name for span in collector.spans}
    assert {"job_entrypoint", "agent_session", "agent_turn", "llm_node", "tts_node"} <= names
    told = b"".join(collector.bodies).lower()
    for private in (b"your name", b"not a person", caller.identity.encode()):
        assert private not in told


async def kept_as_told(june: Worker, caller: Caller, waited_seconds: float) -> None:
    """The turn's stages: told to the page, kept in the session, and as the caller knows them."""
    async with open_sessions(SessionConfig(june.folder / "data")) as sessions:
        session = await sessions.get_session_by_room(caller.room_name)
        assert session is not None
        greeting, turn = await sessions.turn_metrics(session.session_id)
    assert greeting.turn == 0
    assert greeting.first_word_seconds is not None
    (told,) = [event for event in caller.events if event["type"] == "turn.timed"]
    assert turn.stages is not None
    stages = turn.stages.model_dump(exclude_none=True)
    assert told["stages"] == stages
    assert set(stages) == {
        "final_text",
        "end_of_turn",
        "first_token",
        "first_clause",
        "first_audio",
    }
    assert stages["first_audio"] == pytest.approx(turn.reply_seconds, abs=0.002)
    # By ear, over a network, and to the end of a recording that fades.
    assert stages["first_audio"] == pytest.approx(waited_seconds, abs=0.6)


async def gone(process: int) -> None:
    for _ in range(200):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the process of the call stays")


@pytest.mark.slow
async def test_a_worker_leaves_no_folder_behind(livekit: LoopbackServer, tmp_path: Path) -> None:
    """Unless the operator names one, it has one of its own for as long as it lives."""
    before = set(MEMORY.glob("june-metrics-*"))
    async with Worker.of(livekit, tmp_path, JUNE_AGENT__NAME="tidy") as june:
        await june.ready()
        (made,) = set(MEMORY.glob("june-metrics-*")) - before
        assert list(made.glob("**/*.db"))
        assert await june.stop() == 0
    assert not made.exists()

"""Traces: what a call does reaches the collector, and nothing of what was said in it."""

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from collector import collecting
from processes import forking
from structlog.testing import capture_logs
from test_gate import ANN, CONFIG, Conversation

import agent.job
from agent.config import load
from agent.notebook import Notebook
from agent.remembered import recall
from session import open_sessions

ROOT = Path(__file__).parent.parent

WORD = "xylophone"
"""What the caller says, and what nobody else should ever read."""

SECRET = "sk-hush-hush-hush"

CALLER = "Ann-the-caller"


def run(work: Any, *arguments: Any) -> tuple[Any, float]:
    """What it returns in a process of its own, as those of calls are; seconds to its end after."""
    ours, theirs = forking.Pipe()
    process = forking.Process(target=_told, args=(theirs, work, arguments))
    process.start()
    theirs.close()
    assert ours.poll(60), "it hangs"
    answer = ours.recv()
    began = time.monotonic()
    process.join(30)
    assert process.exitcode == 0
    return answer, time.monotonic() - began


def _told(pipe: Any, work: Any, arguments: tuple[Any, ...]) -> None:
    pipe.send(work(*arguments))


def converse(endpoint: str) -> list[str]:
    """A typed call in which a word is said; the events that June logged."""
    from agent.traces import send_traces

    with capture_logs() as logs:
        send_traces(endpoint, [SECRET])
        asyncio.run(_converse())
        time.sleep(0.2)
    return [entry["event"] for entry in logs]


async def _converse() -> None:
    from livekit.agents import telemetry
    from opentelemetry.trace import Status, StatusCode

    async with open_sessions(CONFIG, now=lambda: 1000.0) as sessions:
        memory = await recall(sessions, **ANN)
        async with Notebook(sessions) as notebook:
            conversation = Conversation(sessions, memory, notebook)
            await conversation.begin()
            await conversation.says(f"My word is {WORD}.")
            assert WORD in await conversation.says("What did I just say?")
            await conversation.voice.aclose()
    with telemetry.tracer.start_as_current_span("planted") as span:
        span.set_attribute("june.pii.words", WORD)
        span.set_attribute("gen_ai.input.messages", WORD)
        span.set_attribute("lk.sip.trunkPhoneNumber", CALLER)
        span.set_attribute("lk.sip.h.From", CALLER)
        span.set_attribute("lk.rpc.caller_identity", CALLER)
        span.set_attribute("error.hint", f"key {SECRET} was refused")
        span.set_attribute("kept", ("of", "two"))
        span.add_event("heard", {"june.pii.text": WORD, "characters": 9})
        span.record_exception(ValueError(WORD))
    with telemetry.tracer.start_as_current_span("failed") as span:
        span.set_status(Status(StatusCode.ERROR, f"{CALLER} said {WORD}, and {SECRET} was refused"))


def test_spans_arrive_without_what_was_said() -> None:
    """All that there are, when the process ends: nobody waits for the next batch."""
    with collecting() as collector:
        logs, seconds = run(converse, collector.endpoint)
    names = {span.name for span in collector.spans}
    assert {"agent_turn", "llm_node", "agent_session", "planted"} <= names, names
    assert collector.services == {"june"}
    assert collector.paths == {"/v1/traces"}
    told = b"".join(collector.bodies)
    for private in (WORD, SECRET, CALLER, "my word", "You are June"):
        assert private.encode() not in told
    attributes = collector.attributes()
    assert attributes["error.hint"] == "key [secret] was refused"
    assert attributes["characters"] == 9
    assert [one.string_value for one in attributes["kept"].values] == ["of", "two"]
    assert "lk.response.ttft" in attributes
    assert "traces.not_sent" not in logs
    assert seconds < 10


def test_a_collector_that_is_away_costs_a_call_nothing() -> None:
    """It is said once, and the process ends in time."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        logs, seconds = run(converse_for_long, endpoint)
    assert logs.count("traces.not_sent") == 1
    assert seconds < 10


def converse_for_long(endpoint: str) -> list[str]:
    """With several batches that cannot be sent."""
    import agent.traces

    patched = pytest.MonkeyPatch()
    patched.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    patched.setattr(agent.traces, "SEND_SECONDS", 0.1)
    before = converse(endpoint)
    with capture_logs() as logs:
        for _ in range(5):
            asyncio.run(_converse())
            time.sleep(0.2)
    return before + [entry["event"] for entry in logs]


def test_a_collector_that_hangs_does_not_keep_a_process() -> None:
    """It stays for a few seconds to be heard."""
    with collecting() as collector:
        collector.hangs = True
        _, seconds = run(converse, collector.endpoint)
    assert seconds < 10, "by itself it would wait for half a minute"


def test_whatever_is_wrong_with_traces_calls_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that cannot be prepared would be started again and again."""

    def fails(*_: object) -> None:
        raise ValueError("whatever")

    monkeypatch.setattr("agent.traces.send_traces", fails)
    monkeypatch.setattr(agent.job, "setup_job", lambda _: None)
    monkeypatch.setattr(agent.job, "load_vad", lambda: "vad")
    config = load(environ={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
    process: Any = SimpleNamespace(userdata={})
    with capture_logs() as logs:
        agent.job.prewarm(process, config=config, socket=Path("unused"))
    assert [entry["event"] for entry in logs] == ["traces.none"]
    assert process.userdata["vad"] == "vad"


PREPARED = """
import sys
from pathlib import Path
from types import SimpleNamespace
import agent.job
from agent.config import load
agent.job.load_vad = lambda: "vad"
agent.job.local_speech = lambda socket: None
agent.job.prewarm(SimpleNamespace(userdata={}), config=load(environ=%r), socket=None)
from livekit.agents import telemetry
print("agent.traces" in sys.modules, type(telemetry.tracer._tracer_provider).__name__)
"""


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "False ProxyTracerProvider"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, "False ProxyTracerProvider"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, "True TracerProvider"),
    ],
)
def test_nothing_is_imported_where_no_collector_is_named(
    environ: dict[str, str], expected: str
) -> None:
    """LiveKit itself imports the exporter in any case; nothing of June's does, or makes spans."""
    done = subprocess.run(
        [sys.executable, "-c", PREPARED % ({"HOME": "/tmp", **environ})],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == expected

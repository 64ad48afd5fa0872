"""The logs: one line for an event, nothing in it that must not leave the house."""

import ast
import io
import json
import logging
import re
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from livekit.agents.ipc.log_queue import LogQueueHandler, LogQueueListener
from livekit.agents.utils.aio import duplex_unix

from agent.config import Config, load
from agent.logs import NOISY, setup_job, setup_parent
from agent.redact import HIDDEN

ROOT = Path(__file__).parent.parent
SECRET = "a secret without a shape"
PLANTED = (SECRET, "sk-proj-abcdefgh12345678", "Zm9vYmFyYmF6", "the caller said this")


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Logging is the process's own, so each test gives it back."""
    levels = {name: logging.getLogger(name).level for name in ("root", *NOISY)}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger().handlers.clear()
    logging.captureWarnings(False)
    structlog.reset_defaults()


def parent(stream: io.StringIO, **settings: str) -> None:
    """Set up, and put aside the handlers by which pytest listens."""
    logging.getLogger().handlers.clear()
    setup_parent(config(**settings), stream)


def config(**settings: str) -> Config:
    environ = {f"JUNE_LOGS__{name.upper()}": value for name, value in settings.items()}
    livekit = {"LIVEKIT_URL": "wss://livekit.example.org", "LIVEKIT_API_SECRET": SECRET}
    return load(environ={"HOME": "/home/alice", **livekit, **environ})


def logged(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json_with_its_fields() -> None:
    """Time, level, logger, event; then what the event is about."""
    stream = io.StringIO()
    parent(stream)
    structlog.get_logger("agent.call").info("call.ended", turns=12, reason="idle")

    (line,) = logged(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "logger": "agent.call",
        "event": "call.ended",
        "turns": 12,
        "reason": "idle",
    }


def test_on_a_terminal_lines_are_for_people() -> None:
    """`auto` looks at the stream."""
    stream = Terminal()
    parent(stream)
    structlog.get_logger("agent.call").info("call.ended", turns=12)

    assert "call.ended" in stream.getvalue()
    assert "\x1b[" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_the_format_can_be_asked_for() -> None:
    """Pretty in a file has no colours; JSON on a terminal is JSON."""
    pretty, terminal = io.StringIO(), Terminal()
    parent(pretty, format="pretty")
    structlog.get_logger().info("call.ended")
    parent(terminal, format="json")
    structlog.get_logger().info("call.ended")

    assert "\x1b" not in pretty.getvalue()
    assert logged(terminal)[0]["event"] == "call.ended"


def test_setting_up_again_replaces_the_handler() -> None:
    """Otherwise every line would come twice."""
    first, second = io.StringIO(), io.StringIO()
    parent(first)
    setup_parent(config(), second)
    structlog.get_logger().info("call.ended")

    assert first.getvalue() == ""
    assert len(logged(second)) == 1


def test_less_than_the_level_is_not_written() -> None:
    """For June, and for the libraries, which are never below a warning."""
    stream = io.StringIO()
    parent(stream, level="debug")
    structlog.get_logger("agent.call").debug("call.opened")
    logging.getLogger("livekit.agents").info("registered worker")
    logging.getLogger("aiohttp.access").info("GET /metrics")
    parent(stream, level="error")
    structlog.get_logger("agent.call").warning("lease.taken")
    logging.getLogger("livekit.agents").warning("slow")

    assert [line["event"] for line in logged(stream)] == ["call.opened"]


def fail(words: str) -> None:
    """Fail with a secret in the error, and the caller's words in a local."""
    raise ValueError(f"{SECRET}, sk-proj-abcdefgh12345678{words[:0]}")


def plant() -> None:
    """Log every planted word in every place that a record has."""
    log = structlog.get_logger("agent.plant")
    try:
        fail("the " + "caller said this")
    except ValueError as error:
        log.exception(
            "plant.failed",
            error=error,
            api_key="Zm9vYmFyYmF6",
            deep=[{"url": f"redis://u:{SECRET}@h/0", "header": {"authorization": "Zm9vYmFyYmF6"}}],
            **{"pii.text": "the caller said this"},
        )
        logging.getLogger("other").warning(
            "Bearer %s at %s",
            "Zm9vYmFyYmF6",
            f"https://u:{SECRET}@h",
            extra={"lk.pii.user_input": "the caller said this", "token": "Zm9vYmFyYmF6"},
        )


@pytest.mark.parametrize("layout", ["json", "pretty"])
def test_planted_secrets_never_come_out(layout: str) -> None:
    """Not from a message, a field, a nested one, an address, or a traceback; nor any locals."""
    stream = Terminal()
    parent(stream, format=layout)
    plant()

    text = stream.getvalue()
    assert "plant.failed" in text
    assert "ValueError" in text
    assert HIDDEN in text
    assert not any(word in text for word in PLANTED)


class Job:
    """A job process as the logs see it: LiveKit's own queue between two ends of a socket."""

    def __init__(self, *behind: logging.Handler) -> None:
        here, there = socket.socketpair()
        self.handler = LogQueueHandler(duplex_unix._Duplex.open(there))
        self._listener = LogQueueListener(duplex_unix._Duplex.open(here), self._prepare)
        self._behind = behind

    def _prepare(self, record: logging.LogRecord) -> None:
        record.__dict__.update(pid=4711, job_id="AJ_1", room="lobby")

    def run(self) -> None:
        """Log as a job does, then hand everything to the parent's handlers."""
        root = logging.getLogger()
        parents = list(root.handlers)
        root.handlers[:] = [self.handler]
        setup_job([SECRET])
        setup_job([SECRET])
        root.handlers += self._behind
        plant()
        structlog.get_logger("agent.call").info("call.ended", turns=12, usage=[{"tokens": 3}])
        root.handlers[:] = parents
        self._listener.start()
        self.handler.close()
        self.handler.thread.join(5)
        self._listener.stop()


def test_a_job_s_event_keeps_its_fields_and_its_time_on_the_way_to_the_parent() -> None:
    """LiveKit pickles the record and replays it; the call's own fields are added."""
    stream = io.StringIO()
    parent(stream)
    job = Job()
    job.run()

    line = logged(stream)[-1]
    assert line["event"] == "call.ended"
    assert line["turns"] == 12
    assert line["usage"] == [{"tokens": 3}]
    assert (line["pid"], line["job_id"], line["room"]) == (4711, "AJ_1", "lobby")
    assert "message" not in line


def test_a_job_s_traceback_comes_once_as_a_field() -> None:
    """The queue writes it behind the message as well."""
    stream = io.StringIO()
    parent(stream)
    Job().run()

    failed = logged(stream)[0]
    assert failed["event"] == "plant.failed"
    assert failed["exception"].startswith("Traceback (most recent call last):")
    assert failed["exception"].endswith(f"ValueError: {HIDDEN}, {HIDDEN}")


def test_a_job_s_records_are_clean_before_they_leave_it() -> None:
    """LiveKit may add handlers of its own in the job, behind the queue's."""
    seen: list[logging.LogRecord] = []

    class Behind(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record)

    parent(io.StringIO())
    job = Job(Behind())
    job.run()

    assert len(job.handler.filters) == 1
    assert len(seen) == 3
    for record in seen:
        assert not any(word in str(record.__dict__) for word in PLANTED)


def test_a_field_may_have_any_name() -> None:
    """The standard library would raise for `name`, and a call would end for a log line."""
    stream = io.StringIO()
    parent(stream)
    structlog.get_logger("agent.call").info(
        "skill.used", name="timer", level=3, message="m", args=1, exc_info=None
    )

    (line,) = logged(stream)
    assert (line["name_"], line["level_"], line["message_"], line["args_"]) == ("timer", 3, "m", 1)
    assert line["level"] == "info"


def test_a_record_that_cannot_be_read_ends_nothing() -> None:
    """A mistake in a log line is a log line."""

    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("broken")

    stream = io.StringIO()
    parent(stream)
    logging.getLogger("other").warning("%d calls", "many")
    structlog.get_logger().info("call.ended", field=Broken())

    first, second = logged(stream)
    assert first["event"] == second["event"] == "log.unreadable"
    assert first["exception"].startswith("TypeError in ")


def test_a_warning_of_python_is_a_line_like_any_other() -> None:
    """Who reads JSON gets nothing but JSON."""
    stream = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        parent(stream)
        warnings.warn("token=Zm9vYmFyYmF6", stacklevel=1)

    (line,) = logged(stream)
    assert (line["level"], line["logger"]) == ("warning", "py.warnings")
    assert f"UserWarning: token={HIDDEN}" in line["event"]


def test_a_hostile_room_name_does_not_drive_the_terminal() -> None:
    """Names come from whoever makes rooms."""
    stream = Terminal()
    parent(stream)
    structlog.get_logger().info("call.ended", room="a\x1b]0;owned\x07b\rc")

    assert "\x1b]0" not in stream.getvalue()
    assert "\r" not in stream.getvalue()


class RefusedError(Exception):
    """As aiohttp reports an answer other than 101."""

    status = 401


def away(at_seconds: float, error: Exception, tries: int) -> logging.LogRecord:
    """LiveKit's own warning, as it is in `livekit/agents/worker.py`."""
    return logging.makeLogRecord(
        {
            "name": "livekit.agents",
            "levelno": logging.WARNING,
            "levelname": "WARNING",
            "msg": "failed to connect to livekit, retrying in 10s",
            "created": at_seconds,
            "retry_count": tries,
            "max_retry": 16,
            "error": error,
        }
    )


def test_a_livekit_server_that_is_away_is_a_line_now_and_then() -> None:
    """The first try that fails, then at most one a minute, whatever the tries are."""
    stream = io.StringIO()
    parent(stream)
    logger = logging.getLogger("livekit.agents")
    for number in range(30):
        logger.handle(away(1_000.0 + number * 10, ConnectionRefusedError(SECRET), number))

    lines = logged(stream)
    assert [line["tries"] for line in lines] == [0, 6, 12, 18, 24]
    assert {line["event"] for line in lines} == {"livekit.unreachable"}
    assert lines[0]["host"] == "livekit.example.org"
    assert lines[0]["error"] == f"ConnectionRefusedError: {HIDDEN}"
    assert "`LIVEKIT_URL`" in lines[0]["hint"]
    assert "max_retry" not in lines[0]


def test_wrong_keys_are_told_from_a_server_that_is_away() -> None:
    """The operator must look in another place."""
    stream = io.StringIO()
    parent(stream)
    logging.getLogger("livekit.agents").handle(away(1_000.0, RefusedError("401"), 1))

    assert "`LIVEKIT_API_KEY` and `LIVEKIT_API_SECRET`" in logged(stream)[0]["hint"]


def test_livekit_still_says_it_in_these_words() -> None:
    """`livekit.unreachable` is made from a line of the framework, whose words may change."""
    import livekit.agents.worker

    source = Path(livekit.agents.worker.__file__).read_text()
    assert 'f"failed to connect to livekit, retrying in {retry_delay}s"' in source


LOGGING = {"debug", "info", "warning", "error", "exception", "critical"}
EVENT = re.compile(r"[a-z_]+(\.[a-z_]+)+")


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted([*(ROOT / "agent").rglob("*.py"), *(ROOT / "session").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=attr)) if (
                    attr in LOGGING
                ):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_event_has_a_name_and_no_sentence() -> None:
    """`noun.verb_past`, as a literal: then a line can be searched for, and holds nobody's words."""
    calls = list(log_calls())

    assert calls
    for where, call in calls:
        match call.args:
            case [ast.Constant(value=str(event))]:
                assert EVENT.fullmatch(event), f"{where}: `{event}` is not `noun.verb_past`"
            case _:
                pytest.fail(f"{where}: the event is not one literal, with fields by name")

"""June's logs: events with fields, written by one handler in the parent process.

Jobs hand their records to the parent through LiveKit's queue. So in every process structlog passes
its fields on as those of a standard record, and only the parent makes lines of them.
"""

import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from agent.config import Config
from agent.log_records import SET_BY_LOGGING, LiveKitAway, Redacting
from agent.redact import Redactor

# They log each request, or each try, at `info`.
NOISY = (
    "aiohttp.access",
    "asyncio",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "livekit",
    "openai",
    "urllib3",
    "watchfiles",
    "websockets",
)

RESERVED = SET_BY_LOGGING | {"message", "asctime", "event", "level", "logger", "timestamp"}


class _JuneHandler(logging.StreamHandler[TextIO]):
    """The one handler that setting up again replaces."""


def setup_parent(config: Config, stream: TextIO | None = None) -> None:
    """Write all logs of this process and its jobs to `stream`, by default standard error.

    Call it once, before the worker starts: the levels are copied to the job processes.
    """
    _configure()
    handler = make_handler(config, sys.stderr if stream is None else stream)
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _JuneHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    level = logging.getLevelNamesMapping()[config.logs.level.upper()]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def setup_job(secrets: Iterable[str] = ()) -> None:
    """Send June's events through LiveKit's queue, cleaned before any other handler has them.

    Call it in `setup_fnc`, not at import. `secrets` are hidden wherever they occur.
    """
    _configure()
    redacting = Redacting(Redactor(secrets))
    for handler in logging.getLogger().handlers:
        if not any(isinstance(old, Redacting) for old in handler.filters):
            handler.addFilter(redacting)


def make_handler(config: Config, stream: TextIO) -> logging.Handler:
    """The handler of the parent: redacts, thins out, and writes one line for a record."""
    pretty = config.logs.format == "pretty" or (config.logs.format == "auto" and stream.isatty())
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(),
            # The default prints the locals of each frame, and locals hold secrets.
            exception_formatter=structlog.dev.plain_traceback,
        )
        if pretty
        else structlog.processors.JSONRenderer()
    )
    handler = _JuneHandler(stream)
    handler.addFilter(LiveKitAway(config.livekit.url))
    handler.addFilter(Redacting(Redactor(config.secrets)))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.ExtraAdder(),
                _add_time,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                _add_exception,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    return handler


def _configure() -> None:
    """What every process does: events and Python's warnings become standard records."""
    logging.captureWarnings(True)  # noqa: FBT003 (the standard library's own signature)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            _free_names,
            structlog.stdlib.render_to_log_kwargs,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def _free_names(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A field called `name` would make the standard library raise; it is written as `name_`."""
    kept = {"event", *structlog.stdlib.LOG_KWARG_NAMES}
    return {
        f"{name}_" if name in RESERVED and name not in kept else name: value
        for name, value in event.items()
    }


def _add_time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """When it happened, in the process where it happened; not when it arrived here."""
    created = datetime.fromtimestamp(event["_record"].created, tz=UTC)
    event["timestamp"] = created.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _add_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The traceback as a field. LiveKit's queue has also written it behind the event."""
    if exception := event["_record"].exc_text:
        event["event"] = event["event"].removesuffix(f"\n{exception}")
        event["exception"] = exception
    return event

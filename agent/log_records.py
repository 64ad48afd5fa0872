"""What happens to a log record before it is written: secrets go, LiveKit's tries become rare."""

import logging
from urllib.parse import urlsplit

from agent.redact import Redactor

SET_BY_LOGGING = frozenset(logging.makeLogRecord({}).__dict__) | {"taskName"}

LEFT_BEHIND = frozenset({"message", "asctime", "websocket"})
"""What formatters and `websockets` put on a record; it says nothing that the record does not."""

AWAY_SECONDS = 60.0
"""At most one `livekit.unreachable` in so many seconds, except the first."""


class Redacting(logging.Filter):
    """Cleans each record in place, so that whatever handler comes later sees it clean.

    Put it on the root handlers: a logger's own filters do not see its children's records.
    """

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        extra = {
            name: record.__dict__.pop(name)
            for name in list(record.__dict__)
            if name not in SET_BY_LOGGING
        }
        try:
            exception = _exception_text(record)
            message = self._redactor.text(record.getMessage())
            exception = exception and self._redactor.text(exception)
            kept = {name: value for name, value in extra.items() if name not in LEFT_BEHIND}
            record.__dict__.update(self._redactor.fields(kept))
        except Exception as error:  # noqa: BLE001 (a record that cannot be read must not end a call)
            message, exception = "log.unreadable", f"{type(error).__name__} in {record.pathname}"
        record.msg, record.args = message, None
        record.exc_info, record.exc_text = None, exception
        return True


def _exception_text(record: logging.LogRecord) -> str | None:
    """The plain traceback, without the locals that may hold secrets."""
    if record.exc_text is None and record.exc_info and record.exc_info[0] is not None:
        return logging.Formatter().formatException(record.exc_info)
    return record.exc_text


class LiveKitAway(logging.Filter):
    """Turns LiveKit's warning per try into the event `livekit.unreachable`, now and then."""

    def __init__(self, url: str | None) -> None:
        super().__init__()
        self._host = urlsplit(url or "").hostname
        self._last: float | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name != "livekit.agents" or not str(record.msg).startswith(
            "failed to connect to livekit, retrying"
        ):
            return True
        if self._last is not None and 0 <= record.created - self._last < AWAY_SECONDS:
            return False
        self._last = record.created
        error = record.__dict__.pop("error", None)
        record.__dict__.pop("max_retry", None)
        tries = record.__dict__.pop("retry_count", None)
        record.msg, record.args = "livekit.unreachable", None
        record.__dict__.update(host=self._host, tries=tries, error=error, hint=_hint(error))
        return True


def _hint(error: object) -> str:
    if getattr(error, "status", None) in {401, 403}:
        return "the server refuses `LIVEKIT_API_KEY` and `LIVEKIT_API_SECRET`; set the server's own"
    return "check `LIVEKIT_URL`, and that a LiveKit server answers there; June goes on trying"

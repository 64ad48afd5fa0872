"""When a provider that is busy wants to be asked again: its own `Retry-After`.

LiveKit's plugins drop the headers of what they turn into errors, so they are read on the way.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any


class BusyNote:
    """Of one model, as long as that lives."""

    def __init__(self) -> None:
        self.retry_after_seconds: float | None = None
        """As its newest answer with status 429 said: finite, at least 0; None where that said
        nothing.
        """

    def read(self, status: int, headers: Mapping[str, str]) -> None:
        """RFC 9110, 10.2.3: seconds or a date."""
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = _seconds(headers.get("Retry-After", ""))
            self.retry_after_seconds = max(0.0, seconds) if math.isfinite(seconds) else None


def note_of(model: Any) -> BusyNote:
    """For one of the OpenAI plugin's models: reads each answer that it gets by HTTP from now on."""
    note = BusyNote()

    async def read(answer: Any) -> None:
        note.read(answer.status_code, answer.headers)

    http = model._client._client  # noqa: SLF001 (the plugin's OpenAI client, and its HTTP client)
    http.event_hooks = {**http.event_hooks, "response": [*http.event_hooks["response"], read]}
    model.busy_note = note
    return note


def _seconds(said: str) -> float:
    """NaN where it says nothing; below 0 for a date that is over."""
    try:
        return float(said)
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return math.nan

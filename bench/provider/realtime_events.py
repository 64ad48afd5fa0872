"""What the realtime connection says, as OpenAI words it."""

import itertools
from typing import Any

from bench.provider.tokens import heard_usage

Event = dict[str, Any]

TRANSCRIPTION = "conversation.item.input_audio_transcription"

event_numbers = itertools.count(1)


def event(kind: str, **fields: Any) -> Event:
    return {"type": kind, "event_id": f"event_{next(event_numbers)}", **fields}


def speech_started(item_id: str, at_ms: int) -> Event:
    return event("input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=at_ms)


def speech_stopped(item_id: str, at_ms: int) -> Event:
    return event("input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=at_ms)


def committed(item_id: str, previous_item_id: str | None) -> Event:
    return event("input_audio_buffer.committed", item_id=item_id, previous_item_id=previous_item_id)


def delta(item_id: str, text: str) -> Event:
    return event(f"{TRANSCRIPTION}.delta", item_id=item_id, content_index=0, delta=text)


def completed(item_id: str, text: str, seconds: float) -> Event:
    return event(
        f"{TRANSCRIPTION}.completed",
        item_id=item_id,
        content_index=0,
        transcript=text,
        usage=heard_usage(seconds, text),
    )


def error(message: str, *, kind: str = "invalid_request_error", code: str | None = None) -> Event:
    told = {"type": kind, "code": code, "message": message, "param": None, "event_id": None}
    return event("error", error=told)

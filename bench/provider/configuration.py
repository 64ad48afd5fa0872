"""What a realtime connection was told to do, by `session.update`."""

import itertools
from typing import Any

from bench.provider.models import require_model
from bench.provider.refusals import Refusal, Refused
from bench.provider.script import Script

WITHOUT_TURN_DETECTION = ("gpt-realtime-whisper", "gpt-live-transcribe")
"""Models whose client says where an utterance ends, by `input_audio_buffer.commit`."""

PREFIX_PADDING_MS = 300

session_numbers = itertools.count(1)


class Configuration:
    """Lives as long as the connection. What an update leaves out keeps its value."""

    def __init__(self) -> None:
        self.session: dict[str, Any] = {
            "type": "transcription",
            "object": "realtime.transcription_session",
            "id": f"sess_{next(session_numbers)}",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24_000},
                    "transcription": None,
                    "noise_reduction": None,
                    "turn_detection": {
                        "type": "server_vad",
                        "threshold": 0.5,
                        "prefix_padding_ms": PREFIX_PADDING_MS,
                        "silence_duration_ms": 500,
                    },
                }
            },
        }

    def update(self, session: object, script: Script) -> None:
        """Raise `Refused`, and change nothing, for what cannot be done."""
        if not isinstance(session, dict) or session.get("type") != "transcription":
            raise Refused(Refusal.bad_request("Only sessions of type 'transcription' are here."))
        updated = merged(self.session, session)
        given = updated["audio"]["input"]
        if given["format"] != {"type": "audio/pcm", "rate": 24_000}:
            raise Refused(Refusal.bad_request("Only 'audio/pcm' at 24000 Hz is supported here."))
        model = (given["transcription"] or {}).get("model", "")
        require_model(model, script)
        if model.startswith(WITHOUT_TURN_DETECTION):
            if (session.get("audio", {}).get("input", {})).get("turn_detection"):
                no = f"Turn detection is not supported by '{model}'."
                raise Refused(Refusal.bad_request(no))
            given["turn_detection"] = None
        self.session = updated

    @property
    def server_vad(self) -> bool:
        """Whether it is the provider's business to find the end of an utterance."""
        return self.session["audio"]["input"]["turn_detection"] is not None

    @property
    def prefix_padding_ms(self) -> int:
        detection = self.session["audio"]["input"]["turn_detection"] or {}
        return int(detection.get("prefix_padding_ms", PREFIX_PADDING_MS))


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    both = dict(old)
    for key, value in new.items():
        before = old.get(key)
        nested = isinstance(value, dict) and isinstance(before, dict)
        both[key] = merged(before or {}, value) if nested else value
    return both

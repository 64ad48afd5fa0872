"""When a caller has finished, and when they interrupt: VAD, end of turn, barge-in.

Everything here runs in the job process; nothing asks a server (`version="v1-mini"` and
`mode="vad"` see to that: the framework's defaults would, when LiveKit keys are set).
"""

from typing import Literal

from livekit.agents import TurnHandlingOptions, inference, vad
from livekit.plugins import silero

TEXT_TRANSFORMS: list[Literal["filter_markdown", "filter_emoji"]] = [
    "filter_markdown",
    "filter_emoji",
]
"""What is kept out of speech, whatever a model writes."""

SILENCE_SECONDS = 0.4
"""Silence that ends a stretch of speech. The turn detector needs at least 0.25."""


def load_vad() -> vad.VAD:
    """Silero, which every call of a process may share. Blocks for a moment: call it at prewarm."""
    return silero.VAD.load(min_silence_duration=SILENCE_SECONDS)


def turn_handling() -> TurnHandlingOptions:
    """How June takes turns. Build it inside a call: the turn detector belongs to its event loop."""
    return {
        "turn_detection": inference.TurnDetector(version="v1-mini"),
        # A caller whose sentence sounds unfinished is waited for, but no longer than this: the
        # detector is unsure of about one sentence in two, and each one would cost the maximum.
        "endpointing": {"mode": "fixed", "min_delay": 0.3, "max_delay": 1.2},
        "interruption": {
            "mode": "vad",
            "min_duration": 0.3,
            "min_words": 0,
            "resume_false_interruption": True,
            "false_interruption_timeout": 1.0,
        },
        # An attempt on words that still change costs a model request; June has nothing to gain
        # from it until interims are stable enough to be worth one.
        "preemptive_generation": {"enabled": False},
    }

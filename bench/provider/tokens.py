"""Text in pieces of about a token, and what an answer costs by them. Estimates, all of it."""

import json
import re
from collections.abc import Sequence
from typing import Any

from bench.provider.requests import ChatRequest, text_of

AUDIO_TOKENS_PER_SECOND_HEARD = 10
AUDIO_TOKENS_PER_SECOND_SPOKEN = 20

PIECE = re.compile(r"\s*\w{1,8}|\s*[^\w\s]|\s+")


def pieces(text: str) -> list[str]:
    """The text cut up, so that its joined pieces are the text again."""
    return PIECE.findall(text)


def count(text: str) -> int:
    return len(pieces(text))


def prompt_tokens(request: ChatRequest) -> int:
    tools = count(json.dumps(request.tools)) if request.tools else 0
    return 3 + tools + sum(_message(message) for message in request.messages)


def _message(message: dict[str, Any]) -> int:
    called: Sequence[object] = message.get("tool_calls") or ()
    return 4 + count(text_of(message.get("content"))) + (count(json.dumps(called)) if called else 0)


def heard_usage(seconds: float, text: str) -> dict[str, Any]:
    """The `usage` of a transcription."""
    sound, words = round(seconds * AUDIO_TOKENS_PER_SECOND_HEARD), count(text)
    return {
        "type": "tokens",
        "input_tokens": sound,
        "input_token_details": {"text_tokens": 0, "audio_tokens": sound},
        "output_tokens": words,
        "total_tokens": sound + words,
    }


def spoken_usage(text: str, seconds: float) -> dict[str, int]:
    """The `usage` of speech."""
    words, sound = count(text), round(seconds * AUDIO_TOKENS_PER_SECOND_SPOKEN)
    return {"input_tokens": words, "output_tokens": sound, "total_tokens": words + sound}

"""May this turn be answered? The rules, and the answer as a value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    """The answer to "may this happen now?"."""

    allowed: bool
    reason: str | None = None
    """Of a refusal: `too_long`."""
    retry_after_seconds: float = 0.0


ALLOWED = Decision(allowed=True)


def decide_turn(text: str, *, max_input_characters: int) -> Decision:
    """Judge one attempt at a turn by its words; they may still change with the next attempt."""
    if len(text) > max_input_characters:
        return Decision(allowed=False, reason="too_long")
    return ALLOWED

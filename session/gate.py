"""May this turn be answered, as far as its words decide?"""

from session.limits import ALLOWED, Decision
from session.rules import TOO_LONG


def decide_turn(text: str, *, max_input_characters: int) -> Decision:
    """Judge one attempt at a turn by its words; they may still change with the next attempt."""
    if len(text) > max_input_characters:
        return Decision(allowed=False, reason=TOO_LONG)
    return ALLOWED

"""May this turn be answered? By its words, and by what its user and June may still do."""

import uuid
from dataclasses import replace

from session.errors import StoreError
from session.limits import ALLOWED, Decision
from session.records import Session
from session.rules import TOO_LONG, LimitConfig, turn_ask
from session.store.protocol import Limits


def decide_turn(text: str, *, max_input_characters: int) -> Decision:
    """Judge one attempt at a turn by its words; they may still change with the next attempt."""
    if len(text) > max_input_characters:
        return Decision(allowed=False, reason=TOO_LONG)
    return ALLOWED


async def admit_turn(
    store: Limits, limits: LimitConfig, session: Session, turn: int, text: str, *, now: float
) -> Decision:
    """Attempts at one turn count once. One that is too long counts too: it is answered in words.

    Raises:
        StoreError: if the store fails and the words alone do not decide.
    """
    of_words = decide_turn(text, max_input_characters=limits.max_input_characters)
    try:
        decision = await store.admit(turn_ask(limits, session, turn, now), now=now)
    except StoreError:
        if of_words.allowed:
            raise
        return of_words
    return decision if of_words.allowed or not decision.allowed else of_words


async def admit_repeat(
    store: Limits, limits: LimitConfig, session: Session, *, now: float
) -> Decision:
    """An answer that is given again counts as one more turn of its user."""
    ask = turn_ask(limits, session, 0, now)
    again = replace(ask, tag=f"{session.session_id} again {uuid.uuid4().hex}")
    return await store.admit(again, now=now)

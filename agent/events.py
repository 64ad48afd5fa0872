"""June's own events: what a caller's page is told beside sound and text (`docs/events.md`).

They hold names and numbers only: nobody's words, and nothing that tells who somebody is.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent.refusals import is_about_money
from session import CloseReason, Decision, TurnMetrics

TOPIC = "june.event"


class EventType(StrEnum):
    LIMIT_NEAR = "limit.near"
    LIMIT_REFUSED = "limit.refused"
    BUDGET_REFUSED = "budget.refused"
    SKILL_USED = "skill.used"
    SKILL_BEGAN = "skill.began"
    SKILL_ENDED = "skill.ended"
    VOICE_CLONED = "voice.cloned"
    VOICE_OWN = "voice.own"
    TURN_TIMED = "turn.timed"
    REPLY_CUT = "reply.cut"
    TROUBLE = "trouble"
    CALL_ENDED = "call.ended"


SUBJECTS = {
    EventType.SKILL_BEGAN: "skill",
    EventType.SKILL_ENDED: "skill",
    EventType.VOICE_CLONED: "voice",
    EventType.VOICE_OWN: "voice",
}


@dataclass(frozen=True)
class Event:
    type: EventType
    reason: str | None = None
    """Of a limit: which one."""
    retry_after_seconds: float | None = None
    """Of a refusal; 0 where waiting does not help, or nobody knows how long."""
    skill: str | None = None
    stage: str | None = None
    """Of trouble: what failed."""
    turn: int | None = None
    is_typed: bool | None = None
    stages: Mapping[str, float] | None = None
    """Seconds after the end of the caller's speech; what was not measured is missing."""
    is_interrupted: bool | None = None
    heard_characters: int | None = None
    refused: str | None = None

    @property
    def subject(self) -> str | None:
        """What it is about, where it lasts until another event about the same; else None."""
        return SUBJECTS.get(self.type)

    def as_json(self) -> str:
        return json.dumps({name: one for name, one in vars(self).items() if one is not None})


Tell = Callable[[Event], None]
"""Never waits and never raises."""


def to_nobody(_: Event) -> None:
    """Where no participant is there to be told."""


def limit_near(reason: str) -> Event:
    return Event(EventType.LIMIT_NEAR, reason=reason)


def refused(decision: Decision) -> Event:
    """Of a decision that does not allow it."""
    return Event(
        EventType.BUDGET_REFUSED if is_about_money(decision) else EventType.LIMIT_REFUSED,
        reason=decision.reason,
        retry_after_seconds=round(decision.retry_after_seconds, 1),
    )


def voice_changed(*, is_cloned: bool) -> Event:
    return Event(EventType.VOICE_CLONED if is_cloned else EventType.VOICE_OWN)


def turn_timed(turn: TurnMetrics) -> Event:
    stages = {} if turn.stages is None else turn.stages.model_dump(exclude_none=True)
    return Event(
        EventType.TURN_TIMED,
        turn=turn.turn,
        is_typed=turn.is_typed,
        stages=stages,
        is_interrupted=turn.is_interrupted,
        heard_characters=turn.heard_characters,
        refused=turn.refused,
    )


def reply_cut(turn: int, heard_characters: int) -> Event:
    return Event(EventType.REPLY_CUT, turn=turn, heard_characters=heard_characters)


def call_ended(reason: CloseReason) -> Event:
    return Event(EventType.CALL_ENDED, reason=reason.value)

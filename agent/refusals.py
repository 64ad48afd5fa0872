"""What a caller hears when something is not allowed, and whether the call ends with it."""

from agent.lines import Lines
from session import Decision, rules
from session.limits import NEAR
from session.money import PAUSED

ABOUT_MONEY = frozenset(
    {
        rules.OUT_OF_BUDGET,
        rules.USER_BUDGET,
        rules.SESSION_BUDGET,
        rules.STORE_IS_DOWN,
        rules.UNPRICED,
        PAUSED,
    }
)

ENDS_THE_CALL = ABOUT_MONEY | {rules.BLOCKED, rules.TOO_MANY_CALLS}
"""The others are over in a moment, or with fewer words."""


def ends_the_call(decision: Decision) -> bool:
    return not decision.allowed and decision.reason in ENDS_THE_CALL


def is_about_money(decision: Decision) -> bool:
    return not decision.allowed and decision.reason in ABOUT_MONEY


def refusal(decision: Decision, lines: Lines) -> str:
    """In the caller's words: one sentence, and what to do next or a goodbye."""
    match decision.reason:
        case rules.TOO_LONG:
            return lines.input_too_long
        case rules.TOO_MANY_TURNS:
            return lines.too_many_turns
        case rules.TOO_MANY_CALLS:
            return lines.too_many_calls
        case rules.BLOCKED:
            return lines.blocked
        case rules.USER_BUDGET:
            return lines.user_budget
        case rules.SESSION_BUDGET:
            return lines.session_budget
        case _:
            return lines.out_of_budget


def is_short_of_money(decision: Decision) -> bool:
    """June then answers shorter."""
    return decision.allowed and decision.budget_used >= NEAR

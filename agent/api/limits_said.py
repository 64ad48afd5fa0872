"""A refusal by a limit or a budget, as HTTP says it."""

from http import HTTPStatus

from agent.api.problems import Problem
from session import Decision, rules
from session.money import PAUSED

OF_ONE = {
    rules.TOO_MANY_CALLS: "this user has called as often as `[limits] calls_per_hour` allows",
    rules.BLOCKED: "this user was refused too often and is blocked for a while",
    rules.USER_BUDGET: "this user has spent what `[limits] dollars_per_user_and_day` allows",
    rules.TOO_MANY_USES: "this key was used as often as it may be in a minute",
}

OF_ALL = {
    rules.OUT_OF_BUDGET: "June has spent what one of her daily `[limits]` allows",
    PAUSED: "June was paused by hand",
}


def refused(decision: Decision) -> Problem:
    """429 where it is about one user or key, 503 where nobody may."""
    reason = decision.reason or ""
    is_of_one = reason in OF_ONE
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS if is_of_one else HTTPStatus.SERVICE_UNAVAILABLE,
        OF_ONE.get(reason) or OF_ALL.get(reason) or "June takes no calls just now",
        reason=reason,
        retry_after_seconds=decision.retry_after_seconds,
    )

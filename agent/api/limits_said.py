"""A refusal by a limit or a budget, as HTTP says it."""

import math
from http import HTTPStatus

from agent.api.problems import Problem
from session import Decision, rules

OF_THE_USER = {
    rules.TOO_MANY_CALLS: "this user has called as often as `[limits] calls_per_hour` allows",
    rules.BLOCKED: "this user was refused too often and is blocked for a while",
    rules.USER_BUDGET: "this user has spent what `[limits] dollars_per_user_and_day` allows",
    rules.TOO_MANY_USES: "this key was used as often as it may be in a minute",
}

OF_ALL = "June spends nothing just now: a limit of the day is reached, or she was paused by hand"


def refused(decision: Decision) -> Problem:
    """429 where it is about one user or key, 503 where nobody may."""
    reason = decision.reason or ""
    detail = OF_THE_USER.get(reason)
    status = HTTPStatus.SERVICE_UNAVAILABLE if detail is None else HTTPStatus.TOO_MANY_REQUESTS
    wait_seconds = max(1, math.ceil(decision.retry_after_seconds))
    return Problem(
        status,
        f"{detail or OF_ALL}; try again in {wait_seconds} s",
        reason=reason,
        headers={"Retry-After": str(wait_seconds)},
    )

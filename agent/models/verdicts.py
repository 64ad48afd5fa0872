"""What an error says about the provider that it came from."""

from http import HTTPStatus

from livekit.agents import APIStatusError

from session.circuits import FAILURE, FORBIDDING, NOTHING, Verdict, busy


def verdict_of(error: Exception, retry_after_seconds: float | None = None) -> Verdict:
    """A request that was wrong in itself says nothing about whom it was made to.

    `retry_after_seconds` is what the provider said, if it said that it is busy.
    """
    if not isinstance(error, APIStatusError):
        return FAILURE
    match error.status_code:
        case HTTPStatus.TOO_MANY_REQUESTS:
            return busy(retry_after_seconds)
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return FORBIDDING
        case HTTPStatus.REQUEST_TIMEOUT:
            return FAILURE
        case status if 400 <= status < 500:
            return NOTHING
        case _:  # a server's own, or that of a socket which was closed
            return FAILURE

"""Requests that came to nothing: those that may not be made, and those nobody served."""

from livekit.agents import APIConnectionError, APIError, APIStatusError, APITimeoutError

from session.limits import Decision


class Refused(APIError):
    """There is no money for a request, so it is not made. LiveKit takes it for a failed one."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(f"not allowed: {decision.reason}", retryable=False)
        self.decision = decision


def is_turned_away(error: BaseException) -> bool:
    """Whether a request that ended so, before any answer to it, has cost nothing.

    One that timed out may be answered, and charged, all the same.
    """
    if isinstance(error, APIStatusError):
        return True
    return isinstance(error, APIConnectionError) and not isinstance(error, APITimeoutError)

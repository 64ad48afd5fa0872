"""What can go wrong with June's memory.

* SessionError
  x UnknownSession     no such id
  x StoreError         the store failed; `retryable` says whether to try again
    x StoreUnusable    the store cannot be opened; the message is for the operator
"""


class SessionError(Exception):
    """Something about a session."""


class UnknownSession(SessionError):
    """No session has this id."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"no session has the id `{session_id}`")


class StoreError(SessionError):
    """The store failed. The driver's own exception is the cause."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


class StoreUnusable(StoreError):
    """The store cannot be opened as it is. The message says why, with a hint."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)

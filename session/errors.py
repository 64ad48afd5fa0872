"""What can go wrong with June's memory.

* SessionError
  x UnknownSession     no such id
  x NoGuestTokens      this memory was opened without LiveKit
  x MemoryFull         a skill keeps as many texts of a user as it may
  x TextTooLong        a text, or what it is to be kept under
  x NoConsent          nobody has consented to this use of a voice, or not any more
  x StoreError         the store failed; `retryable` says whether to try again
    x StoreUnusable    the store cannot be opened; the message is for the operator
"""


class SessionError(Exception):
    """Something about a session."""


class UnknownSession(SessionError):
    """No session has this id."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"no session has the id `{session_id}`")


class NoGuestTokens(SessionError):
    """Nobody can mint a token here."""

    def __init__(self) -> None:
        super().__init__(
            "this SessionService mints no tokens\n"
            "hint: open it with `guest_tokens=`, as June's worker does"
        )


class MemoryFull(SessionError):
    """One must be deleted before another one is kept."""

    def __init__(self) -> None:
        super().__init__("this skill keeps as many texts of this user as it may")


class TextTooLong(SessionError):
    """A text, or the name of its skill or its key."""

    def __init__(self, what: str, most_characters: int) -> None:
        super().__init__(f"the {what} has more than {most_characters:,} characters")


class NoConsent(SessionError):
    """Of whose voice it is: there is none, another one, or it was taken back or has expired."""

    def __init__(self) -> None:
        super().__init__("there is no valid consent of this user's to it")


class StoreError(SessionError):
    """The store failed. The driver's own exception is the cause."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


class StoreUnusable(StoreError):
    """The store cannot be opened as it is. The message says why, with a hint."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)

"""What ends a command with a sentence for the operator instead of a traceback."""


class CannotStart(Exception):
    """June cannot run like this; the message says why and, after `hint:`, what to type next."""

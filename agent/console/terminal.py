"""Standard input and output that odd characters cannot break."""

import io
import sys


def forgive_odd_characters() -> None:
    """What cannot be read or shown in the terminal's encoding is replaced; the call goes on."""
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)

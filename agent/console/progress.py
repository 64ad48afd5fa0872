"""What a person is told while the program is busy: on standard error, apart from what is said."""

import sys


def progress(text: str) -> None:
    sys.stderr.write(f"june: {text}\n")
    sys.stderr.flush()

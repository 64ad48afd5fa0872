"""June's voice as a wav file, on the time line of the call."""

import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Self

from agent.console.pcm import RATE, SAMPLE_BYTES
from agent.errors import CannotStart

SUFFIXES = {"", ".wav", ".wave"}

HEADER_BYTES = 44

AT_ONCE_BYTES = RATE * SAMPLE_BYTES
"""A second of sound is written at a time."""


class UnusablePlace(CannotStart):
    """June's voice cannot be written there."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"`{path}` {why}\nhint: name a file to write: `--out answer.wav`")


class Recording:
    """Lives as long as one call: `with Recording(path)` finds out at once whether it can write.

    The file takes its place at the end, also when the call is interrupted; what was there before
    is kept until then, and for good where no call takes place.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting = bytearray()
        self._written_bytes = 0

    def __enter__(self) -> Self:
        path = self._path
        if path.suffix.lower() not in SUFFIXES:
            raise UnusablePlace(path, f"should end in `.wav`, as June writes no `{path.suffix}`")
        if path.is_dir():
            raise UnusablePlace(path, "is a folder")
        if path.exists() and not path.is_file():
            raise UnusablePlace(path, "is not a file")
        if not path.parent.is_dir():
            raise UnusablePlace(path, f"cannot be written: there is no folder `{path.parent}`")
        if path.exists() and not os.access(path, os.W_OK):
            raise UnusablePlace(path, "cannot be written: it is read-only")
        real = path.resolve()
        self._part = real.with_name(f"{real.name}.{os.getpid()}.part")
        try:
            self._file = self._part.open("wb")
        except OSError as error:
            raise UnusablePlace(path, f"cannot be written: {error.strerror}") from None
        return self

    def write(self, pcm: bytes) -> None:
        self._waiting += pcm
        if len(self._waiting) >= AT_ONCE_BYTES:
            self._write_down()

    def _write_down(self) -> None:
        """What waits, and a header that is right for it: the file is whole after every second."""
        written = self._written_bytes + len(self._waiting)
        try:
            self._file.seek(HEADER_BYTES + self._written_bytes)
            self._file.write(self._waiting)
            self._file.seek(0)
            self._file.write(header(written))
            self._file.flush()
        except OSError as error:
            raise UnusablePlace(self._path, f"cannot be written: {error.strerror}") from None
        self._written_bytes = written
        self._waiting.clear()

    def __exit__(self, *exc_info: object) -> None:
        try:
            if self._waiting:
                self._write_down()
        finally:
            with suppress(OSError):
                self._file.close()
            if self._written_bytes:
                self._part.replace(self._path.resolve())
            else:
                self._part.unlink()


def header(pcm_bytes: int) -> bytes:
    """Of a wav file with so much of June's kind of sound."""
    sound = (1, 1, RATE, RATE * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES)
    riff_bytes = HEADER_BYTES - 8 + pcm_bytes
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", riff_bytes, b"WAVE", b"fmt ", 16, *sound, b"data", pcm_bytes
    )

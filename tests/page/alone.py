"""A command with no network but `lo`: `unshare` gives it one of its own, here it is switched on."""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence

import pytest

SIOCSIFFLAGS = 0x8914

IFF_UP = 0x1

NAMESPACE = ("--user", "--map-root-user", "--net")
"""So that it needs no rights; files stay those of whoever runs the tests."""


def alone(command: Sequence[str]) -> list[str]:
    """How to run this command there."""
    unshare = shutil.which("unshare")
    allowed = unshare is not None and subprocess.run(
        [unshare, *NAMESPACE, "true"], capture_output=True, check=False
    )
    if unshare is None or not allowed or allowed.returncode != 0:
        pytest.fail(
            "no program gets a network of its own here, so that nothing shows what needs none\n"
            f"hint: `unshare {' '.join(NAMESPACE)} true` must succeed"
        )
    return [unshare, *NAMESPACE, sys.executable, __file__, *command]


def switch_on_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


if __name__ == "__main__":
    switch_on_loopback()
    os.execvp(sys.argv[1], sys.argv[1:])

"""A command with no way out of this machine: a network namespace that leads nowhere."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

import pytest

NAMESPACE = ("--user", "--map-root-user", "--net")
"""So that it needs no rights; files stay those of whoever runs the tests."""


def alone(command: Sequence[str]) -> list[str]:
    """How to run this command there."""
    unshare = shutil.which("unshare")
    allowed = unshare is not None and subprocess.run(
        [unshare, *NAMESPACE, "true"], capture_output=True, check=False
    )
    if shutil.which("ip") is None:
        pytest.fail("`ip` is not installed, which sets up a network\nhint: apt install iproute2")
    if unshare is None or not allowed or allowed.returncode != 0:
        pytest.fail(
            "no program gets a network of its own here, so that nothing shows what needs none\n"
            f"hint: `unshare {' '.join(NAMESPACE)} true` must succeed"
        )
    return [unshare, *NAMESPACE, sys.executable, __file__, *command]


def prepare() -> None:
    """`lo`, and a cable whose ends are both here: the SDK of callers and June ignores `lo`."""
    for words in (
        "link set lo up",
        "link add cable type veth peer name end",
        "address add 198.51.100.1/24 dev cable",
        "link set cable up",
        "link set end up",
    ):
        subprocess.run(["ip", *words.split()], check=True)


if __name__ == "__main__":
    prepare()
    os.execvp(sys.argv[1], sys.argv[1:])

"""The same where no network leads out: what works there needed nobody else."""

import subprocess
import sys

import pytest

from page.alone import alone
from room.worker import ROOT

WITHOUT_A_NETWORK = [
    "tests/page/test_harness.py::test_a_clip_is_heard_when_it_speaks",
    "tests/page/test_call.py::test_a_person_calls_with_a_microphone",
]
"""Each in a pytest of its own, with its own server, worker and browser."""

LOOK = """
import socket
names = {name for _, name in socket.if_nameindex()}
assert names == {"lo", "cable", "end"}, names
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    try:
        socket.socket(socket.AF_INET, kind).connect(("192.0.2.1", 80))
    except OSError as error:
        assert error.errno == 101, error
    else:
        raise SystemExit("there is a network")
"""


@pytest.mark.slow
def test_there_is_really_no_network() -> None:
    subprocess.run(alone([sys.executable, "-c", LOOK]), check=True, timeout=20)


@pytest.mark.slow
@pytest.mark.page
@pytest.mark.room
@pytest.mark.parametrize("test", WITHOUT_A_NETWORK)
def test_without_a_network(test: str) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test]
    done = subprocess.run(
        alone(command), cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:]

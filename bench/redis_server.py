"""A Redis server of one's own: on loopback, in a folder of its own, gone at the end."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

START_SECONDS = 10.0


@contextmanager
def redis_server() -> Iterator[str]:
    """Its URL. Like an operator's it writes what it keeps to disk once a second.

    Raises:
        FileNotFoundError: without `redis-server` on the PATH.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise FileNotFoundError("no `redis-server` on the PATH; `apt install redis-server`")
    with tempfile.TemporaryDirectory(prefix="june-redis-") as folder:
        port = _free_port()
        options = {
            "--port": str(port),
            "--bind": "127.0.0.1",
            "--dir": folder,
            "--appendonly": "yes",
            "--save": "",
        }
        command = [program, *(word for option in options.items() for word in option)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603  found on the PATH
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as asked:
            asked.sendall(b"PING\r\n")
            if asked.recv(64).startswith(b"+PONG"):
                return
        time.sleep(0.05)
    raise TimeoutError(f"redis-server did not answer within {START_SECONDS:g} s")

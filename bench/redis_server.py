"""A real Redis server on loopback, for measurements and tests; it keeps its files in a folder."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

READY_SECONDS = 20.0

TRIES = 5
"""A port that was free may be taken before the server opens it."""


class RedisServer:
    """Lives inside `with`, and may be stopped, started anew and frozen meanwhile."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        for _ in range(TRIES):
            self.port = free_port()
            if self.start():
                return self
        raise RuntimeError(f"redis-server does not start: {self._log().read_text()}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> bool:
        """On the same port again; whether it answers."""
        binary = shutil.which("redis-server")
        if binary is None:
            raise FileNotFoundError("no `redis-server` here\nhint: `apt install redis-server`")
        given = ["--port", f"{self.port}", "--bind", "127.0.0.1", "--dir", str(self._folder)]
        memory_only = ["--save", "", "--appendonly", "no"]
        with self._log().open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  found on the PATH
                [binary, *given, *memory_only, *self._options], stdout=log, stderr=log
            )
        return self._answers()

    def _log(self) -> Path:
        return self._folder / f"redis-{self.port}.log"

    def _answers(self) -> bool:
        give_up_at = time.monotonic() + READY_SECONDS
        while self._process is not None and self._process.poll() is None:
            if time.monotonic() > give_up_at:
                self.stop()
                break
            with suppress(OSError):
                info = self.ask(b"INFO")
                # Not somebody else's, who was quicker, and not before it has loaded its data: that
                # nothing is loaded beside, `async_loading:0`, is not enough.
                is_ours = b"process_id:%d" % self._process.pid in info and b"\nloading:0" in info
                if is_ours or info.startswith(b"-NOAUTH"):
                    return True
            time.sleep(0.01)
        return False

    def ask(self, *words: bytes) -> bytes:
        """The beginning of the answer as it is sent; for what no store does, such as FLUSHALL."""
        parts = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(b"*%d\r\n%s" % (len(words), parts))
            return connection.recv(65_536)

    def stop(self) -> None:
        """At once and hard, as by a crash."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It keeps its connections and accepts new ones, and says nothing."""
        assert self._process is not None, "it was started"
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])

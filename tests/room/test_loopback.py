"""The real `livekit-server` as June starts it."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from agent.livekit_server import LoopbackServer

LISTENS = {"0A", "07"}
"""States in Linux's tables: a TCP socket that listens, a UDP socket that is not connected."""


def listening(pid: int) -> Iterator[str]:
    """The local address, in hexadecimal, of each socket on which the process can be reached."""
    sockets = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state in LISTENS and f"socket:[{inode}]" in sockets:
                yield local.split(":")[0]


async def test_only_this_machine_reaches_it(livekit: LoopbackServer) -> None:
    """By HTTP and by UDP on 127.0.0.1, and by nothing else."""
    assert livekit._process is not None
    pid = livekit._process.pid
    assert set(await asyncio.to_thread(list, listening(pid))) == {"0100007F"}


async def test_it_ends_soon_even_when_it_has_just_begun(livekit: LoopbackServer) -> None:
    """The server loses a signal that comes in its first tenth of a second."""
    async with LoopbackServer(livekit._binary) as server:
        begun = time.monotonic()
        await server.stop()
        assert time.monotonic() - begun < 4
        await server.start()

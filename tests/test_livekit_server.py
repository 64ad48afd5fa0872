"""A LiveKit server of June's own: with a script in the server's place."""

import os
import stat
import sys
from pathlib import Path

import aiohttp
import pytest

from agent.errors import CannotStart
from agent.livekit_server import LoopbackServer

ANSWERS = f"""#!{sys.executable} -I
import http.server, os, re, sys

class OK(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass

here = os.path.dirname(os.path.abspath(__file__))
config = open(sys.argv[2]).read()
with open(here + "/starts", "a") as starts:
    print(os.getpid(), oct(os.stat(sys.argv[2]).st_mode), os.getpgid(0), *os.environ, file=starts)
port = int(re.search(r"^port: (\\d+)", config, re.M)[1])
http.server.HTTPServer(("127.0.0.1", port), OK).serve_forever()
"""

PORT_TAKEN = """#!/bin/sh
if [ -e "$0.tried" ]; then exec "$0.answers" "$@"; fi
: >"$0.tried"
echo "listen tcp: bind: address already in use"
exit 1
"""


def program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    """One that answers, and writes down how it was started."""
    return program(tmp_path / "livekit-server", ANSWERS)


def starts(binary: Path) -> list[list[str]]:
    return [line.split() for line in binary.with_name("starts").read_text().splitlines()]


async def answers(server: LoopbackServer) -> bool:
    try:
        async with (
            aiohttp.ClientSession() as http,
            http.get(server.url.replace("ws", "http")) as response,
        ):
            return response.ok
    except aiohttp.ClientError:
        return False


async def test_it_answers_while_it_is_used_and_not_after(binary: Path) -> None:
    """And leaves no file behind."""
    async with LoopbackServer(binary) as server:
        assert server.url.startswith("ws://127.0.0.1:")
        assert await answers(server)
        folder = server.log_file.parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not await answers(server)
    assert not folder.exists()


async def test_its_start_shows_nothing_and_inherits_nothing(
    binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A private configuration, a process group of its own, no variable of another server."""
    monkeypatch.setenv("LIVEKIT_KEYS", "key: secret")
    async with LoopbackServer(binary):
        ((pid, mode, group, *environment),) = starts(binary)
    assert mode == "0o100600"
    assert group == pid
    assert not [name for name in environment if "LIVEKIT" in name]


async def test_two_have_nothing_in_common(binary: Path) -> None:
    """Neither address nor keys."""
    async with LoopbackServer(binary) as one, LoopbackServer(binary) as other:
        assert one.url != other.url
        assert one.api_key != other.api_key
        assert one.api_secret != other.api_secret


async def test_it_can_be_started_again_where_it_was(binary: Path) -> None:
    """Clients that know its address find it again."""
    async with LoopbackServer(binary) as server:
        before = (server.url, server.api_key, server.api_secret)
        await server.stop()
        assert not await answers(server)
        await server.start()
        assert await answers(server)
        assert (server.url, server.api_key, server.api_secret) == before
        await server.stop()
        await server.stop()
    assert len({pid for pid, *_ in starts(binary)}) == 2


async def test_a_port_that_was_taken_meanwhile_is_replaced(binary: Path, tmp_path: Path) -> None:
    """Between looking for it and opening it, anybody may."""
    program(tmp_path / "busy.answers", ANSWERS)
    async with LoopbackServer(program(tmp_path / "busy", PORT_TAKEN)) as server:
        assert await answers(server)
    assert (tmp_path / "busy.tried").exists()


async def test_a_server_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    """Its last words, and what to try."""
    broken = program(tmp_path / "broken", "#!/bin/sh\necho unknown option >&2\nexit 1\n")
    with pytest.raises(CannotStart, match="unknown option") as raised:
        async with LoopbackServer(broken):
            pytest.fail("it cannot have started")
    assert f"`{broken}`" in str(raised.value)
    assert "\nhint: run `" in str(raised.value)


async def test_no_process_outlives_it(binary: Path) -> None:
    """Also when what used it failed."""
    with pytest.raises(RuntimeError):
        async with LoopbackServer(binary):
            raise RuntimeError
    ((pid, *_),) = starts(binary)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)

"""`./june` without a command: everything on this machine."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2 as httpx
import pytest
from livekit import rtc

from agent.livekit_server import LoopbackServer
from agent.models.local.engine import LocalSpeech
from room.caller import Caller
from room.worker import Worker


@asynccontextmanager
async def everything(folder: Path, binary: Path) -> AsyncIterator[tuple[Worker, str, str]]:
    """`./june`, with what it prints: June's process, the address and the token."""
    folder.mkdir(exist_ok=True)
    environment = dict.fromkeys(("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"), "")
    environment["LIVEKIT_SERVER_BIN"] = str(binary)
    async with Worker(folder, environment, "agent", "--config", "/dev/null") as june:
        printed = await june.prints("Ctrl-C")
        address, token = (re.search(rf"{word} +(\S+)", printed) for word in ("address", "token"))
        assert address is not None
        assert token is not None
        yield june, address[1], token[1]


class Guest(Caller):
    """A caller who has only what `./june` printed."""

    def __init__(
        self, address: str, token: str, livekit: LoopbackServer, ears: LocalSpeech
    ) -> None:
        super().__init__(livekit, "", "caller", ears)
        self.address = address
        self.printed = token

    async def join(self, *, with_microphone: bool = True) -> "Guest":
        self.connection = (self.address, self.printed)
        await super().join(with_microphone=with_microphone)
        return self


async def test_a_person_joins_talks_leaves_and_comes_back(
    binary: Path, livekit: LoopbackServer, ears: LocalSpeech, tmp_path: Path
) -> None:
    """June comes when they do, each time; Ctrl-C says goodbye and leaves nothing running."""
    async with everything(tmp_path, binary) as (june, address, token):
        page = re.search(r"http://\S+", june.printed)
        assert page is not None
        async with httpx.AsyncClient() as browser:
            answer = await browser.get(page[0], headers={"Accept": "text/html"})
        assert "/page/call.js" in answer.text, "her page is installed, and where she says it is"
        guest = await Guest(address, token, livekit, ears).join()
        assert "June" in (await guest.hear(20)).text
        await guest.leave()
        await june.event("call.ended")

        guest = await Guest(address, token, livekit, ears).join()
        assert "June" in (await guest.hear(20)).text
        stopping = asyncio.create_task(june.stop(signal.SIGINT))
        goodbye = await guest.hear(20)
        assert "have to go" in goodbye.text.lower(), goodbye.text
        assert await stopping == 0
        assert "Traceback" not in june.log
        await guest.leave()
    with pytest.raises(rtc.ConnectError):
        await rtc.Room().connect(address, token)


@pytest.mark.slow
async def test_a_second_june_in_the_same_folder_is_another_one(
    binary: Path, livekit: LoopbackServer, ears: LocalSpeech, tmp_path: Path
) -> None:
    """Own ports, own room; both greet, and they share what they remember."""
    async with (
        everything(tmp_path / "a", binary) as (_, address, token),
        everything(tmp_path / "a", binary) as (_, other_address, other_token),
    ):
        assert address != other_address
        one = await Guest(address, token, livekit, ears).join()
        two = await Guest(other_address, other_token, livekit, ears).join()
        assert (await one.hear(20)).text
        assert (await two.hear(20)).text
        await one.leave()
        await two.leave()

"""Who gets June where several ask for her: nobody waits long for somebody who is not there."""

import asyncio
import time
from pathlib import Path

import httpx2
import pytest

from agent.livekit_server import LoopbackServer
from room.caller import Caller
from room.conftest import Call
from room.worker import Worker

pytestmark = pytest.mark.slow

NAME = "june-in-demand"


def worker_in(livekit: LoopbackServer, folder: Path) -> Worker:
    return Worker.of(
        livekit,
        folder,
        JUNE_AGENT__NAME=NAME,
        JUNE_CALL__GRACE_SECONDS="2",
        JUNE_WORKER__DRAIN_SECONDS="1",
        JUNE_WORKER__MAX_CALLS="2",
    )


async def asked(worker: Worker, call: Call, identity: str, room: str | None = None) -> Caller:
    """With a token by HTTP; they have not joined yet."""
    port = worker.events("http.ready")[-1]["port"]
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        wanted = {"identity": identity} | ({"room": room} if room else {})
        answer = await http.post("/api/livekit/token", json=wanted)
        assert answer.status_code == 200
        told = answer.json()
    caller = call(identity, told["room"])
    caller.connection = (told["url"], told["token"])
    return caller


async def greeted(caller: Caller, since: float, what: str, within_seconds: float) -> None:
    heard = await caller.hear(within_seconds)
    assert "june" in heard.text.lower()
    print(f"\n{what}: {heard.started - since:.2f} s to June's first word")


async def test_tokens_that_nobody_uses_keep_nobody_waiting(
    livekit: LoopbackServer, tmp_path: Path, call: Call
) -> None:
    """They have all of June's calls, for a quarter of a minute; who comes late finds her again."""
    async with worker_in(livekit, tmp_path) as worker:
        await worker.ready()
        late = await asked(worker, call, "late")
        await asked(worker, call, "never")
        eve = await asked(worker, call, "eve")
        joined = time.monotonic()
        await eve.join()
        await greeted(eve, joined, "behind two tokens that nobody uses", 30)

        await asyncio.sleep(max(0.0, joined + 25 - time.monotonic()))
        joined = time.monotonic()
        await late.join()
        await greeted(late, joined, "joined half a minute after asking", 10)
        assert not worker.events("room.given_up")


async def test_a_page_that_is_loaded_again_has_june_again(
    livekit: LoopbackServer, tmp_path: Path, call: Call
) -> None:
    """Under a new name, while the old one still seems to be there."""
    async with worker_in(livekit, tmp_path) as worker:
        await worker.ready()
        before = await (await asked(worker, call, "page-1", "a page")).join()
        await greeted(before, time.monotonic(), "the page", 20)
        after = await (await asked(worker, call, "page-2", "a page")).join()
        await asyncio.sleep(4)
        left = time.monotonic()
        after.listened_from = left
        await before.leave()
        await greeted(after, left, "loaded again", 30)
        assert len(worker.events("call.answered", room="a page")) == 2

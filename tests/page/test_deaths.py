"""A page in the call of a June who dies, or whose worker is started anew."""

import os
import signal
from pathlib import Path

import pytest

from agent.livekit_server import LoopbackServer
from page.conftest import OpenPage
from page.test_call import greeted
from room.worker import Worker

pytestmark = pytest.mark.slow

IS_HERE = "document.body.dataset.phase === 'here'"


async def url_of(june: Worker) -> str:
    return f"http://127.0.0.1:{(await june.event('http.ready'))['port']}"


async def test_a_june_who_is_killed_is_missed_for_a_moment(
    livekit: LoopbackServer, open_page: OpenPage, tmp_path: Path
) -> None:
    """LiveKit lists the dead one for a while; the page goes on with the living."""
    async with Worker.of(livekit, tmp_path, JUNE_AGENT__NAME="june-of-a-page") as june:
        await june.ready()
        page = await greeted(await open_page(await url_of(june)))
        os.kill((await june.event("call.answered"))["pid"], signal.SIGKILL)
        await page.wait_for_text("We were cut off", "#transcript", 20)
        await page.wait_for(IS_HERE)
        await page.fill("#text", "What time is it?")
        await page.press("Enter")
        await page.wait_for_text("It's", "#transcript", 15)
        assert await page.faults() == []
        await page.click("#hang-up")
        await page.wait_for_text("You hung up", "#notice")


async def test_a_worker_that_is_started_anew_goes_on(
    livekit: LoopbackServer, open_page: OpenPage, tmp_path: Path
) -> None:
    """Until then the caller reads that she is coming back, though nobody serves the page."""
    settings = {"JUNE_AGENT__NAME": "june-of-a-deploy", "JUNE_WORKER__DRAIN_SECONDS": "0"}
    async with Worker.of(livekit, tmp_path, **settings) as june:
        await june.ready()
        page = await greeted(await open_page(await url_of(june)))
        await june.stop()
    await page.wait_for_text("June was cut off", "#title")
    assert "She is coming back" in await page.text("#state")
    async with Worker.of(livekit, tmp_path, **settings) as june:
        await page.wait_for(IS_HERE, 60)
        await page.wait_for_text("We were cut off", "#transcript", 20)
        await page.click("#hang-up")
        await page.wait_for_text("You hung up", "#notice")

"""Whole calls by the page: what a person sees and hears, with a real June in a real room."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from agent.livekit_server import LoopbackServer
from page.conftest import OpenPage
from page.page import Page
from page.sounds import beginning, clip
from room.voices import recording
from room.worker import Worker

SAID = beginning(recording("two_cities"), seconds=4.2)
"""It was the best of times, it was the worst of times."""

SHOWS_CALLER = "[...document.querySelectorAll('.of-caller .said')].map(e => e.textContent)"
SHOWS_JUNE = "[...document.querySelectorAll('.of-june .said')].map(e => e.textContent)"


@pytest.fixture
async def http(june: Worker) -> AsyncIterator[httpx.AsyncClient]:
    async with await june.http() as client:
        yield client


async def begun(page: Page) -> Page:
    """The button is pressed, and June is there."""
    await page.click("#talk")
    await page.wait_for("document.body.dataset.phase === 'here'", 20)
    return page


async def greeted(page: Page) -> Page:
    """And has said who she is."""
    await begun(page)
    await page.wait_for_text("How can I help you?", "#transcript", 15)
    await page.wait_for("document.querySelector('#face').dataset.state === 'listening'", 10)
    return page


async def hung_up(page: Page, june: Worker) -> dict[str, Any]:
    """The call is over for the page and for June; her log's line of it."""
    ended = len(june.events("call.ended"))
    await page.click("#hang-up")
    await page.wait_for("document.body.dataset.phase === 'over'", 5)
    await page.wait_for_text("You hung up", "#notice")
    for _ in range(200):
        if len(lines := june.events("call.ended")) > ended:
            return lines[-1]
        await page.wait_for("new Promise(done => setTimeout(() => done(true), 50))")
    raise AssertionError("June's call did not end")


async def test_a_person_calls_with_a_microphone(
    june: Worker, june_url: str, livekit: LoopbackServer, open_page: OpenPage, tmp_path: Path
) -> None:
    """Real capture: the greeting is heard, words are shown while they are spoken, and answered."""
    page = await open_page(june_url, microphone=clip(tmp_path / "clip.wav", SAID, before=7.5))
    await begun(page)
    await page.wait_for_text("I'm an AI assistant", "#transcript", 15)
    assert (await page.heard()).energy > 0.001
    await page.wait_for("document.querySelector('.of-caller.is-interim')", 20)
    assert not await page.evaluate("!!document.querySelector('.of-caller:not(.is-interim)')")
    await page.wait_for("document.querySelector('.of-caller:not(.is-interim)')", 20)
    (said,) = await page.evaluate(SHOWS_CALLER)
    assert "best of times" in said.lower()
    assert "worst of time" in said.lower()
    await page.wait_for_text("I have no language model here", "#transcript", 10)
    assert (await page.sent()).energy > 0.001
    ended = await hung_up(page, june)
    assert (ended["reason"], ended["turns"]) == ("caller_left", 1)
    assert await page.strangers(june_url, livekit.url) == []
    assert await page.refusals() == []
    assert await page.ice_servers() == []
    assert [line for line in await page.console() if line.startswith("error")] == []


async def test_what_is_typed_interrupted_and_timed(
    june: Worker, june_url: str, http: httpx.AsyncClient, open_page: OpenPage
) -> None:
    """A skill has its badge, a voice stops June, and the numbers are those of the session."""
    page = await greeted(await open_page(june_url))
    assert await page.faults() == []
    await page.fill("#text", "Tell me a story")
    await page.press("Enter")
    await page.wait_for_text("storyteller", "#skill")
    await page.wait_for("document.querySelector('#face').dataset.state === 'speaking'")
    await page.say(SAID)
    await page.wait_for("document.querySelector('.of-june.is-cut')", 15)
    assert "interrupted" in await page.text(".of-june.is-cut")
    await page.wait_for("document.querySelectorAll('#turns > li').length >= 2", 20)
    session = (await http.get("/api/sessions", params={"limit": 1})).json()["sessions"][0]
    kept = (await http.get(f"/api/sessions/{session['session_id']}/turns")).json()
    turns = {turn["turn"]: turn for turn in kept if turn["turn"] > 0}
    assert turns[1]["is_typed"]
    assert turns[1]["is_interrupted"]
    for turn in turns.values():
        shown = f"{turn['stages']['first_audio']:.2f}"
        assert shown in await page.text("#turns"), f"the waterfall shows {shown} s"
    assert await page.faults() == []
    assert (await hung_up(page, june))["turns"] == 2
    assert await page.faults() == []

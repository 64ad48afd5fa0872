"""The operator's page: live, behind the token, and what is pressed there is really done."""

from pathlib import Path

import httpx2 as httpx
import pytest
from api_fakes import ADMIN, NOW

from agent.api.server import HttpServer
from page.conftest import OpenPage
from page.page import Page
from page.served import Served, served_in
from page.test_call import greeted
from room.worker import Worker
from session import Message, Session

NUMBERS = (
    "[...document.querySelectorAll('.session[open] .waterfall-seconds')].map(e => e.textContent)"
)


async def live(page: Page) -> Page:
    """Its figures are there."""
    await page.wait_for("document.body.dataset.line === 'live' && !board.hidden", 15)
    return page


async def yes(page: Page) -> None:
    """Whatever it asks."""
    await page.wait_for("question.open")
    assert await page.faults() == []
    await page.click("#question-yes")
    await page.wait_for("!question.open")


async def kept(served: Served, text: str, user: str = "ann") -> Session:
    """A session in which somebody has said this."""
    sessions = served.api.sessions
    session = await sessions.get_or_create_for_room(f"room of {user}", user)
    message = Message(
        id="1",
        session_id=session.session_id,
        call_id="call",
        participant="caller",
        role="user",
        source="voice",
        language="en",
        turn=1,
        text=text,
        at=NOW,
    )
    assert await sessions.add_message(message)
    return session


async def test_an_operator_sees_a_call_and_ends_it(
    june: Worker, june_url: str, open_page: OpenPage
) -> None:
    """Without reloading; the caller hears a goodbye, and nobody calls them back."""
    ops = await live(await open_page(f"{june_url}/ops"))
    caller = await greeted(await open_page(june_url))
    await caller.fill("#text", "What time is it?")
    await caller.press("Enter")
    await ops.wait_for("document.querySelector('#calls .pill')?.textContent === 'Speaking'", 15)
    await caller.wait_for_text("It's", "#transcript", 15)
    await ops.wait_for("document.querySelector('#calls .pill').textContent === 'Listening'", 15)
    await ops.wait_for_text("1 of 4 calls", "#workers")

    async with await june.http() as http:
        session = (await http.get("/api/sessions", params={"limit": 1})).json()["sessions"][0]
        turns = (await http.get(f"/api/sessions/{session['session_id']}/turns")).json()
    room = session["room_name"]
    await ops.wait_for_text(room, "#sessions")
    await ops.click(f"details.session:has-text('{room}') summary")
    reply = turns[-1]["stages"]["first_audio"]
    await ops.wait_for_text(f"{reply:.2f}", ".session[open]", 15)
    shown = await ops.evaluate(NUMBERS)
    assert f"{turns[0]['first_word_seconds']:.2f}\xa0s" in shown
    assert f"{reply:.2f}\xa0s" in shown
    assert "show_text = true" in await ops.text(".session[open]")
    assert "What time" not in await ops.text("main")
    assert await ops.faults() == []

    await ops.click("#calls button")
    await yes(ops)
    await caller.wait_for_text("Whoever runs June has ended it", "#notice", 20)
    assert "Goodbye." in await caller.text("#transcript")
    await ops.wait_for("document.querySelectorAll('#calls > li').length === 0", 10)
    assert (await june.event("call.ended", room=room))["reason"] == "removed"
    assert await ops.strangers(june_url) == []
    assert await ops.refusals() == []


async def test_the_token_is_asked_for(tmp_path: Path, open_page: OpenPage) -> None:
    """Before it is given there are no figures; another tab knows nothing of it."""
    token = f"{ADMIN}: Größe"
    async with served_in(tmp_path, JUNE_ADMIN_TOKEN=token) as served:
        await kept(served, "my cat is called Momo")
        page = await open_page(f"{served.url}/ops")
        await page.wait_for_text("The admin token, please", "#token-form")
        assert await page.evaluate("board.hidden")
        await page.fill("#token", "wrong")
        await page.press("Enter")
        await page.wait_for_text("does not know this token", "#token-wrong")
        assert await page.faults() == []
        await page.fill("#token", token)
        await page.press("Enter")
        await live(page)
        await page.wait_for_text("room of ann", "#sessions")
        other = await open_page(f"{served.url}/ops", beside=page)
        await other.wait_for_text("The admin token, please", "#token-form")
        await page.click("#forget-token")
        await page.wait_for_text("The admin token, please", "#token-form")


async def test_what_is_pressed_is_done(tmp_path: Path, open_page: OpenPage) -> None:
    """Spending is stopped and goes on, words are shown as text, and a user is forgotten."""
    async with served_in(tmp_path, JUNE_HTTP__SHOW_TEXT="true") as served:
        session = await kept(served, "<img src=x onerror=alert(1)> is my name")
        page = await live(await open_page(f"{served.url}/ops"))
        await page.click("#breakers button")
        await yes(page)
        await page.wait_for_text("Stopped: by hand", "#breakers")
        assert (await served.api.sessions.money.today()).breaker_reason is not None
        await page.wait_for_text("paused by hand", "#reasons")
        await page.click("#breakers button")
        await yes(page)
        await page.wait_for_text("June may spend", "#breakers")

        await page.click(".session summary")
        await page.wait_for_text("<img src=x onerror=alert(1)> is my name", ".session[open]")
        assert await page.evaluate("document.querySelectorAll('.session img').length") == 0

        await page.fill("#forget-user", "ann")
        await page.press("Enter")
        await yes(page)
        await page.wait_for_text("1 session and 1 message", "#forgotten")
        assert await served.api.sessions.history(session.session_id) == ()
        await page.wait_for("document.querySelectorAll('.session').length === 0", 10)
        assert await page.faults() == []
        await page.choose("#language", "de")
        await page.wait_for_text("Betrieb", "h1")
        assert await page.faults() == []


async def test_a_line_that_is_lost_is_found_again(tmp_path: Path, open_page: OpenPage) -> None:
    """Meanwhile the figures are marked as old."""
    async with served_in(tmp_path) as served:
        page = await live(await open_page(f"{served.url}/ops"))
        await served.server.__aexit__()
        await page.wait_for_text("Trying again in", "#line")
        assert "as of" in await page.text("#line")
        assert await page.faults() == []
        async with HttpServer(served.api.app, "127.0.0.1", served.port):
            await live(page)


@pytest.mark.slow
async def test_too_many_who_watch_are_told(tmp_path: Path, open_page: OpenPage) -> None:
    async with served_in(tmp_path) as served, httpx.AsyncClient(timeout=5) as client:
        stream = f"{served.url}/api/ops/stream"
        streams = [client.stream("GET", stream) for _ in range(16)]
        for one in streams:
            assert (await one.__aenter__()).status_code == 200
        page = await open_page(f"{served.url}/ops")
        await page.wait_for_text("16", "#refused-detail")
        assert await page.faults() == []
        await streams.pop().__aexit__(None, None, None)
        await page.click("#hurry")
        await live(page)
        for one in streams:
            await one.__aexit__(None, None, None)

"""What goes wrong on a person's side is said in words, and there is always something to press."""

from datetime import timedelta
from pathlib import Path

import pytest
from api_fakes import ADMIN, KEY

from agent.config import LiveKitSettings
from agent.livekit_server import LoopbackServer
from agent.rooms import LiveKitClient
from page.conftest import OpenPage
from page.page import Page
from page.scripted_june import ScriptedJune
from page.served import served_in
from page.test_call import begun, greeted

CAN_PRESS = "[...document.querySelectorAll('button')].some(b => b.checkVisibility() && !b.disabled)"

TOKEN = "**/api/livekit/token"


async def said(page: Page, words: str, seconds: float = 20) -> str:
    """The notice, once these words are in it; the page must be of use as it is then."""
    await page.wait_for_text(words, "#notice", seconds)
    assert await page.evaluate(CAN_PRESS)
    assert await page.faults() == []
    return await page.text("#notice")


@pytest.mark.parametrize(
    ("microphone", "words"),
    [
        ("denied", "The microphone is not allowed"),
        ("missing", "There is no microphone"),
        ("taken", "The microphone is in use"),
    ],
)
async def test_without_a_microphone_one_can_type(
    june_url: str, open_page: OpenPage, microphone: str, words: str
) -> None:
    page = await open_page(june_url, microphone=microphone)
    await page.click("#talk")
    assert "type" in (await said(page, words)).lower()


@pytest.mark.slow
async def test_who_has_no_microphone_types_and_hears_june(
    june_url: str, open_page: OpenPage
) -> None:
    page = await open_page(june_url, microphone="missing")
    await page.click("#talk")
    await page.click("#notice-buttons [name=typeOnly]")
    await page.wait_for_text("AI assistant", "#transcript", 20)
    await page.fill("#text", "What time is it?")
    await page.press("Enter")
    await page.wait_for_text("It's", "#transcript", 15)
    assert (await page.heard()).energy > 0.001
    await page.click("#hang-up")


@pytest.mark.slow
async def test_a_microphone_that_is_pulled_out(june_url: str, open_page: OpenPage) -> None:
    """The call goes on, and the words go once it is there again."""
    page = await greeted(await open_page(june_url))
    # As where no other microphone is left.
    await page.evaluate(
        "(() => { const media = navigator.mediaDevices; globalThis.__open = media.getUserMedia; "
        "media.getUserMedia = async () => { throw new DOMException('', 'NotFoundError') } })()"
    )
    await page.unplug()
    assert "The call goes on" in await said(page, "Your microphone is gone")
    await page.evaluate("navigator.mediaDevices.getUserMedia = __open, null")
    await page.click("#notice-buttons [name=tryAgain]")
    await page.wait_for("document.getElementById('notice').hidden")
    assert await page.evaluate("document.body.dataset.phase") == "here"
    await page.click("#hang-up")


async def test_plain_http_on_a_host_name(
    tmp_path: Path, livekit: LoopbackServer, open_page: OpenPage
) -> None:
    """There is no microphone, and one can type."""
    async with served_in(
        tmp_path, livekit, JUNE_ADMIN_TOKEN=ADMIN, JUNE_TOKEN_KEY="the-key-of-a-page"
    ) as served:
        page = await open_page(f"http://june.test:{served.port}/#key=the-key-of-a-page")
        await page.click("#talk")
        notice = await said(page, "No microphone over plain http")
        assert "https" in notice
        assert "http://localhost" in notice
        await page.click("#notice-buttons [name=typeOnly]")
        await page.wait_for("document.body.dataset.phase === 'waiting'", 15)
        (room,) = served.api.rooms.dispatched
        async with ScriptedJune(livekit, room) as june:
            await page.wait_for("document.body.dataset.phase === 'here'")
            await june.is_("listening")
            await page.fill("#text", "hello")
            await page.press("Enter")
            await page.wait_for_text("hello", ".is-typed:not(.is-unsent)")
            assert await page.evaluate("document.getElementById('mute').hidden")
            await page.click("#hang-up")


async def test_a_june_who_asks_for_a_key(tmp_path: Path, open_page: OpenPage) -> None:
    """A wrong one is asked for again; a right one goes on, here to a LiveKit that is away."""
    async with served_in(tmp_path, JUNE_ADMIN_TOKEN=ADMIN, JUNE_TOKEN_KEY=KEY) as served:
        page = await open_page(served.url)
        await page.click("#talk")
        await said(page, "asks for a key")
        await page.fill("#key", "wrong")
        await page.press("Enter")
        await said(page, "asks for a key")
        await page.fill("#key", KEY)
        await page.press("Enter")
        await said(page, "LiveKit cannot be reached")
        brought = await open_page(f"{served.url}/#key={KEY.replace(' ', '%20')}")
        await brought.click("#talk")
        await said(brought, "LiveKit cannot be reached")
        assert "key" not in await brought.evaluate("location.href")


async def test_livekit_that_cannot_be_reached(tmp_path: Path, open_page: OpenPage) -> None:
    async with served_in(tmp_path) as served:
        page = await open_page(served.url)
        await page.click("#talk")
        assert "ws://127.0.0.1:9" in await said(page, "LiveKit cannot be reached from here")


async def test_june_who_is_not_there_any_more(tmp_path: Path, open_page: OpenPage) -> None:
    async with served_in(tmp_path) as served:
        page = await open_page(served.url)
    await page.click("#talk")
    await said(page, "June does not answer")


async def test_a_user_who_called_too_often_and_a_june_without_money(
    tmp_path: Path, open_page: OpenPage
) -> None:
    """429 and 503, with the time after which it is worth trying, in words."""
    async with served_in(tmp_path, JUNE_LIMITS__CALLS_PER_HOUR="1") as served:
        page = await open_page(served.url)
        sessions = served.api.sessions
        identity = await page.evaluate("localStorage.getItem('june.identity')")
        session = await sessions.get_or_create_for_room("room", identity)
        assert (await sessions.admit_call(session, "call")).allowed
        await page.click("#talk")
        assert "Try again in 60 min." in await said(page, "You have called very often")
        await sessions.money.pause(90)
        assert (await sessions.money.today()).breaker_reason is not None
        await page.click("#talk")
        assert "Try again in" in await said(page, "June was stopped")


@pytest.mark.slow
async def test_a_token_that_has_expired(
    june_url: str, livekit: LoopbackServer, open_page: OpenPage
) -> None:
    page = await open_page(june_url)
    client = LiveKitClient(
        LiveKitSettings(url=livekit.url, api_key=livekit.api_key, api_secret=livekit.api_secret),
        agent_name="june",
    )
    old = client.caller_token("old", "ann", join_within=timedelta(hours=-1))
    await page.answer(TOKEN, 200, {"url": livekit.url, "token": old, "room": "old"}, times=1)
    await page.click("#talk")
    await said(page, "The permission to join has expired")
    await begun(page)
    await page.click("#hang-up")


@pytest.mark.slow
async def test_two_tabs_do_not_talk_at_once(june_url: str, open_page: OpenPage) -> None:
    """The second one says so, and may take the call over."""
    first = await begun(await open_page(june_url))
    second = await open_page(june_url, beside=first)
    await second.click("#talk")
    await said(second, "another tab")
    await second.click("#notice-buttons [name=takeOver]")
    await second.wait_for("document.body.dataset.phase === 'here'", 20)
    await said(first, "This one has hung up")
    await second.click("#hang-up")


async def test_a_tab_that_slept_for_ten_minutes(june_url: str, open_page: OpenPage) -> None:
    """Nobody is called with an open microphone because a laptop was opened."""
    page = await begun(await open_page(june_url))
    await page.evaluate(
        "(() => { const now = Date.now; Date.now = () => now() + 600_000 })(), null"
    )
    # Its line is dead, as LiveKit's is to a tab that does not answer for so long.
    await page.evaluate("__peers.forEach(peer => peer.close()), __sockets.forEach(s => s.close())")
    await said(page, "This tab was asleep")


async def test_what_strangers_write_is_text(tmp_path: Path, open_page: OpenPage) -> None:
    """And a thousand turns are as easy to read as ten."""
    async with served_in(tmp_path) as served:
        page = await open_page(served.url)
        evil = "<img src=x onerror=alert(1)><script>alert(2)</script>&amp;"
        seconds = await page.evaluate(
            """async (evil) => {
              const { Transcript } = await import("/page/transcript.js");
              const { TurnTimes } = await import("/page/turn-times.js");
              const { word } = await import("/page/language.js");
              document.getElementById("words").hidden = false;
              const said = new Transcript(document.getElementById("transcript"), word);
              const times = new TurnTimes(word);
              const began = performance.now();
              for (let turn = 1; turn <= 1000; turn += 1) {
                for (const isFinal of [false, false, true]) {
                  said.words({ id: `caller ${turn}`, isJune: false, text: evil, isFinal });
                }
                said.words({ id: `june ${turn}`, isJune: true, text: evil, isFinal: true });
                said.note(evil);
                times.add({ turn, stages: { end_of_turn: 0.4, first_audio: 0.9 } });
              }
              for (let frame = 0; frame < 10; frame += 1) {
                await new Promise((done) => requestAnimationFrame(done));
              }
              return (performance.now() - began) / 1000;
            }""",
            evil,
            seconds=60,
        )
        shown = await page.evaluate(
            "[...document.querySelectorAll('#transcript .said')].map(e => e.textContent)"
        )
        assert shown == [evil] * 2000
        assert await page.evaluate("document.querySelectorAll('main img, main script').length") == 0
        assert "1,000 turns" in await page.text("#median")
        newest = "document.getElementById('transcript').lastElementChild"
        assert await page.evaluate(f"{newest}.getBoundingClientRect().bottom < innerHeight")
        assert seconds < 30, "noticed only where it is absurd: these machines are slow"


async def test_german(june_url: str, open_page: OpenPage) -> None:
    """By the browser's wish, or by choice, which is remembered."""
    page = await open_page(june_url, locale="de-DE")
    assert "June ist eine KI" in await page.text("main")
    assert await page.evaluate("document.documentElement.lang") == "de"
    await page.choose("#language", "en")
    await page.goto(june_url)
    assert "June is an AI" in await page.text("main")

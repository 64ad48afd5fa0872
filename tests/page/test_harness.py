"""The harness itself, with a page of its own: what it says about June's pages must be true."""

import asyncio
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from page.browser import Browser, BrowserError
from page.conftest import OpenPage
from page.page import Page
from page.sounds import beginning, clip
from room.voices import recording

PAGE = Path(__file__).parent / "example"

CSP = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'"


pytestmark = pytest.mark.slow
"""Each test of June's pages uses it as well."""

SAID = beginning(recording("beckett"), seconds=2)


class _Serving(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", CSP)
        super().end_headers()

    def log_message(self, *words: object) -> None:
        """Nothing: pytest shows what matters."""


@pytest.fixture(scope="module")
def example() -> Iterator[str]:
    """A page that opens the microphone, and sends it to itself over WebRTC."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Serving, directory=PAGE)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


async def listening(page: Page) -> Page:
    await page.click("#listen")
    await page.wait_for_text("listening", "#state")
    return page


async def test_a_clip_is_heard_when_it_speaks(
    example: str, open_page: OpenPage, tmp_path: Path
) -> None:
    """Silence first, then a person's recording, all the way through a peer connection."""
    file = clip(tmp_path / "clip.wav", SAID, before=2, after=2)
    page = await listening(await open_page(example, microphone=file))
    await asyncio.sleep(1)
    before, begun = await page.heard(), await page.sent()
    await page.wait_for("__sound().then(s => s.heard.energy > 0.001)", 10)
    after = await page.heard()
    assert before.energy < 0.0001
    assert begun.energy < 0.0001
    assert 1 < after.seconds < 6, "in the clip's own time"


async def test_a_test_speaks_when_it_wants(example: str, open_page: OpenPage) -> None:
    page = await listening(await open_page(example))
    await asyncio.sleep(0.5)
    silent = await page.sent()
    assert silent.seconds > 0.2, "silence is sound, too"
    await page.say(SAID)
    loud = await page.sent()
    assert silent.energy < 0.0001
    assert loud.energy > 0.001
    assert (await page.heard()).energy > 0.001
    assert await page.ice_servers() == []
    await page.unplug()
    await page.wait_for_text("unplugged", "#state")


@pytest.mark.parametrize(
    ("microphone", "error"),
    [("denied", "NotAllowedError"), ("missing", "NotFoundError"), ("taken", "NotReadableError")],
)
async def test_a_microphone_that_cannot_be_had(
    example: str, open_page: OpenPage, microphone: str, error: str
) -> None:
    page = await open_page(example, microphone=microphone)
    await page.click("#listen")
    await page.wait_for_text(error, "#state")


async def test_each_request_is_seen(example: str, open_page: OpenPage) -> None:
    """What the page's own policy refuses is never sent, and its refusal is seen instead."""
    page = await open_page(example)
    await page.click("#ask")
    await page.wait_for_text("refused: 1, own: 200", "#state")
    assert f"{example}example.js" in await page.requests()
    assert await page.strangers(example) == []
    assert any("http://127.0.0.1:9/elsewhere" in line for line in await page.refusals())
    await page.answer("**/never", 429, {"detail": "later"})
    status = "fetch('/never').then(async r => [r.status, (await r.json()).detail])"
    assert await page.evaluate(status) == [429, "later"]
    await page.goto("about:blank")
    elsewhere = "http://june.invalid/"
    await page.evaluate("url => fetch(url).catch(() => null)", elsewhere)
    socket = example.replace("http:", "ws:").replace("127.0.0.1", "localhost")
    await page.evaluate(
        "url => new Promise(done => { new WebSocket(url).onerror = () => done() })", socket
    )
    assert await page.strangers(example) == [elsewhere, socket]


async def test_a_host_name_without_tls_has_no_microphone(example: str, open_page: OpenPage) -> None:
    page = await open_page(example.replace("127.0.0.1", "june.test"))
    await page.click("#listen")
    await page.wait_for_text("no mediaDevices", "#state")


async def test_what_a_person_cannot_use_is_found(
    example: str, open_page: OpenPage, tmp_path: Path
) -> None:
    """In German, dark, on a telephone; and a picture of it."""
    page = await open_page(
        example, viewport=(320, 640), dark=True, reduced_motion=True, locale="de-DE"
    )
    assert await page.faults() == []
    await page.evaluate("document.querySelector('#listen').textContent = '', null")
    assert [fault for fault in await page.faults() if fault.startswith("button-name: #listen")]
    assert await page.evaluate(
        "(one, two) => [innerWidth, navigator.language, matchMedia(one).matches, "
        "matchMedia(two).matches]",
        "(prefers-color-scheme: dark)",
        "(prefers-reduced-motion: reduce)",
    ) == [320, "de-DE", True, True]
    picture = await page.screenshot(tmp_path / "page.png", whole=True)
    assert picture.read_bytes().startswith(b"\x89PNG")


async def test_two_tabs_share_what_one_person_has(example: str, open_page: OpenPage) -> None:
    one = await open_page(example)
    await one.evaluate("localStorage.setItem('who', 'ann')")
    tab, stranger = await open_page(example, beside=one), await open_page(example)
    assert await tab.evaluate("localStorage.getItem('who')") == "ann"
    assert await stranger.evaluate("localStorage.getItem('who')") is None


async def test_each_wait_has_an_end(example: str, browser: Browser) -> None:
    async with browser.page(example) as page:
        with pytest.raises(BrowserError, match=r"not within 0.3 s: false"):
            await page.wait_for("false", seconds=0.3)
        with pytest.raises(BrowserError, match="no answer to `evaluate` within"):
            await page.evaluate("new Promise(() => {})", seconds=-1)
        with pytest.raises(BrowserError, match="not opened a microphone"):
            await page.say(SAID)

"""What browsers get: pages that load nothing from elsewhere, and what programs get instead."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_fakes import ADMIN, Api, api_in

from agent.api.page import CLIENT, FOLDER, KINDS, Pages, policy, wants_html
from agent.livekit_client import PROGRAM

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with api_in(tmp_path) as opened:
        yield opened


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Api]:
    async with api_in(tmp_path, JUNE_ADMIN_TOKEN=ADMIN) as opened:
        yield opened


@pytest.mark.parametrize(
    ("accept", "is_html"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("text/html;q=0.5, application/json;q=0.4", True),
        ("TEXT/HTML ; q=1", True),
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html;q=0.9", False),
        ("text/html;q=0", False),
        ("text/html;q=nonsense", False),
        ("text/*", False),
    ],
)
def test_who_wants_a_page(accept: str, is_html: bool) -> None:
    assert wants_html(accept) is is_html


async def test_a_browser_gets_a_page_and_a_program_json(api: Api) -> None:
    """At one address; a cache between them must not mix them up."""
    page = (await api.ask("GET", "/", headers={"Accept": BROWSER})).response
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["vary"] == "Accept"
    program = await api.ask("GET", "/")
    assert program.json["name"] == "june"
    assert program.headers["vary"] == "Accept"


async def test_pages_are_for_everybody_and_figures_are_not(guarded: Api) -> None:
    """The page asks for the token itself."""
    for path in ("/", "/ops", "/page/ops.js"):
        assert (await guarded.ask("GET", path, headers={"Accept": BROWSER})).status == 200
    assert (await guarded.ask("GET", "/api/sessions")).status == 401


async def test_without_a_token_only_this_machine_gets_them(api: Api) -> None:
    for path in ("/", "/ops", "/page/ops.js"):
        assert (await api.ask("GET", path, headers={"Host": "june.example"})).status == 403


async def test_what_a_page_may_load(api: Api) -> None:
    """Nothing from elsewhere, nothing inline, and no other site may show it in a frame."""
    answer = await api.ask("GET", "/ops")
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self' ws://livekit.test:7880 http://livekit.test:7880; "
        "media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["permissions-policy"] == "microphone=(self)"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("wss://key:secret@lk.example:443/", "'self' wss://lk.example:443 https://lk.example:443;"),
        ("https://lk.example", "'self' wss://lk.example https://lk.example;"),
        ("ws://[::1]:7880", "'self' ws://[::1]:7880 http://[::1]:7880;"),
        (
            "wss://mine.livekit.cloud",
            "'self' wss://mine.livekit.cloud https://mine.livekit.cloud "
            "https://*.livekit.cloud wss://*.livekit.cloud;",
        ),
        ("wss://livekit.cloud.example", "'self' wss://livekit.cloud.example https://livekit."),
        ("", "'self';"),
    ],
)
def test_which_server_a_page_may_reach(url: str, reached: str) -> None:
    """The one that carries the sound; a user or a password in its address stays here."""
    assert f"connect-src {reached}" in policy(url)


async def test_a_file_is_sent_once(api: Api) -> None:
    """Then a browser asks whether it is still the same, which it is."""
    first = await api.ask("GET", "/page/ops.js")
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    again = await api.ask("GET", "/page/ops.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.response.content) == (304, b"")


@pytest.mark.parametrize(
    "name",
    ["nothing.js", "..%2fpage.py", "%2e%2e/page.py", "index.html", "package.json", "a/b.js", ".js"],
)
async def test_what_is_no_file_of_the_page(api: Api, name: str) -> None:
    """No name that somebody sends ever comes to the file system."""
    assert (await api.ask("GET", f"/page/{name}")).status == 404


async def test_a_june_without_the_client_says_what_to_type(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No page with a button that does nothing; once it is there, June need not start anew."""
    client = tmp_path / PROGRAM
    monkeypatch.setattr("agent.api.page.client_file", lambda: client)
    async with api_in(tmp_path / "other") as bare:
        page = await bare.ask("GET", "/", headers={"Accept": BROWSER})
        assert b"./june page" in page.response.content
        assert (await bare.ask("GET", f"/page/{CLIENT}")).status == 404
        client.write_text("export const Room = null;")
        page = await bare.ask("GET", "/", headers={"Accept": BROWSER})
        assert b"/page/call.js" in page.response.content
        assert (await bare.ask("GET", f"/page/{CLIENT}")).response.content == client.read_bytes()


def names(pattern: str, kind: str) -> set[str]:
    return {
        name
        for path in FOLDER.iterdir()
        if path.suffix == kind
        for name in re.findall(pattern, path.read_text())
    }


def test_whatever_a_page_loads_is_there() -> None:
    """By its own scripts and files; a name mistyped would be a page that does nothing."""
    there = set(Pages("").names) | {CLIENT}
    assert names(r'(?:from|import) "\./([^"]+)"', ".js") <= there
    assert names(r'(?:src|href)="/page/([^"]+)"', ".html") <= there


def test_no_page_names_another_origin() -> None:
    """But for the names that XML has, and June's own in a hint."""
    for path in FOLDER.iterdir():
        if path.suffix in KINDS:
            code = re.sub(r"^\s*(?://|/?\*).*$", "", path.read_text(), flags=re.MULTILINE)
            urls = set(re.findall(r"(?:https?|wss?)://\w+(?:\.\w+)*", code))
            assert urls <= {"http://www.w3.org", "http://localhost"}, path.name


def test_no_page_has_anything_inline() -> None:
    """Which the policy would refuse."""
    for path in FOLDER.glob("*.html"):
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", text), path.name

"""The cloner that `docs/voice-cloner.md` shows works as it stands, and fails as it says."""

import asyncio
import re
import traceback
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from agent.config import load
from agent.settings_mockingbird import MockingbirdSettings
from agent.voices.choice import VERBS, made_by
from agent.voices.cloner import CloneFailed, Cloner
from agent.voices.samples import frame_of
from skills.sound import Sound

DOCS = (Path(__file__).parent.parent / "docs" / "voice-cloner.md").read_text(encoding="utf-8")
KEY = "hush-hush-hush"
SAMPLE = Sound(b"\x01\x02" * 16_000 * 4, 16_000)
SPOKEN = b"\x05\x06" * 24_000


def block(language: str, name: str) -> str:
    (code,) = re.findall(rf"```{language}\n# {re.escape(name)}\n(.*?)```", DOCS, re.DOTALL)
    return str(code)


class Service:
    """What the page describes, and its faults."""

    def __init__(self) -> None:
        self.url = ""
        self.voices: dict[str, tuple[str, bytes]] = {}
        self.fault = ""
        self.lies = False
        self.forget = asyncio.Event()

    @web.middleware
    async def watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.Response(status=401, text=KEY)
        match self.fault:
            case "500":
                return web.Response(status=500, text=KEY)
            case "page":
                return web.Response(text="<html>", content_type="text/html")
            case "hang":
                await self.forget.wait()
        answer: web.StreamResponse = await handler(request)
        return answer

    async def make(self, request: web.Request) -> web.StreamResponse:
        voice = f"v{len(self.voices)}"
        self.voices[voice] = (request.query["name"], await request.read())
        return web.json_response({"id": voice})

    async def page(self, request: web.Request) -> web.StreamResponse:
        named = [one for one, (name, _) in self.voices.items() if name == request.query["name"]]
        return web.json_response({"voices": [{"id": one} for one in named]})

    async def speak(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["id"] not in self.voices:
            raise web.HTTPNotFound
        assert (await request.json())["text"] == "Hello."
        response = web.StreamResponse()
        await response.prepare(request)
        for start in range(0, len(SPOKEN), 9_999):
            await response.write(SPOKEN[start : start + 9_999])
            if self.fault == "cut" and request.transport is not None:
                request.transport.abort()
        return response

    async def delete(self, request: web.Request) -> web.StreamResponse:
        if not self.lies:
            self.voices.pop(request.match_info["id"])
        return web.Response(status=204)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    app = web.Application(middlewares=[service.watch])
    app.add_routes(
        [
            web.post("/voices", service.make),
            web.get("/voices", service.page),
            web.post("/voices/{id}/speech", service.speak),
            web.delete("/voices/{id}", service.delete),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield service
    service.forget.set()
    await runner.cleanup()


@pytest.fixture
async def cloner(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Cloner]:
    """At the test's service; for a test without one, where nothing listens."""
    is_served = "service" in request.fixturenames
    url = request.getfixturevalue("service").url if is_served else "http://127.0.0.1:9"
    monkeypatch.setenv("MY_VOICES_URL", url)
    monkeypatch.setenv("MY_VOICES_KEY", KEY)
    file = tmp_path / "my-cloner.py"
    # Ten seconds would be waited for in earnest.
    file.write_text(block("python", "my-cloner.py").replace("= 10.0", "= 1.0"))
    cloner = made_by(file)
    yield cloner
    await cloner.aclose()


async def spoken(cloner: Cloner, voice: str) -> list[bytes]:
    return [sound async for sound in cloner.speak(voice, "Hello.")]


async def failure(work: Awaitable[object]) -> str:
    with pytest.raises(CloneFailed) as failed:
        await work
    assert KEY not in "".join(traceback.format_exception(failed.value))
    return str(failed.value)


async def test_it_clones_speaks_and_deletes(service: Service, cloner: Cloner) -> None:
    """The sample arrives whole, the sound too, and nothing is left."""
    voice = await cloner.clone("june-1", SAMPLE, [])
    await cloner.clone("june-2", SAMPLE, [])
    assert service.voices[voice] == ("june-1", frame_of(SAMPLE).to_wav_bytes())

    pieces = await spoken(cloner, voice)
    assert all(len(piece) % 2 == 0 for piece in pieces)
    assert b"".join(pieces) == SPOKEN

    await cloner.delete("june-1")
    assert [name for name, _ in service.voices.values()] == ["june-2"]
    assert "status 404" in await failure(spoken(cloner, voice))
    await cloner.delete("june-1")


@pytest.mark.parametrize(
    ("fault", "words"),
    [("500", "status 500"), ("hang", "Timeout"), ("page", "ContentTypeError")],
)
async def test_every_verb_fails_in_time_and_in_its_own_words(
    service: Service, cloner: Cloner, fault: str, words: str
) -> None:
    """With the one error that June expects."""
    voice = await cloner.clone("june-1", SAMPLE, [])
    service.fault = fault
    assert words in await failure(cloner.clone("june-2", SAMPLE, []))
    assert words in await failure(cloner.delete("june-1"))
    if fault != "page":
        assert words in await failure(spoken(cloner, voice))


async def test_sound_that_is_cut_off_is_an_error(service: Service, cloner: Cloner) -> None:
    """In the middle of a sentence."""
    voice = await cloner.clone("june-1", SAMPLE, [])
    service.fault = "cut"
    await failure(spoken(cloner, voice))


async def test_a_deletion_that_is_only_said_is_found_out(service: Service, cloner: Cloner) -> None:
    """It looks again."""
    await cloner.clone("june-1", SAMPLE, [])
    service.lies = True
    assert "still there" in await failure(cloner.delete("june-1"))


async def test_a_service_that_is_gone_is_an_error(cloner: Cloner) -> None:
    """Nobody listens there any more."""
    assert "ClientConnectorError" in await failure(cloner.clone("june-1", SAMPLE, []))


def test_the_setting_of_the_page_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And finds the file beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agent.toml").write_text(block("toml", "agent.toml"))
    assert load(environ={"HOME": "/home/alice"}).cloner_file == tmp_path / "my-cloner.py"


def test_the_page_names_every_choice_and_every_verb() -> None:
    """A new one is told there."""
    rule = MockingbirdSettings.model_json_schema()["properties"]["cloner"]["rule"]
    for choice in re.findall(r"`(\w+)`", rule):
        assert f'`"{choice}"`' in DOCS, choice
    told = DOCS.partition("## What June relies on")[2].partition("\n\n- ")[0]
    for verb in VERBS:
        assert f"`{verb}" in told, verb

"""The provider itself: an HTTP server on loopback, a script and a journal."""

import asyncio
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler
from livekit.agents import vad

from agent.models.local.engine import Speech
from agent.turns import load_vad
from bench.provider.answering import ASKED, Over, refuse
from bench.provider.chat import Chat
from bench.provider.faults import HTML_PAGE
from bench.provider.hearing import Ears
from bench.provider.journal import Asked, Ending, Journal, Stage
from bench.provider.kept import Kept
from bench.provider.models import Models
from bench.provider.realtime import Realtime
from bench.provider.refusals import Refusal, Refused
from bench.provider.script import Script
from bench.provider.speaking import Voice
from bench.provider.voices import Voices

HOST = "127.0.0.1"

LARGEST_BODY = 32 * 1024 * 1024

STAGES: dict[str, Stage] = {
    "/v1/chat/completions": "llm",
    "/v1/audio/transcriptions": "stt",
    "/v1/realtime": "stt",
    "/v1/audio/speech": "tts",
    "/v1/models": "models",
}


class ScriptedProvider:
    """Serves inside `async with`. `speech` belongs to the caller, and may be shared."""

    def __init__(
        self,
        speech: Speech,
        script: Script | None = None,
        key: str | None = None,
        *,
        port: int = 0,
        detector: vad.VAD | None = None,
    ) -> None:
        self.script = script or Script()
        self._key = key
        self._port = port
        self._detector = detector
        self._journal = Journal()
        self._voices = Voices(self)
        self._answering: set[asyncio.Task[object]] = set()
        self._runner = web.AppRunner(
            self._application(speech), access_log=None, handler_cancellation=True
        )

    @property
    def site_url(self) -> str:
        """A web page, for who gives the wrong address."""
        return f"http://{HOST}:{self._port}"

    @property
    def base_url(self) -> str:
        return f"{self.site_url}/v1"

    @property
    def journal(self) -> list[Asked]:
        """Everything that was asked, oldest first."""
        return self._journal.entries

    def asked(self, stage: Stage) -> list[Asked]:
        return self._journal.of(stage)

    @property
    def kept(self) -> list[Kept]:
        """Every custom voice and every consent that it has, oldest first."""
        return self._voices.kept

    async def wait_for(self, stage: Stage, count: int = 1) -> Asked:
        """The request of that number in its stage, counted from 1, once it is there."""
        return await self._journal.wait_for(stage, count)

    async def __aenter__(self) -> Self:
        if self._detector is None:
            self._detector = await asyncio.to_thread(load_vad)
        await self._runner.setup()
        await self.listen()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._journal.closing = True
        await self._stop_answering()
        await self._runner.cleanup()

    async def refuse(self) -> None:
        """As a machine on which nothing runs: connections end, and new ones are refused."""
        for site in self._runner.sites:
            await site.stop()
        await self.drop()

    async def drop(self) -> None:
        """End every connection, whatever is being said on it; new ones are welcome."""
        self._journal.closing = True
        await self._stop_answering()
        self._journal.closing = False
        assert self._runner.server is not None
        for connection in self._runner.server.connections:
            connection.force_close()

    async def listen(self) -> None:
        """Again after `refuse`, on the same port."""
        await web.TCPSite(self._runner, HOST, self._port).start()
        _, self._port = self._runner.addresses[0]

    async def _stop_answering(self) -> None:
        # aiohttp would first wait for them, then cancel them, and not wait for that.
        for task in self._answering:
            task.cancel()
        if self._answering:
            await asyncio.wait(self._answering)

    def _application(self, speech: Speech) -> web.Application:
        chat, voice, ears, models = (
            Chat(self),
            Voice(self, speech, self._voices),
            Ears(self, speech),
            Models(self),
        )
        realtime = Realtime(self, speech, self._loaded_detector)
        app = web.Application(middlewares=[self._watch], client_max_size=LARGEST_BODY)
        app.on_response_prepare.append(name_response)
        app.add_routes(
            [
                web.post("/v1/chat/completions", chat.complete),
                web.post("/v1/audio/speech", voice.speak),
                web.post("/v1/audio/transcriptions", ears.transcribe),
                web.get("/v1/realtime", realtime.listen),
                *self._voices.routes(),
                web.get("/v1/models", models.all),
                web.get("/v1/models/{model}", models.one),
                web.route("*", "/v1{tail:.*}", unknown_path),
                web.route("*", "/{tail:.*}", web_page),
            ]
        )
        return app

    def _loaded_detector(self) -> vad.VAD:
        assert self._detector is not None
        return self._detector

    @web.middleware
    async def _watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        key = presented_key(request)
        task = asyncio.current_task()
        assert task is not None
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        with self._journal.entry(stage_of(request.path), request.path, key) as asked:
            request[ASKED] = asked
            try:
                if request.path.startswith("/v1"):
                    self._require_key(key)
                return await handler(request)
            except Refused as refused:
                asked.end(Ending.REFUSED)
                return refuse(refused.refusal)
            except Over as over:
                return over.response

    def _require_key(self, key: str | None) -> None:
        if self._key is None or key == self._key:
            return
        raise Refused(Refusal.no_key() if key is None else Refusal.wrong_key(key))


def stage_of(path: str) -> Stage:
    if path.startswith("/v1/audio/voice"):
        return "voices"
    return "models" if path.startswith("/v1/models/") else STAGES.get(path, "other")


def presented_key(request: web.Request) -> str | None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key if scheme.lower() == "bearer" and key else None


async def name_response(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["x-request-id"] = request[ASKED].id


async def unknown_path(request: web.Request) -> web.StreamResponse:
    raise Refused(Refusal.unknown_path(request.method, request.path))


async def web_page(request: web.Request) -> web.StreamResponse:
    status = 200 if request.method == "GET" else 405
    return web.Response(text=HTML_PAGE, content_type="text/html", status=status)

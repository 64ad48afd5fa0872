"""The model process: one copy of the local models for all calls of a worker.

It serves HTTP on a Unix socket that only its owner can open:

    POST /transcribe?final=1    body: mono s16le at 16 kHz      → {"text": "…"}
    POST /speak                 body: the text, UTF-8           → mono s16le, a chunk a sentence
    GET  /                                                      → {"speaking_rate": 22050}

A request whose client goes away (barge-in) is dropped, before it has started if it can be. The
process ends when its standard input does, so it cannot outlive the worker that started it.

What a call costs with the models here, measured on two cores of a shared x86-64 machine (one run:
real calls in a room, five questions each in 42 s; proportional memory and CPU time summed over
the worker's processes, from `/proc`): idle 931 MB with one warm process; one call 127 MB more and
11.7 s of CPU a minute, three calls 125 MB and 10.3 s each.
"""

import asyncio
import sys
from pathlib import Path

from aiohttp import web

from agent.models.local.engine import LocalSpeech, Speech

MAX_UTTERANCE_BYTES = 4 * 1024 * 1024
"""About two minutes at 16 kHz; the longest utterance that June sends is a fraction of it."""


def application(speech: Speech) -> web.Application:
    """The HTTP side of `speech`."""

    async def about(_: web.Request) -> web.Response:
        return web.json_response({"speaking_rate": speech.speaking_rate})

    async def transcribe(request: web.Request) -> web.Response:
        final = request.query.get("final") == "1"
        return web.json_response(
            {"text": await speech.transcribe(await request.read(), final=final)}
        )

    async def speak(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        async for sound in speech.speak(await request.text()):
            await response.write(sound)
        await response.write_eof()
        return response

    app = web.Application(client_max_size=MAX_UTTERANCE_BYTES)
    app.add_routes(
        [web.get("/", about), web.post("/transcribe", transcribe), web.post("/speak", speak)]
    )
    return app


async def serve(socket: Path, speech: Speech, *, until: asyncio.Event) -> None:
    """Answer on `socket` until told to end."""
    runner = web.AppRunner(application(speech), access_log=None, handler_cancellation=True)
    await runner.setup()
    try:
        await web.UnixSite(runner, str(socket)).start()
        await asyncio.to_thread(socket.chmod, 0o600)
        await until.wait()
    finally:
        await runner.cleanup()


async def _main(socket: Path) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def wait_for_parent() -> None:
        await reader.read()
        ended.set()

    watching = asyncio.create_task(wait_for_parent(), name="june.models.parent")
    async with LocalSpeech() as speech:
        await serve(socket, speech, until=ended)
    await watching


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))

"""`/v1/audio/voice_consents` and `/v1/audio/voices`: voices of a customer's own.

Routes, fields and answers are those of OpenAI's SDK 3.54 (`openai.resources.audio`), which has no
route that lists voices. That a sample may be 30 s long is from its guide to custom voices.
"""

import asyncio
from typing import Any

from aiohttp import BodyPartReader, web

from agent.models.local.engine import HEARING_RATE
from bench.provider.answering import ASKED, break_whole, json_body
from bench.provider.faults import Lie
from bench.provider.kept import Kept, Kind, Shelf
from bench.provider.refusals import Refusal, Refused
from bench.provider.requests import VoicesRequest
from bench.provider.script import Keeping, Scripted
from bench.provider.sound import UnknownSound, for_hearing, seconds_of

LARGEST_FILE = 10 * 1024 * 1024
LONGEST_SAMPLE_SECONDS = 30.0

CONSENTS, VOICES = "/v1/audio/voice_consents", "/v1/audio/voices"
SOUND: dict[Kind, str] = {"consent": "recording", "voice": "audio_sample"}
NEEDED: dict[Kind, tuple[str, str]] = {
    "consent": ("name", "language"),
    "voice": ("name", "consent"),
}
DELETED: dict[Kind, str] = {"consent": "audio.voice_consent", "voice": "audio.voice.deleted"}


class Voices:
    """Lives as long as the provider."""

    def __init__(self, scripted: Scripted) -> None:
        self._scripted = scripted
        self._shelf = Shelf()

    @property
    def kept(self) -> list[Kept]:
        return self._shelf.kept

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(CONSENTS, self.make),
            web.get(CONSENTS, self.page),
            web.get(CONSENTS + "/{id}", self.show),
            web.post(CONSENTS + "/{id}", self.rename),
            web.delete(CONSENTS + "/{id}", self.delete),
            web.post(VOICES, self.make),
            web.get(VOICES, self.page),
            web.delete(VOICES + "/{id}", self.delete),
        ]

    def require(self, voice: str) -> None:
        """Raise `Refused` for a voice that is not there."""
        self._shelf.one("voice", voice)

    async def make(self, request: web.Request) -> web.StreamResponse:
        kind = kind_of(request)
        fields, file = await uploaded(request, kind)
        keeping = await self._begin(request, fields)
        seconds = seconds_in(file, SOUND[kind])
        if kind == "voice":
            self._shelf.one("consent", fields["consent"])
            if seconds > LONGEST_SAMPLE_SECONDS:
                raise bad("The sample may be 30 seconds long at most.", SOUND[kind])
        return await end(request, keeping, self._shelf.add(kind, fields, file).described)

    async def page(self, request: web.Request) -> web.StreamResponse:
        kind = kind_of(request)
        if kind == "voice" and not self._scripted.script.lists_voices:
            raise Refused(Refusal(405, f"Not allowed to GET on {request.path}."))
        keeping = await self._begin(request, dict(request.query))
        return await end(request, keeping, self._shelf.page(kind, request.query))

    async def show(self, request: web.Request) -> web.StreamResponse:
        keeping = await self._begin(request, {})
        return await end(request, keeping, self._named(request).described)

    async def rename(self, request: web.Request) -> web.StreamResponse:
        body = await json_body(request)
        keeping = await self._begin(request, body)
        kept = self._named(request)
        if not isinstance(body.get("name"), str) or not body["name"]:
            raise bad("Missing required parameter: 'name'.", "name")
        if not isinstance(keeping.fault, Lie):
            kept.name = body["name"]
        return await end(request, keeping, {**kept.described, "name": body["name"]})

    async def delete(self, request: web.Request) -> web.StreamResponse:
        keeping = await self._begin(request, {})
        kept = self._named(request)
        if not isinstance(keeping.fault, Lie):
            self._shelf.kept.remove(kept)
        deleted = {"id": kept.id, "object": DELETED[kept.kind], "deleted": True}
        return await end(request, keeping, deleted)

    def _named(self, request: web.Request) -> Kept:
        return self._shelf.one(kind_of(request), request.match_info["id"])

    async def _begin(self, request: web.Request, fields: dict[str, Any]) -> Keeping:
        asked = request[ASKED]
        asked.body = fields
        wanted = VoicesRequest(request.method, kind_of(request), fields)
        keeping = self._scripted.script.keeping(wanted)
        if isinstance(keeping.fault, Lie):
            asked.fault = keeping.fault
        elif not keeping.is_done_first:
            await break_whole(request, keeping.fault)
        return keeping


async def end(request: web.Request, keeping: Keeping, answer: dict[str, Any]) -> web.StreamResponse:
    await asyncio.sleep(keeping.delay_seconds)
    if keeping.is_done_first:
        await break_whole(request, keeping.fault)
    return web.json_response(answer)


def kind_of(request: web.Request) -> Kind:
    return "consent" if request.path.startswith(CONSENTS) else "voice"


async def uploaded(request: web.Request, kind: Kind) -> tuple[dict[str, str], bytes]:
    """The form's fields, none missing, and its one file. Raises `Refused`."""
    fields: dict[str, str] = {}
    file: bytes | None = None
    if request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                continue
            if part.name == SOUND[kind]:
                if part.headers.get("Content-Type") not in ("audio/wav", "audio/x-wav"):
                    raise bad("Only 'audio/wav' is supported here.", part.name)
                file = bytes(await part.read())
            else:
                fields[part.name] = await part.text()
    for name in NEEDED[kind]:
        if not fields.get(name):
            raise bad(f"Missing required parameter: '{name}'.", name)
    if file is None:
        raise bad(f"Missing required parameter: '{SOUND[kind]}'.", SOUND[kind])
    if len(file) > LARGEST_FILE:
        raise Refused(Refusal(413, "The file is larger than 10 MiB.", param=SOUND[kind]))
    return fields, file


def seconds_in(file: bytes, name: str) -> float:
    """How long a wav file is. Raises `Refused` for one without sound."""
    try:
        seconds = seconds_of(for_hearing(file), HEARING_RATE)
    except UnknownSound as error:
        raise bad(str(error), name) from error
    if seconds == 0:
        raise bad("The recording is empty.", name)
    return seconds


def bad(message: str, name: str) -> Refused:
    return Refused(Refusal.bad_request(message, param=name))

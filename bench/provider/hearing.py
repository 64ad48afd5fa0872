"""`POST /v1/audio/transcriptions`: a recording becomes words, by Moonshine."""

import asyncio
from typing import Any

from aiohttp import BodyPartReader, web

from agent.models.local.engine import HEARING_RATE, Speech
from bench.provider.answering import ASKED, break_whole
from bench.provider.dictated import ears_for
from bench.provider.faults import Empty
from bench.provider.models import require_model
from bench.provider.refusals import Refusal, Refused
from bench.provider.requests import HearingRequest
from bench.provider.script import Scripted
from bench.provider.sound import UnknownSound, for_hearing, seconds_of
from bench.provider.tokens import heard_usage


class Ears:
    """Lives as long as the provider."""

    def __init__(self, scripted: Scripted, speech: Speech) -> None:
        self._scripted = scripted
        self._speech = speech

    async def transcribe(self, request: web.Request) -> web.StreamResponse:
        asked = request[ASKED]
        file, fields = await form(request)
        asked.body = fields
        model = str(fields.get("model", ""))
        require_model(model, self._scripted.script)
        try:
            sound = for_hearing(file)
        except UnknownSound as error:
            raise Refused(Refusal.bad_request(str(error), param="file")) from error
        asked.sound_seconds = seconds_of(sound, HEARING_RATE)
        take = self._scripted.script.hearing(HearingRequest(model, realtime=False, fields=fields))
        await break_whole(request, take.fault)
        if isinstance(take.fault, Empty):
            asked.fault = take.fault

        text = await ears_for(take, self._speech).transcribe(sound, final=True)
        await asyncio.sleep(take.delay_seconds)
        asked.text = text
        asked.note_answer()
        return answered(text, asked.sound_seconds, str(fields.get("response_format", "json")))


def answered(text: str, seconds: float, kind: str) -> web.Response:
    match kind:
        case "json":
            return web.json_response({"text": text, "usage": heard_usage(seconds, text)})
        case "verbose_json":
            segment = {"id": 0, "seek": 0, "start": 0.0, "end": seconds, "text": text}
            verbose = {
                "task": "transcribe",
                "language": "english",
                "duration": seconds,
                "text": text,
                "segments": [segment] if text else [],
                "usage": {"type": "duration", "seconds": round(seconds)},
            }
            return web.json_response(verbose)
        case "text":
            return web.Response(text=f"{text}\n", content_type="text/plain")
        case _:
            only = f"Only json, verbose_json and text are supported here (got '{kind}')."
            raise Refused(Refusal.bad_request(only, param="response_format"))


async def form(request: web.Request) -> tuple[bytes, dict[str, Any]]:
    """The sound, and the fields beside it."""
    file: bytes | None = None
    fields: dict[str, Any] = {}
    if request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                continue
            if part.name == "file":
                file = bytes(await part.read())
            else:
                fields[part.name] = await part.text()
    if file is None:
        raise Refused(Refusal.bad_request("Missing required parameter: 'file'.", param="file"))
    return file, fields

"""`GET /v1/realtime?intent=transcription`: words while somebody speaks, over a WebSocket."""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import web
from livekit.agents import vad

from agent.models.local.engine import Speech
from agent.models.local.stt import LocalSTT
from bench.provider import realtime_events as events
from bench.provider.answering import ASKED, break_before, break_off
from bench.provider.configuration import Configuration
from bench.provider.dictated import ears_for
from bench.provider.faults import BreakOff, Empty, ErrorEvent, Garbage, Hang, Interrupting
from bench.provider.listening import Listening
from bench.provider.models import require_model
from bench.provider.refusals import Refusal, Refused
from bench.provider.requests import HearingRequest
from bench.provider.script import Hearing, Scripted
from bench.provider.sound import seconds_of


class Realtime:
    """Lives as long as the provider."""

    def __init__(self, scripted: Scripted, speech: Speech, detector: Callable[[], vad.VAD]) -> None:
        self._scripted = scripted
        self._speech = speech
        self._detector = detector

    async def listen(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        if not web.WebSocketResponse().can_prepare(request):
            raise Refused(Refusal.bad_request("This address is for WebSockets."))
        if query.get("intent") != "transcription":
            raise Refused(Refusal.bad_request("Only 'intent=transcription' is supported here."))
        if "model" in query:
            require_model(query["model"], self._scripted.script)
        model = query.get("model", "")
        take = self._scripted.script.hearing(HearingRequest(model, realtime=True, fields=query))
        await break_before(request, take.fault)
        ears = LocalSTT(ears_for(take, self._speech), self._detector())
        return await Connection(request, self._scripted, take, ears).serve()


class Connection:
    """One client, from the upgrade until it leaves."""

    def __init__(
        self, request: web.Request, scripted: Scripted, take: Hearing, ears: LocalSTT
    ) -> None:
        self._request = request
        self._scripted = scripted
        self._asked = request[ASKED]
        self._socket = web.WebSocketResponse()
        self._configuration = Configuration()
        self._listening = Listening(ears, take, self._configuration, self._asked, self._send)
        self._fault = take.fault
        self._mute = False
        self._garbage: str | None = None
        """What is said instead of everything."""

    async def serve(self) -> web.WebSocketResponse:
        await self._socket.prepare(self._request)
        async with self._listening:
            await self._break_if_due()
            await self._send(events.event("session.created", session=self._configuration.session))
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._answer(message.data)
            self._asked.answered = True
        return self._socket

    async def _answer(self, text: str) -> None:
        try:
            await self._do(json.loads(text))
        except Refused as refused:
            await self._send(events.error(refused.refusal.message, code=refused.refusal.code))
        except ValueError:
            await self._send(events.error("Could not parse your event.", code="invalid_json"))

    async def _do(self, said: Any) -> None:
        match said:
            case {"type": "session.update", "session": session}:
                self._configuration.update(session, self._scripted.script)
                self._asked.body = self._configuration.session
                updated = events.event("session.updated", session=self._configuration.session)
                await self._send(updated)
            case {"type": "input_audio_buffer.append", "audio": audio}:
                await self._hear(decoded(audio))
            case {"type": "input_audio_buffer.commit"}:
                if not await self._listening.commit():
                    empty = "Error committing input audio buffer: the buffer is empty."
                    code = "input_audio_buffer_commit_empty"
                    await self._send(events.error(empty, code=code))
            case {"type": "input_audio_buffer.clear"}:
                self._listening.clear()
                await self._send(events.event("input_audio_buffer.cleared"))
            case _:
                kind = said.get("type") if isinstance(said, dict) else None
                raise Refused(Refusal.bad_request(f"Invalid event: '{kind}'.", param="type"))

    async def _hear(self, pcm: bytes) -> None:
        self._asked.sound_seconds += seconds_of(pcm)
        await self._break_if_due()
        if pcm and not self._mute:
            self._listening.hear(pcm)

    async def _break_if_due(self) -> None:
        fault = self._fault
        if isinstance(fault, Empty):
            self._asked.fault = fault
        if not isinstance(fault, Interrupting):
            return
        if self._asked.sound_seconds < (fault.after_seconds or 0.0):
            return
        self._fault, self._asked.fault = None, fault
        match fault:
            case Hang():
                self._mute = True
            case BreakOff():
                break_off(self._request, self._socket)
            case ErrorEvent(message=message, type=type_, code=code):
                await self._send(events.error(message, kind=type_, code=code))
            case Garbage(text=text):
                self._garbage = text

    async def _send(self, said: events.Event) -> None:
        if self._mute or self._socket.closed:
            return
        try:
            garbage = self._garbage
            await self._socket.send_str(json.dumps(said) if garbage is None else garbage)
        except ConnectionError:
            # The client has left, which the reading of the socket will notice.
            self._mute = True


def decoded(audio: object) -> bytes:
    """Sound in whole samples. Raises `Refused`."""
    try:
        pcm = base64.b64decode(audio if isinstance(audio, str) else "", validate=True)
    except binascii.Error as error:
        raise Refused(Refusal.bad_request("Invalid 'audio'.", param="audio")) from error
    return pcm[: len(pcm) // 2 * 2]

"""`POST /v1/audio/speech`: Piper's voice in OpenAI's formats."""

import asyncio
import base64
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from aiohttp import web

from agent.models.local.engine import Speech
from bench.provider.answering import ASKED, EVENTS, Stream, break_before, json_body
from bench.provider.faults import Empty, OddBytes, Silence, WrongRate
from bench.provider.journal import Asked
from bench.provider.models import require_model
from bench.provider.refusals import Refusal, Refused
from bench.provider.requests import SpeakingRequest
from bench.provider.script import Scripted, Speaking
from bench.provider.sound import (
    RATE,
    as_openai_speaks,
    chunks,
    endless_wav_header,
    in_odd_chunks,
    seconds_of,
)
from bench.provider.tokens import spoken_usage
from bench.provider.voices import Voices

FORMATS = ("pcm", "wav")


class Voice:
    """Lives as long as the provider."""

    def __init__(self, scripted: Scripted, speech: Speech, voices: Voices) -> None:
        self._scripted = scripted
        self._speech = speech
        self._voices = voices

    async def speak(self, request: web.Request) -> web.StreamResponse:
        asked = request[ASKED]
        body = await json_body(request)
        wanted = speaking_request(body)
        require_model(wanted.model, self._scripted.script)
        if isinstance(body.get("voice"), dict):
            self._voices.require(wanted.voice)
        kind = str(body.get("response_format", "mp3"))
        if kind not in FORMATS:
            only = f"Only the formats {FORMATS} are supported here (got '{kind}')."
            raise Refused(Refusal.bad_request(only, param="response_format"))
        take = self._scripted.script.speaking(wanted)
        await break_before(request, take.fault)

        as_events = body.get("stream_format") == "sse"
        stream = Stream(request, take.fault, EVENTS if as_events else f"audio/{kind}")
        await stream.open()
        head = endless_wav_header() if kind == "wav" else b""
        async with aclosing(self._sound(wanted.text, take, asked)) as sounds:
            async for sound in sounds:
                await due(take, asked)
                await stream.send(audio_event(head + sound) if as_events else head + sound)
                asked.sound_seconds += seconds_of(sound)
                head = b""
        if not as_events:
            return await stream.close()
        usage = spoken_usage(wanted.text, asked.sound_seconds)
        return await stream.close({"type": "speech.audio.done", "usage": usage})

    def _sound(self, text: str, take: Speaking, asked: Asked) -> AsyncGenerator[bytes, None]:
        if isinstance(take.fault, Empty | Silence | OddBytes | WrongRate):
            asked.fault = take.fault
        spoken, rate = self._speech.speak(text), self._speech.speaking_rate
        match take.fault:
            case Empty():
                return silence(0)
            case Silence(seconds=seconds):
                return silence(seconds)
            case OddBytes():
                return in_odd_chunks(as_openai_speaks(spoken, rate))
            case WrongRate(sample_rate=wanted_rate):
                return as_openai_speaks(spoken, rate, wanted_rate)
            case _:
                return as_openai_speaks(spoken, rate)


async def silence(seconds: float) -> AsyncGenerator[bytes, None]:
    for chunk in chunks(bytes(2 * int(RATE * seconds))):
        yield chunk


async def due(take: Speaking, asked: Asked) -> None:
    """Wait until the next sound is due; a pace counts from the first one."""
    if asked.first_at is None:
        at = asked.at + take.first_audio_seconds
    elif take.times_realtime is not None:
        at = asked.first_at + asked.sound_seconds / take.times_realtime
    else:
        return
    await asyncio.sleep(at - time.monotonic())


def audio_event(sound: bytes) -> dict[str, Any]:
    return {"type": "speech.audio.delta", "audio": base64.b64encode(sound).decode()}


def speaking_request(body: dict[str, Any]) -> SpeakingRequest:
    model, text = body.get("model"), body.get("input")
    if not isinstance(model, str):
        raise Refused(Refusal.bad_request("you must provide a model parameter"))
    if not isinstance(text, str) or not text:
        raise Refused(Refusal.bad_request("Missing required parameter: 'input'.", param="input"))
    voice = body.get("voice", "")
    named = voice.get("id", "") if isinstance(voice, dict) else voice
    return SpeakingRequest(model, text, str(named), body)

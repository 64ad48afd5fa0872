"""Models with a script, behind LiveKit's real base classes, for whoever guards them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectionError, APIConnectOptions, llm, stt, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr

from agent.models.local.stt import LANGUAGE

HANG = asyncio.Event
"""In a script: nothing more comes."""


def down() -> APIConnectionError:
    return APIConnectionError("down")


@dataclass
class Played:
    """What became of one request."""

    is_closed: bool = False
    is_done: bool = False


async def play(step: Any) -> None:
    """A step of a script that is no part of an answer."""
    if step is HANG:
        await asyncio.Event().wait()
    raise step


class ScriptedLLM(llm.LLM[str]):
    """Each request plays the next script: texts, chunks, errors, or `HANG`."""

    def __init__(self, name: str, *scripts: Sequence[Any]) -> None:
        super().__init__()
        self.name = name
        self.scripts = list(scripts)
        self.asked: list[Played] = []
        self.options: list[APIConnectOptions] = []

    @property
    def model(self) -> str:
        return self.name

    @property
    def provider(self) -> str:
        return f"{self.name}.example.org"

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        **_: Any,
    ) -> "ScriptedReply":
        self.options.append(conn_options)
        return ScriptedReply(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class ScriptedReply(llm.LLMStream):
    async def _run(self) -> None:
        owner: Any = self._llm
        played = Played()
        owner.asked.append(played)
        try:
            for step in owner.scripts.pop(0) if owner.scripts else ["Hello."]:
                if isinstance(step, str):
                    delta = llm.ChoiceDelta(role="assistant", content=step)
                    step = llm.ChatChunk(id="1", delta=delta)  # noqa: PLW2901
                if not isinstance(step, llm.ChatChunk):
                    await play(step)
                self._event_ch.send_nowait(step)
            played.is_done = True
        finally:
            played.is_closed = True


class ScriptedTTS(tts.TTS[str]):
    """Each request plays the next script: seconds of sound, sound, errors, or `HANG`."""

    def __init__(self, name: str, *scripts: Sequence[Any], sample_rate: int = 24_000) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False),
            sample_rate=sample_rate,
            num_channels=1,
        )
        self.name = name
        self.scripts = list(scripts)
        self.asked: list[str] = []

    @property
    def model(self) -> str:
        return self.name

    @property
    def provider(self) -> str:
        return f"{self.name}.example.org"

    def loud(self, seconds: float) -> bytes:
        return b"\x00\x10\x00\xf0" * int(seconds * self.sample_rate / 2)

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> "ScriptedSentence":
        return ScriptedSentence(tts=self, input_text=text, conn_options=conn_options)


class ScriptedSentence(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        owner: Any = self._tts
        owner.asked.append(self.input_text)
        output_emitter.initialize(
            request_id=utils.shortuuid(),
            sample_rate=owner.sample_rate,
            num_channels=1,
            mime_type="audio/pcm",
            frame_size_ms=50,
        )
        for step in owner.scripts.pop(0) if owner.scripts else [1.0]:
            if isinstance(step, float | bytes):
                output_emitter.push(owner.loud(step) if isinstance(step, float) else step)
                await asyncio.sleep(0)
            else:
                await play(step)
        self._set_token_usage(input_tokens=3, output_tokens=5)


@dataclass
class Listened:
    """One stream of sound that somebody listened to."""

    stream: "ScriptedEars"
    levels: list[int] = field(default_factory=list)
    """The first sample of each frame."""
    is_ended: bool = False


class ScriptedSTT(stt.STT[str]):
    """Each stream first fails with the next of `fails_with`, if there is one; else it listens."""

    def __init__(self, name: str, *fails_with: BaseException) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.name = name
        self.fails_with = list(fails_with)
        self.listened: list[Listened] = []

    @property
    def model(self) -> str:
        return self.name

    @property
    def provider(self) -> str:
        return f"{self.name}.example.org"

    async def _recognize_impl(
        self,
        buffer: utils.AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.SpeechEvent:
        raise AssertionError("a call listens to streams")

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> "ScriptedEars":
        return ScriptedEars(stt=self, conn_options=conn_options)


class ScriptedEars(stt.RecognizeStream):
    """Says what a test tells it to."""

    async def _run(self) -> None:
        owner: Any = self._stt
        listened = Listened(self)
        owner.listened.append(listened)
        self.failing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if owner.fails_with:
            raise owner.fails_with.pop(0)
        listening = asyncio.ensure_future(self._listen(listened))
        try:
            await asyncio.wait({listening, self.failing}, return_when=asyncio.FIRST_COMPLETED)
            if self.failing.done():
                self.failing.result()
        finally:
            listening.cancel()
            await asyncio.wait({listening})

    async def _listen(self, listened: Listened) -> None:
        async for item in self._input_ch:
            if isinstance(item, rtc.AudioFrame):
                listened.levels.append(item.data[0])
        listened.is_ended = True

    def says(self, text: str, *, final: bool = True, request_id: str = "") -> None:
        kind = stt.SpeechEventType.FINAL_TRANSCRIPT
        if not final:
            kind = stt.SpeechEventType.INTERIM_TRANSCRIPT
        data = [stt.SpeechData(language=LANGUAGE, text=text)]
        self._event_ch.send_nowait(stt.SpeechEvent(kind, request_id, alternatives=data))

    def fails(self, error: BaseException) -> None:
        self.failing.set_exception(error)

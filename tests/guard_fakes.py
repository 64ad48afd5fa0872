"""Scripted minds, voices and ears that satisfy the real interfaces, and time that takes none."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from livekit import rtc
from livekit.agents import APIConnectOptions, LanguageCode, llm, stt, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN

from agent.models.guard import Guard, Provider
from session.breaker import ProviderBreakers
from session.circuits import Effect, Permit, Verdict
from session.store.memory.breakers import MemoryBreakers

HOST = "api.example.org"
CYCLES = 60
"""Of the event loop: enough for whatever needs no time."""


class Forever:
    """A step after which nothing comes."""


HANG: Final = Forever()


@contextmanager
def flying_time() -> Iterator[None]:
    """Whenever all wait for a time, it is that time: deadlines are exact, and nobody waits."""
    loop: Any = asyncio.get_running_loop()
    real_time, real_select = loop.time, loop._selector.select
    skipped_seconds = 0.0

    def select(timeout: float | None) -> Any:
        nonlocal skipped_seconds
        happened = real_select(0)
        if happened or timeout == 0:
            return happened
        if timeout is None:
            raise AssertionError("nobody will ever wake up")
        skipped_seconds += timeout
        return happened

    loop.time = lambda: real_time() + skipped_seconds
    loop._selector.select = select
    try:
        yield
    finally:
        del loop.time
        loop._selector.select = real_select


async def settled() -> None:
    """All that needs no time has happened."""
    for _ in range(CYCLES):
        await asyncio.sleep(0)


class RecordingBreakers(ProviderBreakers):
    """Real ones of one process, at an hour that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.told: list[tuple[str, str]] = []
        """Circuits and verdicts."""
        super().__init__(MemoryBreakers(), lambda: self.seconds)

    async def report(self, permit: Permit, verdict: Verdict) -> Effect:
        self.told.append((permit.circuit, verdict.kind))
        return await super().report(permit, verdict)


@dataclass
class Call:
    """Its guard, and what the breakers learn of it."""

    breakers: RecordingBreakers = field(default_factory=RecordingBreakers)
    guard: Guard = field(default_factory=Guard)

    def __post_init__(self) -> None:
        self.guard.open(self.breakers, "ann", lambda _: None)


def told_apart(models: Sequence[Any]) -> list[Provider[Any]]:
    """One circuit for each hosted model: its name."""
    return [Provider(one, "" if one.provider == "local" else one.model) for one in models]


MindStep = str | llm.ChatChunk | float | Exception | Forever


class Mind(llm.LLM[str]):
    """Goes through the steps of one request after the other: words, a chunk, seconds, an error."""

    def __init__(self, name: str, *scripts: Sequence[MindStep], provider: str = HOST) -> None:
        super().__init__()
        self._label = f"label of {name}"
        self._name = name
        self._provider = provider
        self.scripts = list(scripts)
        self.asked: list[dict[str, Any]] = []
        self.open = 0
        self.is_closed = False
        self.is_warm = False

    @property
    def model(self) -> str:
        return self._name

    @property
    def provider(self) -> str:
        return self._provider

    def prewarm(self, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.is_warm = True

    def chat(self, **asked: Any) -> "Reply":
        self.asked.append(asked)
        script = self.scripts.pop(0) if self.scripts else ()
        context = {name: asked[name] for name in ("chat_ctx", "tools", "conn_options")}
        return Reply(self, script, **context)

    async def aclose(self) -> None:
        self.is_closed = True


class Reply(llm.LLMStream):
    def __init__(self, owner: Mind, script: Sequence[MindStep], **context: Any) -> None:
        super().__init__(owner, **context)
        self._owner = owner
        self._script = script

    async def _run(self) -> None:
        self._owner.open += 1
        try:
            for step in self._script:
                await asyncio.sleep(0)
                match step:
                    case str():
                        self._event_ch.send_nowait(words(step))
                    case llm.ChatChunk():
                        self._event_ch.send_nowait(step)
                    case float():
                        await asyncio.sleep(step)
                    case Exception():
                        raise step
                    case Forever():
                        await asyncio.Event().wait()
        finally:
            self._owner.open -= 1


def words(text: str) -> llm.ChatChunk:
    return llm.ChatChunk(id="1", delta=llm.ChoiceDelta(role="assistant", content=text))


def counted(tokens: int) -> llm.ChatChunk:
    usage = llm.CompletionUsage(completion_tokens=1, prompt_tokens=tokens - 1, total_tokens=tokens)
    return llm.ChatChunk(id="1", usage=usage)


def tool_call(name: str) -> llm.ChatChunk:
    call = llm.FunctionToolCall(name=name, arguments="{}", call_id="1")
    return llm.ChatChunk(id="1", delta=llm.ChoiceDelta(role="assistant", tool_calls=[call]))


@dataclass(frozen=True)
class Sound:
    """Seconds of a tone, or of silence."""

    seconds: float
    peak: int = 8_000

    def pcm(self, rate: int) -> bytes:
        steps = np.arange(int(self.seconds * rate)) * (2 * np.pi * 220 / rate)
        return bytes((np.sin(steps) * self.peak).astype(np.int16).tobytes())


@dataclass(frozen=True)
class Tokens:
    read: int
    written: int


VoiceStep = Sound | Tokens | float | Exception | Forever


class Voice(tts.TTS[str]):
    """Goes through the steps of one request after the other: sound, seconds without, an error."""

    def __init__(
        self, name: str, *scripts: Sequence[VoiceStep], rate: int = 24_000, provider: str = HOST
    ) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False), sample_rate=rate, num_channels=1
        )
        self._label = f"label of {name}"
        self._name = name
        self._provider = provider
        self.scripts = list(scripts)
        self.asked: list[str] = []
        self.retries: list[int] = []
        self.open = 0
        self.is_closed = False
        self.is_warm = False

    @property
    def model(self) -> str:
        return self._name

    @property
    def provider(self) -> str:
        return self._provider

    def prewarm(self) -> None:
        self.is_warm = True

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> "Speech":
        self.asked.append(text)
        self.retries.append(conn_options.max_retry)
        return Speech(self, self.scripts.pop(0) if self.scripts else (), text, conn_options)

    async def aclose(self) -> None:
        self.is_closed = True


class Speech(tts.ChunkedStream):
    def __init__(
        self, owner: Voice, script: Sequence[VoiceStep], text: str, conn_options: APIConnectOptions
    ) -> None:
        super().__init__(tts=owner, input_text=text, conn_options=conn_options)
        self._owner = owner
        self._script = script

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        rate = self._owner.sample_rate
        self._owner.open += 1
        try:
            output_emitter.initialize(
                request_id="1", sample_rate=rate, num_channels=1, mime_type="audio/pcm"
            )
            for step in self._script:
                match step:
                    case Sound():
                        output_emitter.push(step.pcm(rate))
                        output_emitter.flush()
                        await settled()  # so that it is on its way before anything else happens
                    case Tokens(read, written):
                        self._set_token_usage(input_tokens=read, output_tokens=written)
                    case float():
                        await asyncio.sleep(step)
                    case Exception():
                        raise step
                    case Forever():
                        await asyncio.Event().wait()
        finally:
            self._owner.open -= 1


Kind = stt.SpeechEventType


def heard(text: str, request_id: str = "", kind: Kind = Kind.FINAL_TRANSCRIPT) -> stt.SpeechEvent:
    return stt.SpeechEvent(
        kind, request_id=request_id, alternatives=[stt.SpeechData(LanguageCode("en"), text)]
    )


def nothing_heard() -> stt.SpeechEvent:
    """As a server counts what had no words in it."""
    return stt.SpeechEvent(
        Kind.RECOGNITION_USAGE, recognition_usage=stt.RecognitionUsage(audio_duration=1.0)
    )


class Ears(stt.STT[str]):
    """Each stream of them follows a test's orders, or fails at once with the next of `fails`."""

    def __init__(
        self,
        name: str,
        *,
        fails: Sequence[Exception] = (),
        always: Callable[[], Exception] | None = None,
        provider: str = HOST,
    ) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self._label = f"label of {name}"
        self._name = name
        self._provider = provider
        self.fails = list(fails)
        self.always = always
        self.streams: list[Listening] = []
        self.retries: list[int] = []
        self.open = 0
        self.is_closed = False

    @property
    def model(self) -> str:
        return self._name

    @property
    def provider(self) -> str:
        return self._provider

    @property
    def newest(self) -> "Listening":
        return self.streams[-1]

    async def _recognize_impl(
        self, buffer: utils.AudioBuffer, *, language: Any = NOT_GIVEN, conn_options: Any
    ) -> stt.SpeechEvent:
        raise AssertionError("a call listens to streams")

    def stream(
        self,
        *,
        language: Any = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> "Listening":
        self.retries.append(conn_options.max_retry)
        self.streams.append(Listening(self, conn_options))
        return self.streams[-1]

    async def aclose(self) -> None:
        self.is_closed = True


class Listening(stt.RecognizeStream):
    """Notes what it is given; says and does what it is told to."""

    def __init__(self, owner: Ears, conn_options: APIConnectOptions) -> None:
        super().__init__(stt=owner, conn_options=conn_options)
        self._owner = owner
        self._orders: asyncio.Queue[stt.SpeechEvent | Exception | None] = asyncio.Queue()
        self.frames: list[rtc.AudioFrame] = []
        self.has_all = False
        """The input has ended."""

    def say(self, *events: stt.SpeechEvent) -> None:
        for event in events:
            self._orders.put_nowait(event)

    def fail(self, error: Exception) -> None:
        self._orders.put_nowait(error)

    def end(self) -> None:
        self._orders.put_nowait(None)

    @property
    def numbers(self) -> list[int]:
        """Of the frames it was given; see `numbered`."""
        return [int.from_bytes(bytes(frame.data.cast("b"))[:2], "little") for frame in self.frames]

    async def _run(self) -> None:
        owner = self._owner
        owner.open += 1
        listening = asyncio.create_task(self._listen())
        try:
            if owner.fails:
                raise owner.fails.pop(0)
            if owner.always is not None:
                raise owner.always()
            while (order := await self._orders.get()) is not None:
                if isinstance(order, Exception):
                    raise order
                self._event_ch.send_nowait(order)
        finally:
            owner.open -= 1
            await utils.aio.cancel_and_wait(listening)

    async def _listen(self) -> None:
        async for item in self._input_ch:
            if isinstance(item, rtc.AudioFrame):
                self.frames.append(item)
        self.has_all = True
        self.end()


FRAME_SECONDS = 0.125
"""Adds up without rounding."""


def numbered(number: int) -> rtc.AudioFrame:
    """Sound that can be told from others."""
    samples = int(16_000 * FRAME_SECONDS)
    return rtc.AudioFrame(number.to_bytes(2, "little") * samples, 16_000, 1, samples)

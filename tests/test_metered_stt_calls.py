"""Paid hearing as a call uses it: over the real plugin, by local ears, and in LiveKit's session."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import (
    Agent,
    AgentSession,
    APIConnectOptions,
    APIError,
    ErrorEvent,
    UserInputTranscribedEvent,
    io,
    stt,
)
from livekit.agents.metrics import STTMetrics
from livekit.agents.utils import http_context
from livekit.agents.voice.agent_session import SessionConnectOptions
from purse_fakes import RecordingPurse
from pydantic import SecretStr
from speech_fakes import WINDOW_SECONDS, ScriptedSpeech, ScriptedVAD, sound

from agent.models.local.stt import LocalSTT
from agent.models.metered_stt import MeteredSTT
from agent.models.openai import openai_stt
from agent.models.refused import Refused
from agent.settings import SttSettings
from bench.provider import BreakOff, Hearing, Refusal, Script, ScriptedProvider
from session.usage import ModelUsed, Usage

Kind = stt.SpeechEventType

ONCE = APIConnectOptions(max_retry=0, timeout=1)
TWICE = APIConnectOptions(max_retry=1, retry_interval=0.01, timeout=1)
MODEL = "gpt-4o-mini-transcribe"
LIVE_MODEL = "gpt-live-transcribe"
UTTERANCE_MODEL = "gpt-transcribe"


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    models = (MODEL, LIVE_MODEL, UTTERANCE_MODEL)
    async with (
        http_context.open(),
        ScriptedProvider(
            ScriptedSpeech(), Script(models=models), detector=ScriptedVAD()
        ) as serving,
    ):
        yield serving


@asynccontextmanager
async def real(
    provider: ScriptedProvider, model: str, *, realtime: bool
) -> AsyncIterator[stt.STT[str]]:
    settings = SttSettings(base_url=provider.base_url, model=model, realtime=realtime)
    ears: Any = openai_stt(settings, SecretStr("sk-any"), "en", ScriptedVAD())
    try:
        yield ears
    finally:
        await ears.aclose()
        await ears._client.close()  # which the plugin leaves open


SILENCE = 200
"""Not 0: a resampler makes it negative here and there, which would be loud."""


def spoken() -> list[rtc.AudioFrame]:
    """An utterance of a second, and silence around it."""
    levels = [SILENCE] * 10 + [1000] * 31 + [SILENCE] * 40
    return [sound(WINDOW_SECONDS, level) for level in levels]


async def until_told(stream: stt.RecognizeStream) -> list[stt.SpeechEvent]:
    events = []
    async with asyncio.timeout(10):
        async for event in stream:
            events.append(event)
            if event.type is Kind.RECOGNITION_USAGE:
                break
    return events


async def test_over_the_real_plugin_the_providers_tokens_are_settled(
    provider: ScriptedProvider,
) -> None:
    """Each utterance's, with the minute that they were told in."""
    provider.script.stt = lambda _: Hearing("Good morning.")
    purse = RecordingPurse()
    measured: list[STTMetrics] = []
    async with (
        real(provider, MODEL, realtime=True) as ears,
        MeteredSTT(ears, purse) as paying,
    ):
        paying.on("metrics_collected", measured.append)
        async with paying.stream(conn_options=ONCE) as stream:
            for frame in spoken():
                stream.push_frame(frame)
                await asyncio.sleep(0.01)
            events = await until_told(stream)
    kinds = [event.type for event in events if event.type is not Kind.INTERIM_TRANSCRIPT]
    assert kinds[-2:] == [Kind.FINAL_TRANSCRIPT, Kind.RECOGNITION_USAGE]
    (tokens,) = [one.recognition_usage for one in events if one.recognition_usage]
    used, is_estimate = purse.only()
    assert used.input_tokens >= tokens.input_tokens > 0
    assert used.output_tokens >= tokens.output_tokens > 0
    assert 2 < used.audio_seconds < 3
    assert is_estimate  # it was cut short
    assert sum(one.input_tokens for one in measured) == tokens.input_tokens
    assert any(one.acquire_time > 0 for one in measured)


async def test_over_the_real_plugin_options_reach_an_open_stream(
    provider: ScriptedProvider,
) -> None:
    """In which nothing is interrupted."""
    async with (
        real(provider, LIVE_MODEL, realtime=True) as ears,
        MeteredSTT(ears, RecordingPurse()) as paying,
        paying.stream(conn_options=ONCE) as stream,
    ):
        assert isinstance(paying, MeteredSTT)
        stream.push_frame(sound(WINDOW_SECONDS, SILENCE))
        asked = await provider.wait_for("stt")
        async with asyncio.timeout(5):
            while "'en'" not in str(asked.body):
                await asyncio.sleep(0.01)
            paying.update_options(language="de")
            while "'de'" not in str(asked.body):
                await asyncio.sleep(0.01)
    assert len(provider.asked("stt")) == 1


async def test_over_the_real_plugin_nobody_is_asked_without_money(
    provider: ScriptedProvider,
) -> None:
    """Not even a connection is opened."""
    purse = RecordingPurse(pays_for=0)
    async with (
        real(provider, LIVE_MODEL, realtime=True) as ears,
        MeteredSTT(ears, purse) as paying,
    ):
        stream = paying.stream(conn_options=TWICE)
        stream.push_frame(sound(1.0))
        async with stream, asyncio.timeout(5):
            with pytest.raises(Refused):
                await anext(stream)
    assert provider.asked("stt") == []


async def recognised(ears: stt.STT[str]) -> str:
    event = await ears.recognize(sound(2.0), conn_options=ONCE)
    return event.alternatives[0].text


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [(None, 2.0), (Refusal.wrong_key(), 0.0), (BreakOff(), 0.0)],
    ids=["heard", "wrong key", "broken off"],
)
async def test_over_the_real_plugin_an_utterance_is_paid_for(
    provider: ScriptedProvider, fault: Any, seconds: float
) -> None:
    """By its seconds: the provider counts nothing."""
    provider.script.stt = lambda _: Hearing("Hello.", fault=fault)
    purse = RecordingPurse()
    async with (
        real(provider, UTTERANCE_MODEL, realtime=False) as ears,
        MeteredSTT(ears, purse) as paying,
    ):
        assert not paying.capabilities.streaming
        if fault is None:
            assert await recognised(paying) == "Hello."
        else:
            with pytest.raises(APIError):
                await recognised(paying)
    host = provider.site_url.removeprefix("http://")
    assert purse.asked == [(ModelUsed("stt", host, UTTERANCE_MODEL), Usage(audio_seconds=2.0))]
    assert purse.only() == (Usage(audio_seconds=seconds), fault is not None)


class Microphone(io.AudioInput):
    """Faster than life; when all is said it hears silence."""

    def __init__(self, frames: Sequence[rtc.AudioFrame]) -> None:
        super().__init__(label="microphone")
        self._frames = iter(frames)
        self._silence = sound(WINDOW_SECONDS, SILENCE)

    async def __anext__(self) -> rtc.AudioFrame:
        await asyncio.sleep(0.003)
        return next(self._frames, self._silence)


Wrap = Callable[[stt.STT[str]], stt.STT[str]]


def bare(ears: stt.STT[str]) -> stt.STT[str]:
    return ears


def paid(ears: stt.STT[str]) -> stt.STT[str]:
    return MeteredSTT(ears, RecordingPurse())


class Heard:
    """What a session says that it hears."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.measured: list[STTMetrics] = []
        self.errors: list[ErrorEvent] = []
        self.usage: list[dict[str, Any]] = []


async def hear_in_a_session(
    ears: stt.STT[str], until: Callable[[Heard], bool], frames: Sequence[rtc.AudioFrame]
) -> Heard:
    """As in a call: the session gives the microphone's sound to its ears."""
    found = Heard()
    session: AgentSession[None] = AgentSession(
        stt=ears,
        vad=ScriptedVAD(),
        turn_handling={"turn_detection": None},
        conn_options=SessionConnectOptions(stt_conn_options=TWICE),
        session_close_transcript_timeout=0,
    )

    def hear(event: UserInputTranscribedEvent) -> None:
        if event.is_final:
            found.words.append(event.transcript)

    ears.on("metrics_collected", found.measured.append)
    session.on("user_input_transcribed", hear)
    session.on("error", found.errors.append)
    session.input.audio = Microphone(frames)
    await session.start(Agent(instructions="You are June."))
    try:
        async with asyncio.timeout(10):
            while not until(found):
                await asyncio.sleep(0.01)
        found.usage = [used.model_dump() for used in session.usage.model_usage]
    finally:
        await session.aclose()
    return found


Make = Callable[[ScriptedProvider], AbstractAsyncContextManager[stt.STT[str]]]


@asynccontextmanager
async def local_ears(_: ScriptedProvider) -> AsyncIterator[stt.STT[str]]:
    yield LocalSTT(ScriptedSpeech(), ScriptedVAD())


def ears_of_utterances(
    provider: ScriptedProvider,
) -> AbstractAsyncContextManager[stt.STT[str]]:
    return real(provider, UTTERANCE_MODEL, realtime=False)


@pytest.mark.parametrize("make", [local_ears, ears_of_utterances])
async def test_a_session_hears_and_measures_the_same_with_it_and_without(
    provider: ScriptedProvider, make: Make
) -> None:
    """Words by words, counted once."""
    provider.script.stt = lambda _: Hearing("Good morning.")
    found = []
    for wrap in (bare, paid):
        async with make(provider) as ears:
            found.append(
                await hear_in_a_session(
                    wrap(ears),
                    lambda heard: len(heard.words) == 2 and len(heard.measured) >= 2,
                    [*spoken(), *spoken()],
                )
            )
    one, other = found
    assert one.words == other.words
    assert one.usage == other.usage
    assert len(one.usage) == 1
    measured = [
        [told.model_dump(exclude={"timestamp", "duration"}) for told in one.measured]
        for one in found
    ]
    assert measured[0] == measured[1]
    assert one.errors == other.errors == []


@pytest.mark.parametrize("realtime", [False, True])
async def test_a_session_sees_the_same_errors_with_it_and_without(
    provider: ScriptedProvider, realtime: bool
) -> None:
    """Each attempt's once, and after the last one a new stream of ears."""
    provider.script.stt = lambda _: Hearing(fault=Refusal.server_error())
    model = LIVE_MODEL if realtime else UTTERANCE_MODEL
    found = []
    for wrap in (bare, paid):
        async with real(provider, model, realtime=realtime) as ears:
            heard = await hear_in_a_session(
                wrap(ears), lambda heard: len(heard.errors) >= 3, spoken() * 4
            )
            found.append(
                [
                    (one.error.label, one.error.recoverable, type(one.error.error))
                    for one in heard.errors
                ][:3]
            )
    assert found[0] == found[1]
    assert [recoverable for _, recoverable, _ in found[0]] == [True, False, True]


async def test_local_ears_are_local() -> None:
    """So that their work costs nothing."""
    purse = RecordingPurse()
    ears = MeteredSTT(LocalSTT(ScriptedSpeech(), ScriptedVAD()), purse)
    await hear_in_a_session(ears, lambda heard: len(heard.words) == 1, spoken())
    assert {asked[0] for asked in purse.asked} == {ModelUsed("stt", "local", "moonshine-tiny-en")}
    assert len(purse.settled) == 1

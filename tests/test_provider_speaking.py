"""Speech by the scripted provider, as LiveKit's own plugin for OpenAI hears it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from livekit import rtc
from livekit.agents import APIConnectOptions, APIError, metrics
from livekit.plugins import openai
from speech_fakes import ScriptedVAD

from agent.models.local.engine import HEARING_RATE, LocalSpeech
from bench.provider import (
    BreakOff,
    Empty,
    Ending,
    ErrorEvent,
    Garbage,
    Hang,
    OddBytes,
    Refusal,
    ScriptedProvider,
    Silence,
    Speaking,
    SpeakingFault,
    WrongAnswer,
    WrongRate,
)

ONCE = APIConnectOptions(max_retry=0, timeout=2)
MODELS = ("gpt-4o-mini-tts", "tts-1")
"""The plugin asks the first for events, and the second for bare sound."""

TEXT = "Hello there, it is a lovely day."


@pytest.fixture(scope="module")
async def speech() -> AsyncIterator[LocalSpeech]:
    async with LocalSpeech(threads=1) as speech:
        yield speech


@pytest.fixture
async def provider(speech: LocalSpeech) -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(speech, detector=ScriptedVAD()) as provider:
        provider.script.models = MODELS
        yield provider


def voice(provider: ScriptedProvider, model: str = MODELS[0], kind: str = "pcm") -> openai.TTS:
    return openai.TTS(
        model=model, response_format=kind, base_url=provider.base_url, api_key="sk-any"
    )


async def spoken(voice: openai.TTS, text: str = TEXT) -> rtc.AudioFrame:
    async with voice, voice.synthesize(text, conn_options=ONCE) as stream:
        return await stream.collect()


def peak(sound: rtc.AudioFrame) -> int:
    return max(map(abs, sound.data))


@pytest.mark.parametrize("kind", ["pcm", "wav"])
@pytest.mark.parametrize("model", MODELS)
async def test_the_plugin_hears_pipers_words(
    provider: ScriptedProvider, speech: LocalSpeech, model: str, kind: str
) -> None:
    """In each format, with events and without."""
    sound = await spoken(voice(provider, model, kind))

    ears = rtc.AudioResampler(24_000, HEARING_RATE)
    pcm = b"".join(bytes(part.data.cast("b")) for part in [*ears.push(sound), *ears.flush()])
    assert (await speech.transcribe(pcm, final=True)).lower().startswith("hello there")
    (asked,) = provider.asked("tts")
    assert await asked.over() is Ending.COMPLETED
    assert asked.sound_seconds == pytest.approx(sound.duration, abs=0.1)
    assert (asked.body["input"], asked.body["voice"]) == (TEXT, "ash")


async def test_the_cost_is_told_where_there_is_a_place_for_it(provider: ScriptedProvider) -> None:
    """With the last event."""
    told: list[metrics.TTSMetrics] = []
    speaking = voice(provider)
    speaking.on("metrics_collected", told.append)
    await spoken(speaking)
    assert told[0].input_tokens > 5
    assert told[0].output_tokens > 20


async def test_the_first_sound_and_the_rest_come_when_they_are_due(
    provider: ScriptedProvider,
) -> None:
    """The first after so long, the rest so much faster than they play."""
    provider.script.tts = [Speaking(first_audio_seconds=0.4, times_realtime=4)]
    await spoken(voice(provider))
    (asked,) = provider.asked("tts")
    assert asked.first_at is not None
    assert asked.ended_at is not None
    assert 0.4 <= asked.first_at - asked.at < 1.5
    seconds = asked.ended_at - asked.first_at
    assert asked.sound_seconds / 4 - 0.1 < seconds < asked.sound_seconds


async def test_silence_is_sound(provider: ScriptedProvider) -> None:
    """The plugin is content; nobody hears a word."""
    provider.script.tts = [Speaking(fault=Silence(0.5))]
    sound = await spoken(voice(provider))
    assert peak(sound) == 0
    assert sound.duration == pytest.approx(0.5, abs=0.05)


async def received(provider: ScriptedProvider) -> list[bytes]:
    """The sound as it came, an event each."""
    body = {"model": MODELS[0], "input": TEXT, "response_format": "pcm", "stream_format": "sse"}
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{provider.base_url}/audio/speech", json=body) as response,
    ):
        events = [json.loads(line[6:]) async for line in response.content if line.strip()]
    return [base64.b64decode(event["audio"]) for event in events if "audio" in event]


async def test_sound_may_have_half_a_sample_too_few(provider: ScriptedProvider) -> None:
    """In its chunks, and as a whole; put together, nearly all of it is there."""
    whole = await received(provider)
    provider.script.tts = [Speaking(fault=OddBytes())]
    odd = await received(provider)
    assert {len(chunk) % 2 for chunk in whole} == {0}
    assert {len(chunk) % 2 for chunk in odd[:-1]} == {1}
    assert len(b"".join(odd)) % 2 == 1
    assert len(b"".join(odd)) == pytest.approx(len(b"".join(whole)), rel=0.1)
    assert provider.journal[1].ending is Ending.FAULT


async def test_sound_at_another_rate_is_shorter(provider: ScriptedProvider) -> None:
    """The plugin plays it as it always does, one and a half times too fast."""
    right = await spoken(voice(provider))
    provider.script.tts = [Speaking(fault=WrongRate(sample_rate=16_000))]
    fast = await spoken(voice(provider))
    assert fast.sample_rate == right.sample_rate
    assert fast.duration == pytest.approx(right.duration * 16 / 24, rel=0.1)
    assert provider.journal[1].ending is Ending.FAULT


FAILING: list[SpeakingFault] = [
    Refusal.rate_limited(),
    Refusal.rate_limited(None),
    Hang(after_seconds=0),
    BreakOff(),
    BreakOff(after_seconds=0),
    BreakOff(after_chunks=3),
    Empty(),
]


@pytest.mark.parametrize(
    "fault",
    [
        # The plugin waits for 30 s, whatever it is told.
        pytest.param(fault, marks=[pytest.mark.slow] if isinstance(fault, Hang) else [])
        for fault in FAILING
    ],
)
@pytest.mark.parametrize("model", MODELS)
async def test_a_fault_is_an_error_to_the_plugin(
    provider: ScriptedProvider, model: str, fault: SpeakingFault
) -> None:
    """One that could be tried again."""
    provider.script.tts = [Speaking(fault=fault)]
    with pytest.raises(APIError) as failed:
        await spoken(voice(provider, model))
    assert failed.value.retryable
    assert await provider.journal[0].over() is Ending.FAULT


async def test_the_plugin_plays_a_web_page_as_a_crack(provider: ScriptedProvider) -> None:
    """Without any error: whoever uses it must look at what it is given."""
    provider.script.tts = [Speaking(fault=WrongAnswer())]
    sound = await spoken(voice(provider))
    assert sound.duration < 0.05
    assert peak(sound) > 10_000


async def test_the_plugin_takes_an_error_between_the_sounds_for_the_end(
    provider: ScriptedProvider,
) -> None:
    """Without any error, again."""
    provider.script.tts = [Speaking(fault=ErrorEvent(after_chunks=2))]
    assert (await spoken(voice(provider))).duration == pytest.approx(0.2, abs=0.05)


async def test_the_plugin_takes_garbage_between_the_sounds_for_nothing(
    provider: ScriptedProvider,
) -> None:
    """Without any error as well; in bare sound it is bytes like others."""
    for model in MODELS:
        provider.script.tts = [Speaking(fault=Garbage(after_chunks=2))]
        sound = await spoken(voice(provider, model))
        assert sound.duration == pytest.approx(0.2, abs=0.05)
        assert provider.journal[-1].ending is Ending.FAULT


async def test_a_format_that_is_not_there_is_refused(provider: ScriptedProvider) -> None:
    """`mp3` is what the plugin asks for when it is not told."""
    body = {"model": MODELS[0], "input": "Hello", "voice": "ash", "response_format": "mp3"}
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{provider.base_url}/audio/speech", json=body) as response,
    ):
        assert response.status == 400


async def test_speech_that_nobody_listens_to_is_cancelled(provider: ScriptedProvider) -> None:
    """As when the caller interrupts."""
    provider.script.tts = [Speaking(times_realtime=1)]
    before = asyncio.all_tasks()
    async with voice(provider) as speaking:
        async with speaking.synthesize("Word after word. " * 10, conn_options=ONCE) as stream:
            await anext(stream)
        (asked,) = provider.asked("tts")
        assert await asked.over() is Ending.CANCELLED
    assert 0 < asked.sound_seconds < 1.0
    assert {task for task in asyncio.all_tasks() - before if "provider" in repr(task)} == set()

"""Hearing by the scripted provider, as LiveKit's own plugin for OpenAI uses it."""

import asyncio
import base64
import itertools
import time
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from livekit import rtc
from livekit.agents import APIConnectOptions, APIError, APIStatusError, stt, utils
from livekit.plugins import openai
from moonshine_voice.utils import get_assets_path

from agent.models.local.engine import LocalSpeech
from agent.turns import load_vad
from bench.provider import (
    BreakOff,
    Empty,
    Ending,
    ErrorEvent,
    FinalTwice,
    Garbage,
    Hang,
    Hearing,
    HearingFault,
    NoFinal,
    Refusal,
    Script,
    ScriptedProvider,
    WrongAnswer,
)

Kind = stt.SpeechEventType

ONCE = APIConnectOptions(max_retry=0, timeout=1)
AGAIN = APIConnectOptions(max_retry=3, retry_interval=0.1, timeout=1)

MODEL, COMMITTING_MODEL = "gpt-4o-mini-transcribe", "gpt-live-transcribe"
MODELS = (MODEL, COMMITTING_MODEL, "whisper-1")

TICK_SECONDS = 0.05


@pytest.fixture(scope="module")
async def speech() -> AsyncIterator[LocalSpeech]:
    async with LocalSpeech(threads=1) as speech:
        yield speech


@pytest.fixture
async def provider(speech: LocalSpeech) -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(speech, Script(models=MODELS)) as provider:
        yield provider


def recorded(name: str, seconds: float, *, silence: float = 0.0) -> rtc.AudioFrame:
    """The beginning of a recording, and silence after it."""
    with wave.open(str(Path(get_assets_path()) / f"{name}.wav")) as file:
        rate = file.getframerate()
        pcm = file.readframes(int(rate * seconds)) + bytes(2 * int(rate * silence))
    return rtc.AudioFrame(pcm, rate, 1, len(pcm) // 2)


SENTENCE = recorded("two_cities", 2.7, silence=0.6)
"""It was the best of times, it …"""
TWO_WORDS = recorded("beckett", 1.6, silence=0.6)
"""Ever tried."""


class Call:
    """A caller who is heard by the plugin, in real time."""

    def __init__(self, ears: stt.STT[Any], stream: stt.RecognizeStream) -> None:
        self._ears = ears
        self.stream = stream
        self.events: list[stt.SpeechEvent] = []
        self.errors: list[bool] = []
        """Whether each was recoverable."""
        ears.on("error", lambda error: self.errors.append(error.recoverable))

    async def says(self, sound: rtc.AudioFrame) -> None:
        step = int(sound.sample_rate * TICK_SECONDS)
        began = time.monotonic()
        for number, start in enumerate(range(0, sound.samples_per_channel, step), 1):
            part = bytes(sound.data[start : start + step].cast("b"))
            self.stream.push_frame(rtc.AudioFrame(part, sound.sample_rate, 1, len(part) // 2))
            await asyncio.sleep(began + number * TICK_SECONDS - time.monotonic())

    async def hears(self, kind: Kind) -> stt.SpeechEvent:
        """The next event of this kind."""
        async with asyncio.timeout(8):
            async for event in self.stream:
                self.events.append(event)
                if event.type is kind:
                    return event
        raise AssertionError(f"no {kind} came")

    def texts(self, kind: Kind) -> list[str]:
        return [event.alternatives[0].text for event in self.events if event.type is kind]


@asynccontextmanager
async def calling(
    provider: ScriptedProvider, model: str = MODEL, options: APIConnectOptions = ONCE
) -> AsyncIterator[Call]:
    async with (
        utils.http_context.open(),
        openai.STT(
            model=model, base_url=provider.base_url, api_key="sk-any", use_realtime=True
        ) as ears,
        ears.stream(conn_options=options) as stream,
    ):
        yield Call(ears, stream)


async def test_words_come_while_the_caller_speaks(provider: ScriptedProvider) -> None:
    """Each interim goes on where the last one ended; then the end, the words, their cost."""
    before = asyncio.all_tasks()
    async with calling(provider) as call:
        await call.says(SENTENCE)
        await call.hears(Kind.RECOGNITION_USAGE)
    kinds = [event.type for event in call.events if event.type is not Kind.INTERIM_TRANSCRIPT]
    assert kinds == [
        Kind.START_OF_SPEECH,
        Kind.END_OF_SPEECH,
        Kind.FINAL_TRANSCRIPT,
        Kind.RECOGNITION_USAGE,
    ]
    first = next(n for n, event in enumerate(call.events) if event.type is Kind.INTERIM_TRANSCRIPT)
    assert first < [event.type for event in call.events].index(Kind.END_OF_SPEECH)
    interims = call.texts(Kind.INTERIM_TRANSCRIPT)
    assert interims
    assert all(longer.startswith(short) for short, longer in itertools.pairwise(interims))
    (final,) = call.texts(Kind.FINAL_TRANSCRIPT)
    assert "best of times" in final
    usage = call.events[-1].recognition_usage
    assert usage is not None
    assert 1.5 < usage.audio_duration < SENTENCE.duration
    assert usage.input_tokens > 15

    (asked,) = provider.asked("stt")
    assert await asked.over() is Ending.COMPLETED
    assert asked.text == final
    assert asked.sound_seconds == pytest.approx(SENTENCE.duration, abs=0.2)
    assert asked.body["audio"]["input"]["transcription"] == {"model": MODEL, "language": "en"}
    assert {task for task in asyncio.all_tasks() - before if "provider" in repr(task)} == set()


async def test_the_client_says_where_an_utterance_ends(provider: ScriptedProvider) -> None:
    """With the models that want it so: words come while the caller speaks, the final on commit."""
    async with calling(provider, COMMITTING_MODEL) as call:
        for _ in range(2):
            await call.says(TWO_WORDS)
            await call.hears(Kind.FINAL_TRANSCRIPT)
    finals = call.texts(Kind.FINAL_TRANSCRIPT)
    assert all("ever" in final.lower() for final in finals)
    assert call.texts(Kind.INTERIM_TRANSCRIPT)
    (asked,) = provider.asked("stt")
    assert asked.text == " ".join(finals)
    assert asked.body["audio"]["input"]["turn_detection"] is None


async def test_a_script_may_say_what_is_heard_and_when(provider: ScriptedProvider) -> None:
    """So long after the end of speech, and not a word before it."""
    take = Hearing("What time is it in Tokyo?", delay_seconds=0.5, interims=False)
    provider.script.stt = [take]
    async with calling(provider) as call:
        saying = asyncio.create_task(call.says(TWO_WORDS))
        await call.hears(Kind.END_OF_SPEECH)
        assert call.texts(Kind.INTERIM_TRANSCRIPT) == []
        ended = time.monotonic()
        await call.hears(Kind.FINAL_TRANSCRIPT)
        assert time.monotonic() - ended > 0.4
        await saying
    assert call.texts(Kind.FINAL_TRANSCRIPT) == [take.text]


async def test_a_dropped_socket_is_replaced_and_what_it_had_heard_is_lost(
    provider: ScriptedProvider,
) -> None:
    """The plugin ends the utterance without a word, and the next connection hears the next one."""
    provider.script.stt = [Hearing("Lost.", fault=BreakOff(after_seconds=1.0)), Hearing("Found.")]
    async with calling(provider, options=AGAIN) as call:
        await call.says(recorded("beckett", 1.1))
        await provider.wait_for("stt", 2)
        await call.says(TWO_WORDS)
        await call.hears(Kind.FINAL_TRANSCRIPT)
    assert call.texts(Kind.FINAL_TRANSCRIPT) == ["Found."]
    assert call.errors == [True]
    first, second = provider.asked("stt")
    assert await first.over() is Ending.FAULT
    assert first.sound_seconds == pytest.approx(1.0, abs=0.11)
    assert await second.over() is Ending.COMPLETED


REFUSED: list[HearingFault] = [Refusal.server_error(503), WrongAnswer(), Hang(), BreakOff()]


@pytest.mark.parametrize("fault", REFUSED)
async def test_the_plugin_gives_up_for_good_if_the_socket_cannot_be_opened(
    provider: ScriptedProvider, fault: HearingFault
) -> None:
    """What it raises is no `APIError`: LiveKit tries no more, and the call is deaf from then on."""
    # A connection that breaks before an answer is tried once more by aiohttp, and only by it.
    provider.script.stt = [Hearing(fault=fault)] * 2
    async with calling(provider, options=AGAIN) as call:
        with pytest.raises((aiohttp.ClientError, TimeoutError)) as failed:
            await call.hears(Kind.START_OF_SPEECH)
    assert not isinstance(failed.value, APIError)
    assert call.errors == [False]
    assert len(provider.asked("stt")) == (2 if isinstance(fault, BreakOff) else 1)
    assert {await asked.over() for asked in provider.asked("stt")} == {Ending.FAULT}


async def test_an_error_event_is_an_error_that_is_not_tried_again(
    provider: ScriptedProvider,
) -> None:
    """Whatever the error says."""
    provider.script.stt = [Hearing(fault=ErrorEvent("Rate limit reached.", "rate_limit_error"))]
    async with calling(provider, options=AGAIN) as call:
        with pytest.raises(APIError, match="Rate limit reached") as failed:
            await call.hears(Kind.START_OF_SPEECH)
    assert not failed.value.retryable
    assert len(provider.asked("stt")) == 1


async def test_ears_may_never_say_a_word(provider: ScriptedProvider) -> None:
    """The connection stands, sound is taken, and the plugin notices nothing."""
    provider.script.stt = [Hearing(fault=Hang(after_seconds=0))]
    async with calling(provider) as call:
        await call.says(recorded("beckett", 0.6))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await call.hears(Kind.START_OF_SPEECH)
    assert call.errors == []
    (asked,) = provider.asked("stt")
    assert await asked.over() is Ending.FAULT
    assert asked.sound_seconds > 0.5


async def test_ears_that_hear_nothing_say_that_somebody_spoke(provider: ScriptedProvider) -> None:
    """A beginning, an end, and no words."""
    provider.script.stt = [Hearing(fault=Empty())]
    async with calling(provider) as call:
        await call.says(TWO_WORDS)
        await call.hears(Kind.RECOGNITION_USAGE)
    kinds = [event.type for event in call.events]
    assert kinds == [Kind.START_OF_SPEECH, Kind.END_OF_SPEECH, Kind.RECOGNITION_USAGE]


@pytest.mark.parametrize("interims", [True, False])
async def test_final_words_may_never_come(provider: ScriptedProvider, interims: bool) -> None:
    """With interims before them or without any word; that somebody spoke is said."""
    provider.script.stt = [Hearing("What time is it?", interims=interims, fault=NoFinal())]
    async with calling(provider) as call:
        await call.says(SENTENCE)
        await call.hears(Kind.END_OF_SPEECH)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await call.hears(Kind.RECOGNITION_USAGE)
    assert bool(call.texts(Kind.INTERIM_TRANSCRIPT)) is interims
    assert call.texts(Kind.FINAL_TRANSCRIPT) == []
    assert await provider.asked("stt")[0].over() is Ending.FAULT


@pytest.mark.parametrize("model", [MODEL, COMMITTING_MODEL])
async def test_final_words_may_come_twice(provider: ScriptedProvider, model: str) -> None:
    """And the plugin passes both on."""
    provider.script.stt = [Hearing("What time is it?", fault=FinalTwice())]
    async with calling(provider, model) as call:
        await call.says(TWO_WORDS)
        await call.hears(Kind.FINAL_TRANSCRIPT)
        await call.hears(Kind.FINAL_TRANSCRIPT)
    assert call.texts(Kind.FINAL_TRANSCRIPT) == ["What time is it?"] * 2
    assert await provider.asked("stt")[0].over() is Ending.FAULT


async def test_ears_may_talk_nonsense(
    provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """The plugin writes each down as an exception, and goes on as deaf as before."""
    provider.script.stt = [Hearing("What time is it?", fault=Garbage(after_seconds=0.2))]
    async with calling(provider) as call:
        await call.says(TWO_WORDS)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await call.hears(Kind.FINAL_TRANSCRIPT)
    assert (call.events, call.errors) == ([], [])
    assert "failed to process OpenAI message" in caplog.text
    assert await provider.asked("stt")[0].over() is Ending.FAULT


async def test_events_that_make_no_sense_are_answered_with_errors(
    provider: ScriptedProvider,
) -> None:
    """And the connection stays."""
    unknown_model = {
        "type": "transcription",
        "audio": {"input": {"transcription": {"model": "whisper-0"}}},
    }
    events: list[Any] = [
        [],
        {"type": "dance"},
        {"type": "input_audio_buffer.commit"},
        {"type": "input_audio_buffer.append", "audio": "*"},
        {"type": "session.update", "session": {"type": "realtime"}},
        {"type": "session.update", "session": unknown_model},
    ]
    address = f"{provider.base_url}/realtime?intent=transcription"
    async with aiohttp.ClientSession() as client, client.ws_connect(address) as socket:
        assert (await socket.receive_json())["type"] == "session.created"
        codes = []
        for event in events:
            await socket.send_json(event)
            answer = await socket.receive_json()
            assert answer["type"] == "error"
            codes.append(answer["error"]["code"])
        await socket.send_json({"type": "input_audio_buffer.clear"})
        assert (await socket.receive_json())["type"] == "input_audio_buffer.cleared"
    assert codes == [
        *(None, None, "input_audio_buffer_commit_empty", None, None, "model_not_found")
    ]
    assert await provider.journal[0].over() is Ending.COMPLETED


async def recognised(provider: ScriptedProvider, sound: rtc.AudioFrame, model: str = MODEL) -> str:
    ears = openai.STT(model=model, base_url=provider.base_url, api_key="sk-any")
    try:
        heard = await ears.recognize(sound, conn_options=ONCE)
    finally:
        # The plugin's own `aclose` leaves it open.
        await ears._client.close()
    return heard.alternatives[0].text


@pytest.mark.parametrize("model", [MODEL, "whisper-1"])
async def test_a_recording_is_heard(provider: ScriptedProvider, model: str) -> None:
    """As JSON, short or verbose, as the plugin asks by model; and as text."""
    text = await recognised(provider, SENTENCE, model)
    assert "best of times" in text
    (asked,) = provider.asked("stt")
    assert asked.ending is Ending.COMPLETED
    assert asked.text == text
    assert asked.sound_seconds == pytest.approx(SENTENCE.duration, abs=0.01)
    assert asked.body["model"] == model


async def test_a_recording_is_heard_as_text(provider: ScriptedProvider) -> None:
    """The third form."""
    provider.script.stt = [Hearing("Good morning.")]
    form = aiohttp.FormData({"model": MODEL, "response_format": "text"})
    form.add_field("file", SENTENCE.to_wav_bytes(), filename="said.wav")
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{provider.base_url}/audio/transcriptions", data=form) as response,
    ):
        assert await response.text() == "Good morning.\n"


async def test_a_recording_that_is_refused(provider: ScriptedProvider) -> None:
    """By the script with its status; by the provider if it is no sound."""
    provider.script.stt = [Hearing(fault=Refusal.rate_limited())]
    with pytest.raises(APIStatusError) as refused:
        await recognised(provider, TWO_WORDS)
    assert refused.value.status_code == 429
    form = aiohttp.FormData({"model": MODEL})
    form.add_field("file", b"no sound", filename="said.wav")
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{provider.base_url}/audio/transcriptions", data=form) as response,
    ):
        assert response.status == 400
    assert [asked.ending for asked in provider.journal] == [Ending.FAULT, Ending.REFUSED]


async def test_a_client_that_vanishes_is_cancelled(speech: LocalSpeech) -> None:
    """Without a word of goodbye, in the middle of a sentence: nothing goes on behind it."""
    before = asyncio.all_tasks()
    async with (
        ScriptedProvider(speech, Script(models=MODELS), detector=load_vad()) as provider,
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{provider.base_url}/realtime?intent=transcription") as socket,
    ):
        pcm = recorded("beckett", 1.0).data.cast("b")
        sound = base64.b64encode(pcm).decode()
        await socket.send_json({"type": "input_audio_buffer.append", "audio": sound})
        while (await socket.receive_json())["type"] != "input_audio_buffer.speech_started":
            pass
        socket.get_extra_info("socket").shutdown(2)
        (asked,) = provider.asked("stt")
        assert await asked.over() is Ending.CANCELLED
    assert {task for task in asyncio.all_tasks() - before if "provider" in repr(task)} == set()

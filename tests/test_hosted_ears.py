"""Hosted ears over the real plugin: a connection that fails is made again, and the key stays in."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from livekit.agents import APIConnectOptions, APIError, stt, vad
from livekit.agents.utils import http_context
from livekit.plugins.openai import STT
from pydantic import SecretStr
from speech_fakes import ScriptedSpeech

from agent.models.openai import openai_stt
from agent.settings import SttSettings
from agent.turns import load_vad
from bench.provider import Hearing, Refusal, Script, ScriptedProvider

KEY = "sk-test-of-the-ears-1234"
ONCE_MORE = APIConnectOptions(max_retry=1, retry_interval=0.01, timeout=5)


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    models = ("gpt-live-transcribe", "gpt-transcribe")
    async with ScriptedProvider(ScriptedSpeech(), Script(models=models), KEY) as serving:
        yield serving


@pytest.fixture(autouse=True)
async def _as_in_a_job() -> AsyncIterator[None]:
    """The plugin asks LiveKit for its HTTP session."""
    async with http_context.open():
        yield


@pytest.fixture
def detector() -> vad.VAD:
    return load_vad()


def ears(
    provider: ScriptedProvider, detector: vad.VAD, language: str = "en", expected: str = ""
) -> stt.STT[str]:
    settings = SttSettings(base_url=provider.base_url, language=expected)
    return openai_stt(settings, SecretStr(KEY), language, detector)


async def end_of(stream: stt.RecognizeStream) -> APIError:
    """The error that the stream ends with; anything else would make June deaf for good."""
    try:
        async with asyncio.timeout(10):
            return await _fault_of(stream)
    finally:
        await stream.aclose()


async def _fault_of(stream: stt.RecognizeStream) -> APIError:
    try:
        async for _ in stream:
            pass
    except APIError as error:
        return error
    raise AssertionError("the stream ended without an error")


async def test_a_refused_connection_is_an_error_that_livekit_knows(
    provider: ScriptedProvider, detector: vad.VAD
) -> None:
    """Not one of aiohttp's, and without the key that its headers held."""
    provider.script.stt = lambda _: Hearing(fault=Refusal.wrong_key())
    hearing = ears(provider, detector)
    error = await end_of(hearing.stream(conn_options=ONCE_MORE))
    assert not error.retryable
    assert KEY not in f"{error!r} {error.__cause__!r} {error.__context__!r}"
    assert len(provider.asked("stt")) == 1
    await hearing.aclose()


async def test_a_server_that_is_down_is_asked_again(
    provider: ScriptedProvider, detector: vad.VAD
) -> None:
    """It may be back in a moment."""
    provider.script.stt = [Hearing(fault=Refusal.server_error(503))]
    hearing = ears(provider, detector)
    assert isinstance(hearing, STT)
    stream = hearing.stream(conn_options=ONCE_MORE)
    await provider.wait_for("stt", 2)
    await stream.aclose()
    await hearing.aclose()


async def test_nobody_at_the_address_is_an_error_that_livekit_knows(
    provider: ScriptedProvider, detector: vad.VAD
) -> None:
    """Connection refused, by the system."""
    settings = SttSettings(base_url="http://127.0.0.1:9/v1")
    hearing = openai_stt(settings, None, "en", detector)
    error = await end_of(hearing.stream(conn_options=ONCE_MORE))
    assert error.retryable
    await hearing.aclose()


async def test_a_server_that_never_answers_is_given_up(detector: vad.VAD) -> None:
    """LiveKit would try it for ever, and call each try the first one."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        hearing = openai_stt(
            SttSettings(base_url=f"http://127.0.0.1:{port}/v1"), None, "en", detector
        )
        impatient = APIConnectOptions(max_retry=1, retry_interval=0.01, timeout=0.4)
        await end_of(hearing.stream(conn_options=impatient))
        await hearing.aclose()


@pytest.mark.parametrize(
    ("language", "expected", "sent"),
    [("en", "", ["en"]), ("de-CH", "", ["de"]), ("en", "fr", ["fr"])],
)
async def test_the_language_is_passed_on(
    provider: ScriptedProvider, detector: vad.VAD, language: str, expected: str, sent: list[str]
) -> None:
    """The call's, or the one that is expected; without its region, which means nothing here."""
    hearing = ears(provider, detector, language, expected)
    stream = hearing.stream(conn_options=ONCE_MORE)
    asked = await provider.wait_for("stt")
    async with asyncio.timeout(5):
        while not (asked.body and "languages" in str(asked.body)):
            await asyncio.sleep(0.01)
    transcription = asked.body["audio"]["input"]["transcription"]
    assert transcription["languages"] == sent
    assert transcription["model"] == "gpt-live-transcribe"
    await stream.aclose()
    await hearing.aclose()

"""Custom voices at the scripted provider, as OpenAI's own SDK finds them."""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import openai
import pytest
from speech_fakes import ScriptedSpeech, ScriptedVAD

from agent.voices.samples import frame_of
from bench.provider import (
    BreakOff,
    Ending,
    Keeping,
    Lie,
    Refusal,
    ScriptedProvider,
    VoicesRequest,
)
from skills.sound import Sound

SAMPLE = frame_of(Sound(b"\x01\x02" * 16_000, 16_000)).to_wav_bytes()
WAV = ("any.wav", SAMPLE, "audio/wav")


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(ScriptedSpeech(), detector=ScriptedVAD()) as provider:
        yield provider


@pytest.fixture
async def client(provider: ScriptedProvider) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        api_key="sk-any", base_url=provider.base_url, max_retries=0
    ) as client:
        yield client


async def consented(client: openai.AsyncOpenAI, name: str = "ann") -> str:
    made = await client.audio.voice_consents.create(name=name, language="en-US", recording=WAV)
    return made.id


async def cloned(client: openai.AsyncOpenAI, name: str = "ann") -> str:
    consent = await consented(client, name)
    made = await client.audio.voices.create(name=name, consent=consent, audio_sample=WAV)
    return made.id


async def spoken(client: openai.AsyncOpenAI, voice: Any) -> bytes:
    answer = await client.audio.speech.create(
        model="gpt-4o-mini-tts", voice=voice, input="Hello.", response_format="pcm"
    )
    return answer.content


async def test_a_voice_is_made_speaks_and_is_deleted(
    provider: ScriptedProvider, client: openai.AsyncOpenAI
) -> None:
    """What it keeps meanwhile can be looked through, by the hash of the sound too."""
    voice = await cloned(client)
    assert await spoken(client, {"id": voice})
    consent = provider.kept[0].id
    assert [(kept.kind, kept.name) for kept in provider.kept] == [
        ("consent", "ann"),
        ("voice", "ann"),
    ]
    assert {kept.sha256 for kept in provider.kept} == {sha256(SAMPLE).hexdigest()}
    assert provider.kept[1].consent == consent

    assert (await client.audio.voices.delete(voice)).deleted
    with pytest.raises(openai.NotFoundError):
        await client.audio.voices.delete(voice)
    with pytest.raises(openai.NotFoundError):
        await spoken(client, {"id": voice})
    assert [kept.id for kept in provider.kept] == [consent]
    assert (await client.audio.voice_consents.delete(consent)).deleted
    assert provider.kept == []
    assert {asked.stage for asked in provider.journal} == {"voices", "tts"}


async def test_consents_are_shown_renamed_and_listed_page_by_page(
    client: openai.AsyncOpenAI,
) -> None:
    """Newest first; the SDK asks for the next page by itself."""
    ids = [await consented(client, f"c{number}") for number in range(5)]
    renamed = await client.audio.voice_consents.update(ids[0], name="other")
    assert renamed == await client.audio.voice_consents.retrieve(ids[0])
    pages = client.audio.voice_consents.list(limit=2)
    assert [each.name async for each in pages] == ["c4", "c3", "c2", "c1", "other"]


async def test_voices_are_listed_only_where_the_script_says_so(
    provider: ScriptedProvider, client: openai.AsyncOpenAI
) -> None:
    """OpenAI's SDK has no such route."""
    voice = await cloned(client)
    with pytest.raises(openai.APIStatusError) as refused:
        await client.get("/audio/voices", cast_to=object)
    assert refused.value.status_code == 405
    provider.script.lists_voices = True
    listed: Any = await client.get("/audio/voices", cast_to=object)
    assert [each["id"] for each in listed["data"]] == [voice]


async def refused(request: Any) -> tuple[int, str | None]:
    with pytest.raises(openai.APIStatusError) as refused:
        await request
    return refused.value.status_code, refused.value.param


async def test_what_openai_would_not_take_is_refused(
    provider: ScriptedProvider, client: openai.AsyncOpenAI
) -> None:
    """A consent without sound or of another kind, a voice without a consent, one that is long."""
    consents, voices = client.audio.voice_consents, client.audio.voices
    consent = await consented(client)

    async def consent_by(recording: Any) -> tuple[int, str | None]:
        return await refused(consents.create(name="a", language="en-US", recording=recording))

    async def voice_by(sample: Any, consent: str = consent) -> tuple[int, str | None]:
        return await refused(voices.create(name="a", consent=consent, audio_sample=sample))

    silent, long = (
        frame_of(Sound(b"", 8_000)).to_wav_bytes(),
        frame_of(Sound(bytes(2 * 8_000 * 31), 8_000)).to_wav_bytes(),
    )
    large = frame_of(Sound(bytes(10 * 1024 * 1024), 48_000)).to_wav_bytes()
    assert await consent_by(("a.wav", silent, "audio/wav")) == (400, "recording")
    assert await consent_by(("a.wav", b"noise", "audio/wav")) == (400, "recording")
    assert await consent_by(("a.txt", SAMPLE, "text/plain")) == (400, "recording")
    assert await consent_by(("a.wav", large, "audio/wav")) == (413, "recording")
    assert await refused(consents.create(name="", language="en", recording=WAV)) == (400, "name")
    assert await voice_by(("a.wav", long, "audio/wav")) == (400, "audio_sample")
    assert await voice_by(WAV, "cons_9999") == (404, None)
    assert await refused(client.post("/audio/voices", cast_to=object)) == (400, "name")
    assert [kept.id for kept in provider.kept] == [consent]
    assert {asked.ending for asked in provider.journal[1:]} == {Ending.REFUSED}


async def test_there_are_twenty_voices_and_no_more(client: openai.AsyncOpenAI) -> None:
    """Until one is deleted."""
    made = [await cloned(client) for _ in range(20)]
    with pytest.raises(openai.BadRequestError, match="20 voices, which is the limit"):
        await cloned(client)
    await client.audio.voices.delete(made[7])
    await cloned(client)


async def test_a_fault_comes_before_or_after_the_deed(
    provider: ScriptedProvider, client: openai.AsyncOpenAI
) -> None:
    """An answer that is lost says nothing of what was done."""
    provider.script.voices = [
        Keeping(Refusal.rate_limited()),
        Keeping(BreakOff()),
        Keeping(BreakOff(), is_done_first=True),
    ]
    with pytest.raises(openai.RateLimitError):
        await consented(client)
    with pytest.raises(openai.APIConnectionError):
        await consented(client)
    assert provider.kept == []
    with pytest.raises(openai.APIConnectionError):
        await consented(client)
    assert len(provider.kept) == 1
    assert [asked.ending for asked in provider.journal] == [Ending.FAULT] * 3


async def test_a_lie_is_told_where_the_script_says_so(
    provider: ScriptedProvider, client: openai.AsyncOpenAI
) -> None:
    """Deleted, and still there."""
    voice = await cloned(client)

    def lie(request: VoicesRequest) -> Keeping:
        return Keeping(Lie() if request.method == "DELETE" else None)

    provider.script.voices = lie
    assert (await client.audio.voices.delete(voice)).deleted
    assert [kept.id for kept in provider.kept if kept.kind == "voice"] == [voice]
    assert provider.journal[-1].fault == Lie()

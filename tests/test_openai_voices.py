"""The cloner `openai` against a provider that keeps voices as OpenAI does, and fails by script."""

import asyncio
import traceback
from array import array
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import cast

import pytest
from pydantic import SecretStr
from speech_fakes import ScriptedSpeech, ScriptedVAD

from agent.settings import TtsSettings
from agent.voices.cloner import CloneFailed, Cloner
from agent.voices.openai_kept import Deadlines
from agent.voices.openai_voices import PHRASE, OpenAIVoices
from bench.provider import (
    BreakOff,
    Empty,
    Ending,
    Hang,
    Keeping,
    KeepingFault,
    Kept,
    Lie,
    Refusal,
    ScriptedProvider,
    Speaking,
    SpeakingFault,
    VoicesRequest,
    WrongAnswer,
)
from skills.sound import Sound

KEY = "sk-hush-hush-hush"
NAME = "june-1f2e"
SAMPLE = Sound(b"\x01\x02" * 16_000 * 8, 16_000)
CONSENT = Sound(b"\x03\x04" * 16_000 * 4, 16_000)
CONSENTS, VOICES = "/v1/audio/voice_consents", "/v1/audio/voices"
HASTY = Deadlines(upload_seconds=1.0, sound_seconds=1.0, other_seconds=1.0)
"""For faults that hang; everything else still has time on a busy machine."""


class OddSpeech(ScriptedSpeech):
    """Its samples are all different, so that a byte too few is seen."""

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        yield b"".join(number.to_bytes(2, "little") for number in range(24_000))

    @property
    def speaking_rate(self) -> int:
        return 24_000


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(OddSpeech(), key=KEY, detector=ScriptedVAD()) as provider:
        yield provider


def cloner_at(
    provider: ScriptedProvider, *, key: str = KEY, deadlines: Deadlines | None = None
) -> Cloner:
    """Typed as what June knows of it."""
    settings = TtsSettings(base_url=provider.base_url)
    return OpenAIVoices(settings, SecretStr(key), deadlines)


async def failure(work: Awaitable[object]) -> str:
    """Its words, which hold no secret and no name, and neither does its traceback."""
    with pytest.raises(CloneFailed) as failed:
        await work
    shown = "".join(traceback.format_exception(failed.value))
    for secret in (KEY, NAME, "Incorrect API key", "does not match the phrase"):
        assert secret not in shown
    return str(failed.value)


@pytest.fixture
async def cloner(provider: ScriptedProvider) -> AsyncIterator[Cloner]:
    cloner = cloner_at(provider)
    yield cloner
    await cloner.aclose()


@pytest.fixture
async def hasty(provider: ScriptedProvider) -> AsyncIterator[Cloner]:
    """One that does not wait long."""
    cloner = cloner_at(provider, deadlines=HASTY)
    yield cloner
    await cloner.aclose()


async def cloned(cloner: Cloner, name: str = NAME) -> str:
    return await cloner.clone(name, SAMPLE, [CONSENT])


async def spoken(cloner: Cloner, voice: str) -> list[bytes]:
    return [sound async for sound in cloner.speak(voice, "Hello there.")]


def on(
    method: str, kind: str, fault: KeepingFault, *, is_done_first: bool = False
) -> Callable[[VoicesRequest], Keeping]:
    """The fault for these requests, and none for others."""

    def keeping(request: VoicesRequest) -> Keeping:
        hits = (request.method, request.kind) == (method, kind)
        # A label is posted as well; only an upload has a language, or a consent.
        hits = hits and (method != "POST" or bool({"language", "consent"} & set(request.fields)))
        return Keeping(fault, is_done_first=is_done_first) if hits else Keeping()

    return keeping


def kinds(provider: ScriptedProvider) -> list[str]:
    return [kept.kind for kept in provider.kept]


async def test_a_caller_is_cloned_heard_and_forgotten(
    provider: ScriptedProvider, cloner: Cloner
) -> None:
    """The provider gets both recordings whole, and keeps nothing in the end."""
    voice = await cloned(cloner)

    assert list(cloner.phrases) == [PHRASE]
    consent, kept = provider.kept
    assert consent.language == "en-US"
    assert consent.file.endswith(CONSENT.pcm)
    assert kept.file.endswith(SAMPLE.pcm)
    assert kept.id == voice
    assert [each.name for each in (consent, kept)] == [f"{NAME} {voice}", NAME]
    assert (cloner.model, cloner.sample_rate) == ("gpt-4o-mini-tts", 24_000)
    assert provider.base_url == f"http://{cloner.provider}/v1"

    assert b"".join(await spoken(cloner, voice))
    assert provider.asked("tts")[0].body["voice"] == {"id": voice}

    await cloner.delete(NAME)
    assert provider.kept == []
    with pytest.raises(CloneFailed, match="status 404"):
        await spoken(cloner, voice)
    await cloner.delete(NAME)


async def test_sound_is_passed_on_as_it_arrives(provider: ScriptedProvider, cloner: Cloner) -> None:
    """The first of it, while the rest is not made yet."""
    voice = await cloned(cloner)
    provider.script.tts = [Speaking(fault=Hang(after_chunks=2))]
    speaking = cast("AsyncGenerator[bytes, None]", cloner.speak(voice, "Hello there."))
    async with aclosing(speaking) as sounds:
        assert await anext(sounds)
    assert await provider.asked("tts")[0].over() is Ending.FAULT


async def test_a_sample_that_is_cut_in_two_comes_whole(
    provider: ScriptedProvider, cloner: Cloner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TCP knows nothing of samples: pieces may have odd lengths."""
    voice = await cloned(cloner)
    whole = b"".join(await spoken(cloner, voice))
    monkeypatch.setattr("bench.provider.sound.CHUNK_BYTES", 1001)
    # So slowly that they are not put together again on the way.
    provider.script.tts = [Speaking(times_realtime=4)]
    pieces = await spoken(cloner, voice)

    assert len(pieces) > 1
    assert all(len(piece) % 2 == 0 for piece in pieces)
    # The provider's resampler dithers.
    heard, meant = (array("h", sound) for sound in (b"".join(pieces), whole))
    assert len(heard) == len(meant)
    assert max(abs(a - b) for a, b in zip(heard, meant, strict=True)) <= 4


async def test_a_clone_of_another_name_is_left_alone(
    provider: ScriptedProvider, cloner: Cloner
) -> None:
    """Also of one that begins alike, on whatever page it is listed."""
    await cloned(cloner, "june-1f2e3d")
    for _ in range(2):
        await cloned(cloner)
    others = [
        Kept(f"cons_{number}", "consent", "other", "", b"", "en-US", "") for number in range(101)
    ]
    provider.kept.extend(others)
    await cloner.delete(NAME)

    assert len(provider.kept) == 2 + len(others)
    assert not [kept for kept in provider.kept if kept.name.split()[0] == NAME]


FAULTS: list[tuple[KeepingFault, str]] = [
    (Refusal.server_error(), "status 500"),
    (Refusal.rate_limited(), "status 429, a limit is reached"),
    (Refusal.wrong_key(KEY), "status 401"),
    (Refusal.bad_request(f"The recording `{NAME}` does not match the phrase."), "status 400"),
    (Hang(), "does not answer within 1 s"),
    (BreakOff(), "cannot be reached, or broke off"),
    (WrongAnswer(), "answer is broken"),
    (WrongAnswer('{"id": "../x"}', "application/json"), "has no id"),
    (WrongAnswer('{"id": ', "application/json"), "answer is broken"),
]


@pytest.mark.parametrize(("fault", "words"), FAULTS)
async def test_a_consent_that_is_not_taken_leaves_nothing(
    provider: ScriptedProvider,
    cloner: Cloner,
    hasty: Cloner,
    fault: KeepingFault,
    words: str,
) -> None:
    """The sample is not even sent; each request is made once."""
    provider.script.voices = on("POST", "consent", fault)
    assert words in await failure(cloned(hasty))
    assert [asked.path for asked in provider.asked("voices")] == [CONSENTS] * 2
    await cloner.delete(NAME)
    assert provider.kept == []


@pytest.mark.parametrize(("fault", "words"), FAULTS[:4])
@pytest.mark.parametrize("is_new", [False, True])
async def test_a_voice_that_is_refused_leaves_nothing(
    provider: ScriptedProvider, cloner: Cloner, fault: KeepingFault, words: str, is_new: bool
) -> None:
    """Deleted by this cloner, or by that of the next start, which knows the name only."""
    provider.script.voices = on("POST", "voice", fault)
    assert words in await failure(cloned(cloner))
    assert kinds(provider) == ["consent"]
    deleting = cloner_at(provider) if is_new else cloner
    await deleting.delete(NAME)
    assert provider.kept == []
    await deleting.aclose()


LOST: list[KeepingFault] = [Hang(), BreakOff(), Refusal.server_error(504), WrongAnswer()]


@pytest.mark.parametrize("fault", LOST)
async def test_a_voice_whose_id_is_lost_is_found_where_voices_are_listed(
    provider: ScriptedProvider, cloner: Cloner, hasty: Cloner, fault: KeepingFault
) -> None:
    """It was made, and the answer never came."""
    provider.script.lists_voices = True
    await cloned(cloner, "june-other")
    others = list(provider.kept)
    provider.script.voices = on("POST", "voice", fault, is_done_first=True)
    await failure(cloned(hasty))
    assert kinds(provider) == ["consent", "voice"] * 2
    provider.script.voices = ()
    await cloner.delete(NAME)
    assert provider.kept == others


@pytest.mark.parametrize("fault", LOST)
async def test_a_voice_that_may_be_left_is_not_said_to_be_deleted(
    provider: ScriptedProvider, cloner: Cloner, hasty: Cloner, fault: KeepingFault
) -> None:
    """OpenAI lists none: it stays an error until somebody has looked, and then it is none."""
    provider.script.voices = on("POST", "voice", fault, is_done_first=True)
    await failure(cloned(hasty))
    provider.script.voices = ()
    for _ in range(2):
        assert "the provider lists no voices: delete it at" in await failure(cloner.delete(NAME))
    provider.kept.clear()
    await cloner.delete(NAME)


@pytest.mark.parametrize("stops_at", range(1, 6))
@pytest.mark.parametrize("is_new", [False, True])
async def test_a_clone_that_is_cut_off_anywhere_leaves_nothing(
    provider: ScriptedProvider, cloner: Cloner, stops_at: int, is_new: bool
) -> None:
    """A caller says stop at each request of it; the voice that is being made meanwhile is found.

    The requests: a look at the limit, the consent, its label, the voice, its label again.
    """
    asked = 0

    def keeping(_: VoicesRequest) -> Keeping:
        nonlocal asked
        asked += 1
        if asked == stops_at:
            cloning.cancel()
        return Keeping(delay_seconds=0.2 if asked == stops_at else 0.0)

    provider.script.voices = keeping
    cloning = asyncio.create_task(cloned(cloner))
    await asyncio.wait([cloning])
    provider.script.voices = ()
    deleting = cloner
    if is_new:
        await cloner.aclose()
        deleting = cloner_at(provider)
    await deleting.delete(NAME)
    await deleting.aclose()
    assert cloning.cancelled()
    assert provider.kept == []
    # Nor is the sample sent once they have said it.
    assert [asked.path for asked in provider.asked("voices")].count(VOICES) == (stops_at > 3)


async def test_a_label_that_cannot_be_written_loses_no_voice(
    provider: ScriptedProvider, cloner: Cloner
) -> None:
    """Who made it knows it."""
    answers = iter([None, None, None, None, Refusal.server_error()])
    provider.script.voices = lambda _: Keeping(next(answers, None))
    assert "status 500" in await failure(cloned(cloner))
    assert kinds(provider) == ["consent", "voice"]
    await cloner.delete(NAME)
    assert provider.kept == []


@pytest.mark.parametrize("kind", ["consent", "voice"])
async def test_a_deletion_that_is_only_said_is_found_out(
    provider: ScriptedProvider, cloner: Cloner, kind: str
) -> None:
    """It is an error, and succeeds once it is true."""
    await cloned(cloner)
    provider.script.voices = on("DELETE", kind, Lie())
    assert f"a {kind} is deleted, and still has it" in await failure(cloner.delete(NAME))
    provider.script.voices = ()
    await cloner.delete(NAME)
    assert provider.kept == []


@pytest.mark.parametrize(("fault", "words"), [*FAULTS[:3], *FAULTS[4:6]])
@pytest.mark.parametrize("kind", ["consent", "voice"])
async def test_a_deletion_that_fails_can_be_tried_again(
    provider: ScriptedProvider,
    cloner: Cloner,
    hasty: Cloner,
    *,
    kind: str,
    fault: KeepingFault,
    words: str,
) -> None:
    """Also one that was done, and whose answer was lost."""
    await cloned(cloner)
    provider.script.voices = on("DELETE", kind, fault, is_done_first=True)
    assert words in await failure(hasty.delete(NAME))
    provider.script.voices = ()
    await cloner.delete(NAME)
    assert provider.kept == []


async def test_what_somebody_else_deletes_meanwhile_is_deleted(
    provider: ScriptedProvider, cloner: Cloner
) -> None:
    """Two workers clean up at once, or the operator does in the provider's own pages."""
    await cloned(cloner)

    def keeping(request: VoicesRequest) -> Keeping:
        if request.method == "DELETE":
            provider.kept.clear()
        return Keeping()

    provider.script.voices = keeping
    await cloner.delete(NAME)


async def test_a_provider_that_cannot_be_looked_through_has_deleted_nothing(
    provider: ScriptedProvider, cloner: Cloner
) -> None:
    """An empty list is proof, an error is none."""
    await cloned(cloner)
    provider.script.voices = on("GET", "consent", WrongAnswer('{"data": 5}', "application/json"))
    assert "answer is broken" in await failure(cloner.delete(NAME))
    assert len(provider.kept) == 2


async def test_the_limit_of_voices_is_known_before_anything_is_sent(
    provider: ScriptedProvider, cloner: Cloner
) -> None:
    """June's own are counted by their consents."""
    for number in range(20):
        await cloned(cloner, f"june-{number}")
    before = list(provider.kept)
    assert "limit of 20 voices" in await failure(cloned(cloner))
    assert provider.kept == before
    await cloner.delete("june-7")
    await cloned(cloner)


async def test_what_the_provider_would_not_take_is_not_sent(
    provider: ScriptedProvider, cloner: Cloner
) -> None:
    """More than it allows."""
    long = Sound(bytes(2 * 8_000 * 31), 8_000)
    large = Sound(bytes(10 * 1024 * 1024), 48_000)
    await failure(cloner.clone(NAME, long, [CONSENT]))
    await failure(cloner.clone(NAME, SAMPLE, [large]))
    assert provider.journal == []


SPEAKING: list[tuple[SpeakingFault, str]] = [
    (Refusal.server_error(), "status 500"),
    (Refusal.rate_limited(), "status 429, a limit is reached"),
    (Hang(), "does not answer within 1 s"),
    (Hang(after_chunks=2), "does not answer within 1 s"),
    (BreakOff(), "cannot be reached, or broke off"),
    (BreakOff(after_chunks=2), "answer is broken"),
    (WrongAnswer(), "something else than sound"),
    (Empty(), "without a sound"),
]


@pytest.mark.parametrize(("fault", "words"), SPEAKING)
async def test_a_sentence_that_is_not_spoken_is_an_error(
    provider: ScriptedProvider, cloner: Cloner, hasty: Cloner, fault: SpeakingFault, words: str
) -> None:
    """Never silence, also when it breaks in the middle; each is asked for once."""
    voice = await cloned(cloner)
    provider.script.tts = [Speaking(fault=fault)]
    assert words in await failure(spoken(hasty, voice))
    assert len(provider.asked("tts")) == 1


async def test_a_wrong_key_is_told_by_its_status_alone(provider: ScriptedProvider) -> None:
    """The real answer quotes the key, and the SDK's error holds it and what was sent."""
    cloner = cloner_at(provider, key=f"{KEY}-not")
    for work in (cloned(cloner), spoken(cloner, "voice_1"), cloner.delete(NAME)):
        assert "status 401" in await failure(work)
    await cloner.aclose()
    assert provider.kept == []


async def test_a_server_that_is_not_there_is_an_error() -> None:
    """Wherever `[tts] base_url` points."""
    cloner = OpenAIVoices(TtsSettings(base_url="http://127.0.0.1:9"), None)
    assert "cannot be reached" in await failure(cloned(cloner))
    await cloner.aclose()


async def test_a_cloner_that_was_never_used_is_closed() -> None:
    """Most calls clone nobody."""
    await OpenAIVoices(TtsSettings(), None).aclose()

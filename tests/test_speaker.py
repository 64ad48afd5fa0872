"""The one way to a clone: each sentence asks whether the consent still holds."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from livekit.agents import APIConnectionError, APIConnectOptions, tts
from speech_fakes import ScriptedSpeech

from agent.events import EventType
from agent.models.local.tts import LocalTTS
from agent.voices.cloned import ClonedTTS
from agent.voices.cloner import CloneFailed
from agent.voices.speaker import VoiceOfCall, Worn
from session.voice_records import Utterance
from skills.sound import Sound
from skills.voice import Why

ONCE = APIConnectOptions(max_retry=0, timeout=1.0)


class ScriptedCloner:
    """Speaks one sample again and again, at a rate of its own; `breaks_after` so many pieces."""

    provider = "local"
    model = "scripted"
    phrases: Sequence[str] = ()

    def __init__(self, sample_rate: int = 22_050) -> None:
        self.sample_rate = sample_rate
        self.spoken: list[tuple[str, str]] = []
        self.breaks_after: int | None = None
        self.hangs = False

    async def clone(self, name: str, sample: Sound, phrases: Sequence[Sound]) -> str:
        return f"voice of {name}"

    async def speak(self, clone: str, text: str) -> AsyncIterator[bytes]:
        self.spoken.append((clone, text))
        for piece in range(20):
            if piece == self.breaks_after:
                raise CloneFailed("status 500")
            yield b"\x07\x00" * (self.sample_rate // 20)
            await asyncio.sleep(0.002)  # as a network would
            if self.hangs and piece == 10:
                await asyncio.Event().wait()

    async def delete(self, name: str) -> None: ...

    async def aclose(self) -> None: ...


class Mouth:
    """A voice that has a clone on, and what came of it."""

    def __init__(self, cloner: ScriptedCloner) -> None:
        self.speech = ScriptedSpeech()
        self.told: list[EventType] = []
        self.voice = VoiceOfCall(
            LocalTTS(self.speech),
            tell=lambda event: self.told.append(event.type),
            now=lambda: 1_000.0,
        )
        self.cloner = cloner
        self.holds = True
        self.said: list[Utterance] = []
        self.lost: list[Why] = []

    def put_on(self) -> None:
        async def holds() -> bool:
            return self.holds

        self.voice.worn = Worn(
            consent_id="c0",
            clone=ClonedTTS(self.cloner, "voice of june-1"),
            holds=holds,
            on_said=self.said.append,
            on_lost=self.lost.append,
        )

    async def says(self, text: str) -> bytes:
        async with self.voice.synthesize(text, conn_options=ONCE) as stream:
            return b"".join([bytes(sound.frame.data.cast("b")) async for sound in stream])


@pytest.fixture
def mouth() -> Mouth:
    return Mouth(ScriptedCloner())


def is_cloned(pcm: bytes) -> bool:
    return pcm[:2] == b"\x07\x00"


async def test_june_speaks_as_june(mouth: Mouth) -> None:
    assert not is_cloned(await mouth.says("Hello."))
    assert mouth.speech.spoken == ["Hello."]
    assert mouth.said == []


async def test_a_worn_voice_speaks_and_each_utterance_is_listed(mouth: Mouth) -> None:
    mouth.put_on()
    first, second = await mouth.says("One."), await mouth.says("Two.")
    assert is_cloned(first)
    assert mouth.cloner.spoken == [("voice of june-1", "One."), ("voice of june-1", "Two.")]
    assert mouth.speech.spoken == []
    assert [one.sha256 for one in mouth.said] == [
        hashlib.sha256(pcm).hexdigest() for pcm in (first, second)
    ]
    assert {(one.consent_id, one.at) for one in mouth.said} == {("c0", 1_000.0)}


async def test_whose_voice_it_is_is_told_as_it_changes(mouth: Mouth) -> None:
    """Before the first sound of the clone; also where it is lost; and not twice."""
    mouth.voice.worn = None
    assert mouth.told == []
    mouth.put_on()
    assert mouth.told == [EventType.VOICE_CLONED]
    mouth.put_on()
    await mouth.says("One.")
    mouth.holds = False
    await mouth.says("Two.")
    mouth.voice.worn = None
    assert mouth.told == [EventType.VOICE_CLONED, EventType.VOICE_OWN]


async def test_a_consent_that_does_not_hold_reaches_no_clone(mouth: Mouth) -> None:
    """Withdrawn in the middle of a call, say: June says this very sentence herself."""
    mouth.put_on()
    await mouth.says("One.")
    mouth.holds = False
    assert not is_cloned(await mouth.says("Two."))
    assert mouth.cloner.spoken == [("voice of june-1", "One.")]
    assert mouth.lost == [Why.NO_CONSENT]
    mouth.holds = True
    assert not is_cloned(await mouth.says("Three."))
    assert mouth.lost == [Why.NO_CONSENT]


async def test_a_cloner_that_fails_at_once_is_not_heard(mouth: Mouth) -> None:
    """June says the sentence in her own voice, whole."""
    mouth.put_on()
    mouth.cloner.breaks_after = 0
    pcm = await mouth.says("One.")
    assert len(pcm) > 0
    assert not is_cloned(pcm)
    assert (mouth.said, mouth.lost) == ([], [Why.FAILED])


async def test_a_cloner_that_breaks_off_is_listed_as_far_as_it_was_heard(mouth: Mouth) -> None:
    """And June does not say the sentence twice."""
    mouth.put_on()
    mouth.cloner.breaks_after = 8
    with pytest.raises(APIConnectionError):
        await mouth.says("One.")
    assert len(mouth.said) == 1
    assert mouth.lost == [Why.FAILED]
    assert mouth.speech.spoken == []


async def test_an_utterance_that_is_cut_off_is_listed(mouth: Mouth) -> None:
    """A barge-in is a normal event: no fault is counted, and the voice stays on."""
    mouth.put_on()
    mouth.cloner.hangs = True
    heard = bytearray()

    async def listen() -> None:
        async with mouth.voice.synthesize("One.", conn_options=ONCE) as stream:
            async for sound in stream:
                heard.extend(sound.frame.data.cast("b"))

    listening = asyncio.create_task(listen())
    async with asyncio.timeout(3):
        while not heard:
            await asyncio.sleep(0.001)
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening
    assert len(mouth.said) == 1
    assert mouth.lost == []
    assert mouth.voice.is_cloned


async def test_a_voice_that_is_taken_off_stops_within_its_sentence(mouth: Mouth) -> None:
    mouth.put_on()
    worn = mouth.voice.worn
    assert worn is not None
    whole = await mouth.says("One.")
    mouth.put_on()
    heard = bytearray()
    async with mouth.voice.synthesize("Two.", conn_options=ONCE) as stream:
        async for sound in stream:
            heard.extend(sound.frame.data.cast("b"))
            mouth.voice.worn = None
    assert 0 < len(heard) < len(whole)


async def test_a_voice_that_is_taken_off_while_the_store_is_asked_is_not_heard(
    mouth: Mouth,
) -> None:
    async def holds() -> bool:
        mouth.voice.worn = None
        return True

    mouth.put_on()
    assert mouth.voice.worn is not None
    mouth.voice.worn = replace(mouth.voice.worn, holds=holds)
    assert not is_cloned(await mouth.says("One."))
    assert mouth.cloner.spoken == []


@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
async def test_another_rate_becomes_that_of_the_call(rate: int) -> None:
    mouth = Mouth(ScriptedCloner(rate))
    mouth.put_on()
    pcm = await mouth.says("One.")
    assert len(pcm) / 2 / mouth.voice.sample_rate == pytest.approx(1.0, abs=0.06)


async def test_to_livekit_it_is_whoever_speaks(mouth: Mouth) -> None:
    """So that its figures are of the right model."""
    assert (mouth.voice.provider, mouth.voice.model) == ("local", LocalTTS.MODEL)
    mouth.put_on()
    assert (mouth.voice.provider, mouth.voice.model) == ("local", "scripted")


def test_it_is_a_voice_like_others(mouth: Mouth) -> None:
    assert isinstance(mouth.voice, tts.TTS)
    assert not mouth.voice.capabilities.streaming

"""The offline cloner: what it keeps of a voice, and June's voice moved there."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import cache

import numpy as np
import pytest
import pyworld
from livekit.agents import APIConnectionError, APIConnectOptions, tts
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS
from made_voice import sound, voice, whisper

from agent.models.local.engine import LocalSpeech
from agent.models.local.tts import LocalTTS
from agent.voices.cloner import CloneFailed, Cloner
from agent.voices.embedding import embed
from agent.voices.mimic import Mimic
from agent.voices.mimic.likeness import likeness_of
from agent.voices.mimic.moving import Move, moved, samples_in
from agent.voices.mimic.pieces import Pieces
from agent.voices.mimic.pitch import pitch_of
from agent.voices.mimic.tract import fitted
from room.ears import understand, word_error_rate
from room.voices import heard_at_once, recording, synthetic
from skills.sound import Sound

JUNE_HZ = 110.0

LONGEST_CLONE = 3_000
"""Characters, as the store takes them."""


def median_hz(said: Sound) -> float:
    pitch = pitch_of(samples_in(said), said.sample_rate)
    return float(np.median(pitch[pitch > 0]))


def loudness(said: Sound) -> float:
    return float(np.sqrt((samples_in(said) ** 2).mean()))


likeness = cache(likeness_of)


def move_to(caller: Sound, *, tract: float = 1.0) -> Move:
    return Move(own=likeness(voice(JUNE_HZ, 6)), to=likeness(caller), tract=tract)


@pytest.mark.parametrize("hertz", [75, 110, 220, 330])
@pytest.mark.parametrize("lowest_harmonic", [1, 2], ids=["whole", "telephone"])
@pytest.mark.parametrize("sample_rate", [8_000, 22_050, 48_000])
def test_the_pitch_is_heard_without_its_fundamental(
    hertz: int, lowest_harmonic: int, sample_rate: int
) -> None:
    """WORLD's own ways hear an octave too much there, in June's local voice too."""
    said = voice(
        hertz, 3, sample_rate=sample_rate, range_semitones=0.0, lowest_harmonic=lowest_harmonic
    )
    assert median_hz(said) == pytest.approx(hertz, rel=0.02)


def test_noise_has_no_pitch() -> None:
    """Nor has silence."""
    assert (pitch_of(samples_in(whisper(3)), 16_000) > 0).mean() < 0.05
    assert not pitch_of(np.zeros(16_000), 16_000).any()


def test_a_likeness_says_how_somebody_speaks() -> None:
    """High or low, monotonous or lively, slow or fast."""
    calm = likeness_of(voice(180, 6, range_semitones=1, syllables=3))
    lively = likeness_of(voice(120, 6, range_semitones=4, syllables=5))
    assert calm.pitch_hz == pytest.approx(180, rel=0.02)
    assert lively.pitch_hz == pytest.approx(120, rel=0.05)
    assert calm.range_semitones < lively.range_semitones / 2
    assert calm.pace == pytest.approx(3, abs=0.7)
    assert lively.pace == pytest.approx(5, abs=0.7)


@pytest.mark.parametrize(
    "sample",
    [
        whisper(8),
        sound(np.random.default_rng(1).normal(0, 0.1, 16_000 * 8), 16_000),
        sound(np.zeros(16_000 * 8), 16_000),
        voice(110, 0.5),
        Sound(b"", 16_000),
    ],
    ids=["whisper", "noise", "silence", "short", "nothing"],
)
def test_no_likeness_without_a_voice(sample: Sound) -> None:
    """Whatever the recorder let through."""
    with pytest.raises(CloneFailed):
        likeness_of(sample)


@pytest.mark.parametrize("caller_hz", [80, 95, 150, 210, 260])
def test_the_caller_is_met_in_pitch(caller_hz: int) -> None:
    """Within a tenth, measured on what is played."""
    said = moved(voice(JUNE_HZ * 1.05, 3), move_to(voice(caller_hz, 6)))
    assert median_hz(said) == pytest.approx(caller_hz, rel=0.1)


@pytest.mark.parametrize("sample_rate", [16_000, 22_050, 24_000, 48_000])
def test_a_moved_sentence_keeps_rate_and_loudness(sample_rate: int) -> None:
    """So that nothing downstream notices, and nobody turns the volume down."""
    june = voice(JUNE_HZ, 3, sample_rate=sample_rate)
    said = moved(june, move_to(voice(200, 6, tract=1.2), tract=1.2))
    assert said.sample_rate == sample_rate
    assert loudness(said) == pytest.approx(loudness(june), rel=0.05)


def test_a_voice_without_its_fundamental_gets_one() -> None:
    """As everybody else has: moved up it would have a hole where none belongs."""
    june = voice(JUNE_HZ, 6, range_semitones=0.0, lowest_harmonic=2)
    caller = voice(140, 6, range_semitones=0.0)
    said = moved(june, Move(own=likeness(june), to=likeness(caller), tract=1.0))
    strengths = np.abs(np.fft.rfft(samples_in(said)))
    hertz = np.linspace(0, 8_000, len(strengths))
    first, second = (strengths[np.abs(hertz - n * 140) < 20].max() for n in (1, 2))
    assert first > second / 2


def test_the_timbre_becomes_the_callers() -> None:
    """Bright where the caller's is bright: most of the difference is gone."""
    june, caller = voice(JUNE_HZ, 6), voice(150, 6, tract=1.2)
    wanted = np.array(likeness(caller).timbre_db)
    said = likeness_of(moved(june, move_to(caller)))
    before = np.abs(np.array(likeness(june).timbre_db) - wanted).mean()
    assert np.abs(np.array(said.timbre_db) - wanted).mean() < before / 2


def test_nothing_clips() -> None:
    """June's local voice uses the whole scale, and other pitches have other peaks."""
    june = voice(JUNE_HZ, 3, level=0.35)
    said = samples_in(moved(june, move_to(voice(85, 6))))
    assert 0.9 < np.abs(said).max() < 1.0
    assert np.abs(np.diff(said)).max() < 1.0, "it went over the edge, and came back on the other"


@pytest.mark.parametrize(("syllables", "longer"), [(3.2, 1.25), (4, 1.0), (5, 0.8)])
def test_the_pace_becomes_the_callers(syllables: float, longer: float) -> None:
    """Within bounds."""
    june = voice(JUNE_HZ, 3)
    said = moved(june, move_to(voice(150, 6, syllables=syllables)))
    assert said.seconds / june.seconds == pytest.approx(longer, abs=0.12)


@pytest.mark.parametrize("seconds", [0, 1 / 16_000, 0.03, 0.05, 0.1])
def test_the_shortest_sounds_are_moved_too(seconds: float) -> None:
    """Or left alone; never an error in the middle of a call."""
    move = move_to(voice(200, 6))
    short = sound(samples_in(voice(JUNE_HZ, 1))[: round(seconds * 16_000)], 16_000)
    assert moved(short, move).seconds == pytest.approx(seconds, rel=0.3)


def test_what_is_not_voiced_stays_so() -> None:
    """A hiss, and silence."""
    move = move_to(voice(200, 6))
    hiss = moved(whisper(1), move)
    assert (pitch_of(samples_in(hiss), 16_000) > 0).mean() < 0.1
    assert not any(moved(Sound(bytes(32_000), 16_000), move).pcm)


def test_the_length_of_the_tract_is_found() -> None:
    """Among some; the encoder hears which is most like the caller."""
    june, caller = voice(JUNE_HZ, 4), voice(JUNE_HZ, 6, tract=1.16)
    move = fitted(june, likeness_of(june), caller, likeness_of(caller))
    assert 1.05 <= move.tract <= 1.25


def test_a_sentence_is_cut_in_its_pauses() -> None:
    """And nothing of it is lost."""
    pause = bytes(2 * 3_200)
    whole = pause.join(voice(JUNE_HZ, 1.5, range_semitones=0.1).pcm for _ in range(3)) + b"\0\0"
    pieces = Pieces(16_000)
    found = [
        piece
        for start in range(0, len(whole), 1_001)
        for piece in pieces.add(whole[start:][:1_001])
    ]
    found += pieces.rest()
    assert b"".join(piece.pcm for piece in found) == whole
    assert [round(piece.seconds, 1) for piece in found] == [1.5, 1.7, 1.7]
    assert pieces.rest() == []


def test_a_sentence_without_a_pause_is_cut_too() -> None:
    """Its beginning is heard before twenty seconds have been computed."""
    pieces = Pieces(16_000)
    found = pieces.add(sound(np.random.default_rng(3).normal(0, 0.1, 20 * 16_000), 16_000).pcm)
    assert max(piece.seconds for piece in found) <= 6


def test_others_run_while_world_computes() -> None:
    """Otherwise a call would stand still for each sentence; then `mimic` would need a process."""
    samples = samples_in(voice(JUNE_HZ, 5))
    frames = len(pitch_of(samples, 16_000))
    times, pitch = np.arange(frames) * 0.005, np.full(frames, JUNE_HZ)
    samples, times, pitch = np.tile(samples, 6), np.arange(6 * frames) * 0.005, np.tile(pitch, 6)
    ended = threading.Event()
    longest = 0.0

    def compute() -> None:
        pyworld.d4c(samples, pitch, times, 16_000)
        ended.set()

    thread = threading.Thread(target=compute)
    began = last = time.perf_counter()
    thread.start()
    while not ended.wait(0.001):
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    longest = max(longest, time.perf_counter() - last)
    thread.join()
    assert longest < (time.perf_counter() - began) / 2


class MadeTTS(tts.TTS[str]):
    """June with a made voice; a text takes a tenth of a second for each of its characters."""

    def __init__(self) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False), sample_rate=16_000, num_channels=1
        )
        self.fails = False
        self.name = "made"
        self.speaking = 0

    @property
    def model(self) -> str:
        return self.name

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> "MadeSentence":
        return MadeSentence(self, text, conn_options)


class MadeSentence(tts.ChunkedStream):
    def __init__(self, owner: MadeTTS, text: str, conn_options: APIConnectOptions) -> None:
        super().__init__(tts=owner, input_text=text, conn_options=conn_options)
        self._owner = owner

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        if self._owner.fails:
            raise APIConnectionError("secret", retryable=False)
        self._owner.speaking += 1
        try:
            output_emitter.initialize(
                request_id="1", sample_rate=16_000, num_channels=1, mime_type="audio/pcm"
            )
            said = voice(JUNE_HZ, min(6.0, len(self.input_text) / 10))
            for start in range(0, len(said.pcm), 6_400):
                output_emitter.push(said.pcm[start : start + 6_400])
                await asyncio.sleep(0)
            output_emitter.flush()
        finally:
            self._owner.speaking -= 1


@pytest.fixture
async def june() -> AsyncIterator[MadeTTS]:
    made = MadeTTS()
    yield made
    await made.aclose()


@pytest.fixture(scope="module")
async def clone() -> str:
    """Of a voice at 190 Hz, from `MadeTTS`."""
    return await Mimic(MadeTTS(), "local/made").clone("ann", voice(190, 6), ())


async def spoken(cloner: Cloner, clone: str, text: str) -> Sound:
    pieces = [pcm async for pcm in cloner.speak(clone, text)]
    assert all(0 < len(pcm) <= cloner.sample_rate * 2 // 10 for pcm in pieces)
    return Sound(b"".join(pieces), cloner.sample_rate)


async def test_a_voice_is_made_spoken_with_and_gone(june: MadeTTS) -> None:
    """All of it is in the text that is kept."""
    cloner: Cloner = Mimic(june, "local/made")
    clone = await cloner.clone("ann", voice(190, 6), ())
    assert len(clone) < LONGEST_CLONE
    said = await spoken(Mimic(june, "local/made"), clone, "A sentence of three seconds.")
    assert median_hz(said) == pytest.approx(190, rel=0.1)
    assert said.seconds == pytest.approx(2.8, rel=0.2)
    await cloner.delete("ann")
    await cloner.aclose()
    assert (cloner.provider, cloner.phrases) == ("local", ())


@pytest.mark.parametrize("text", ["", "  ", "…", "!?"])
async def test_there_may_be_nothing_to_say(june: MadeTTS, clone: str, text: str) -> None:
    """A provider would call that an error."""
    assert (await spoken(Mimic(june, "local/made"), clone, text)).pcm == b""


async def test_a_clone_of_another_version_is_refused(june: MadeTTS, clone: str) -> None:
    """Also one that is none, and one whose numbers nobody's voice has."""
    made = json.loads(clone)
    mute = made["move"]["to"] | {"pitch_hz": 0}
    later, nobody = made | {"version": 2}, made | {"move": made["move"] | {"to": mute}}
    for wrong in map(json.dumps, (later, nobody, {}, "voice_123")):
        with pytest.raises(CloneFailed):
            await spoken(Mimic(june, "local/made"), wrong, "Hello.")


async def test_a_clone_from_another_voice_of_junes_is_refused(june: MadeTTS, clone: str) -> None:
    """The operator chose another since: moved from there it would be nobody's."""
    with pytest.raises(CloneFailed, match="another voice"):
        await spoken(Mimic(june, "local/another"), clone, "Hello.")


async def test_a_fault_of_junes_voice_is_a_fault_of_the_clone(june: MadeTTS, clone: str) -> None:
    """In words that hold nothing of a provider's."""
    cloner = Mimic(june, "local/made")
    june.fails = True
    with pytest.raises(CloneFailed) as failed:
        await spoken(cloner, clone, "Hello there.")
    assert "secret" not in str(failed.value)
    with pytest.raises(CloneFailed):
        await cloner.clone("ann", voice(190, 6), ())


async def test_who_is_interrupted_stops_speaking(june: MadeTTS, clone: str) -> None:
    """June's own voice is not left speaking to nobody, and the next sentence is whole."""
    cloner = Mimic(june, "local/made")
    long = "A sentence that takes about six seconds or so, and has a pause."
    async with aclosing(cloner.speak(clone, long)) as said:
        await anext(said)
    assert june.speaking == 0
    cut = asyncio.create_task(spoken(cloner, clone, "Another one that is cut off."))
    while not june.speaking:
        await asyncio.sleep(0)
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    assert june.speaking == 0
    assert (await spoken(cloner, clone, "One more.")).seconds > 0.5


SAMPLE = (
    "The birds were singing in the garden when the old man opened his window. He looked at the "
    "clouds for a while, and then he went down to make some coffee."
)

SENTENCES = (
    "I have a message for you, and the first part of it is about tomorrow morning.",
    "The museum is open until half past seven, but the last tour begins at six.",
    "Would you like me to call you again on Thursday afternoon?",
    "My sister told me that the harbour is beautiful when it snows.",
    "There are twelve people at the party and only nine of them brought a chair.",
)


async def caller(name: str) -> Sound:
    """Eight seconds of a voice by `flite`, or of a person."""
    frame = recording(name) if "_" in name or name == "beckett" else await synthetic(SAMPLE, name)
    return Sound(bytes(frame.data.cast("b"))[: 2 * 8 * frame.sample_rate], frame.sample_rate)


async def june_says(speech: LocalSpeech, text: str) -> Sound:
    return Sound(b"".join([pcm async for pcm in speech.speak(text)]), speech.speaking_rate)


async def nearer(speech: LocalSpeech, name: str) -> tuple[float, float, float]:
    """How like the caller June is before and after; the pitch, as a part of the caller's."""
    june, sample = LocalTTS(speech), await caller(name)
    cloner = Mimic(june, "local/made")
    clone = await cloner.clone(name, sample, ())
    before = [await june_says(speech, text) for text in SENTENCES[:3]]
    after = [await spoken(cloner, clone, text) for text in SENTENCES[:3]]
    wanted = embed(sample)
    unmoved = Sound(b"".join(said.pcm for said in before), speech.speaking_rate)
    cloned = Sound(b"".join(said.pcm for said in after), cloner.sample_rate)
    return (
        float(embed(unmoved) @ wanted),
        float(embed(cloned) @ wanted),
        median_hz(cloned) / median_hz(sample),
    )


@pytest.mark.parametrize("name", ["slt", "rms"])
async def test_june_is_nearer_to_the_caller(name: str) -> None:
    """To the encoder that tells speakers apart, and in pitch; a woman and a man."""
    async with LocalSpeech(threads=1) as speech:
        before, after, pitch = await nearer(speech, name)
    print(f"{name}: {before:.3f} before, {after:.3f} after, pitch {pitch:.3f}")
    assert after > before + 0.1
    assert pitch == pytest.approx(1, abs=0.1)


@pytest.mark.slow
async def test_june_is_nearer_to_people() -> None:
    """And to two more voices."""
    async with LocalSpeech(threads=1) as speech:
        for name in ("beckett", "two_cities", "awb", "kal16"):
            before, after, pitch = await nearer(speech, name)
            print(f"{name}: {before:.3f} before, {after:.3f} after, pitch {pitch:.3f}")
            # `kal16` is nearly as like to June unmoved as others are moved.
            assert after > before + 0.01
            assert pitch == pytest.approx(1, abs=0.1)


@pytest.mark.slow
async def test_what_is_moved_is_understood() -> None:
    """By June's own ears, about as well as June."""
    async with LocalSpeech(threads=1) as speech:
        june = LocalTTS(speech)
        before = [await _errors(speech, text, await june_says(speech, text)) for text in SENTENCES]
        print(f"unmoved: word error rate {np.mean(before):.3f}, n = {len(SENTENCES)} sentences")
        for name in ("slt", "rms", "two_cities"):
            cloner = Mimic(june, "local/made")
            clone = await cloner.clone(name, await caller(name), ())
            after = [
                await _errors(speech, text, await spoken(cloner, clone, text)) for text in SENTENCES
            ]
            print(f"{name}: word error rate {np.mean(after):.3f}, n = {len(SENTENCES)} sentences")
            assert np.mean(after) < np.mean(before) + 0.12


async def _errors(speech: LocalSpeech, text: str, said: Sound) -> float:
    from livekit import rtc

    frame = rtc.AudioFrame(said.pcm, said.sample_rate, 1, len(said.pcm) // 2)
    return word_error_rate(text, await understand(speech, heard_at_once(frame)))

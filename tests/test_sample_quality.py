"""What is wrong with a sample is found, and nothing is found in a good one."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from voices_made import CONSENT, MADE, PEOPLE, STORIES, cut, read_by, said

from agent.voices.mel import RATE
from agent.voices.one_voice import is_one_voice
from agent.voices.quality import problem_of
from agent.voices.samples import samples_of
from agent.voices.voicing import frames_of, gliding, held, pitches
from skills.sound import Sound
from skills.voice import Why

Samples = NDArray[np.float64]

RANDOM = np.random.default_rng(7)

SECONDS = 8
TIME = np.arange(SECONDS * RATE) / RATE


def sound(samples: Samples) -> Sound:
    return Sound(np.asarray(np.round(np.clip(samples, -1, 1) * 32767), "<i2").tobytes(), RATE)


def at_dbfs(samples: Samples, level: float) -> Samples:
    return np.asarray(samples * (10 ** (level / 20) / np.sqrt(np.mean(samples**2))))


@pytest.fixture(scope="module")
def voice() -> Samples:
    """Eight seconds of a person who reads."""
    read = cut(read_by("two_cities"), 10, 10 + SECONDS)
    return at_dbfs(samples_of(read).astype(np.float64), -26)


def noise(level: float, seconds: float = SECONDS) -> Samples:
    return at_dbfs(RANDOM.normal(0, 1, int(seconds * RATE)), level)


def clipped_10_db(voice: Samples) -> Samples:
    top = np.abs(voice).max() * 10 ** (-10 / 20)
    return np.clip(voice, -top, top)


def clipped_in_its_peaks(voice: Samples) -> Samples:
    top = np.abs(voice).max() * 10 ** (-6 / 20)
    return np.clip(voice, -top, top)


def rounded(voice: Samples) -> Samples:
    """As a codec does: no two peaks stay the same."""
    return np.convolve(voice, np.hanning(7)[1:-1] / 3, "same") + noise(-50)


def whispered(voice: Samples) -> Samples:
    """The same mouth, with breath instead of a pitch."""
    import pyworld

    pitch, times = pyworld.dio(voice, RATE)
    envelope = pyworld.cheaptrick(voice, pitch, times, RATE)
    breath = np.ones_like(envelope)
    made: Samples = pyworld.synthesize(np.zeros_like(pitch), envelope, breath, RATE)
    return at_dbfs(made, -30)


def tone(_: Samples) -> Samples:
    return 0.2 * np.sin(2 * np.pi * 220 * TIME)


def piano(_: Samples) -> Samples:
    """The same scale in notes that die away, with pauses: as uneven as speech."""
    notes = 220 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
    pitch = notes[(TIME * 2).astype(int) % len(notes)]
    return at_dbfs(np.exp(-8 * (TIME % 0.5)) * np.sin(2 * np.pi * pitch * TIME), -20)


def melody(_: Samples) -> Samples:
    """A flute that plays a scale, two notes a second."""
    notes = 220 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
    phase = 2 * np.pi * np.cumsum(notes[(TIME * 2).astype(int) % len(notes)]) / RATE
    breath = np.minimum(1, 20 * np.minimum(TIME % 0.5, 0.5 - TIME % 0.5))
    return at_dbfs(breath * (np.sin(phase) + 0.4 * np.sin(2 * phase)), -20)


SPOILT: dict[str, tuple[Callable[[Samples], Samples], Why]] = {
    "half a second": (lambda voice: voice[: RATE // 2], Why.TOO_SHORT),
    "nothing": (lambda voice: voice[:0], Why.TOO_SHORT),
    "silence": (lambda voice: 0 * voice, Why.TOO_QUIET),
    "from another room": (lambda voice: at_dbfs(voice, -60), Why.TOO_QUIET),
    "too loud for the microphone": (clipped_10_db, Why.CLIPPED),
    "now and then too loud": (clipped_in_its_peaks, Why.CLIPPED),
    "that, turned down": (lambda voice: clipped_10_db(voice) * 0.3, Why.CLIPPED),
    "that, through a codec": (lambda voice: rounded(clipped_10_db(voice)), Why.CLIPPED),
    "beside a motor": (lambda voice: voice + noise(-31), Why.NOISY),
    "whispered": (whispered, Why.WHISPERED),
    "a tone": (tone, Why.NOT_SPEECH),
    "a piano": (piano, Why.NOT_SPEECH),
    "a melody": (melody, Why.NOT_SPEECH),
    "a machine that beats": (lambda _: noise(-30) * (1 + 1.3 * (TIME % 1 > 0.8)), Why.NOT_SPEECH),
    "noise": (lambda _: noise(-30), Why.NOT_SPEECH),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_wrong_is_found(voice: Samples, name: str) -> None:
    spoil, why = SPOILT[name]
    assert problem_of(sound(spoil(voice)), None) is why


@pytest.mark.parametrize("level", [-45, -35, -26, -18])
def test_a_good_voice_may_be_loud_or_not(voice: Samples, level: float) -> None:
    assert problem_of(sound(at_dbfs(voice, level)), None) is None


@pytest.mark.parametrize("rate", [24_000, 48_000])
def test_the_rate_of_the_call_does_not_matter(rate: int) -> None:
    read = cut(read_by("two_cities"), 10, 18)
    assert read.sample_rate == 48_000
    pcm = np.frombuffer(read.pcm, "<i2")[:: 48_000 // rate]
    assert problem_of(Sound(pcm.tobytes(), rate), None) is None


def test_the_room_is_heard_without_the_voice(voice: Samples) -> None:
    """A noise that the pauses of the voice do not show, because there are few."""
    noisy = sound(voice + noise(-36))
    assert problem_of(noisy, None) is None
    assert problem_of(noisy, sound(noise(-36, seconds=2))) is Why.NOISY
    assert problem_of(noisy, sound(noise(-60, seconds=2))) is None


@pytest.mark.parametrize("silence", [Sound(b"", 0), sound(0 * TIME)])
def test_a_room_that_was_not_heard_spoils_nothing(voice: Samples, silence: Sound) -> None:
    """Also where a noise gate gives zeros."""
    assert problem_of(sound(voice), silence) is None


async def test_two_voices_are_noticed() -> None:
    """The phone is handed over half way: two people, and two made voices."""
    beckett, cities = cut(read_by("beckett"), 1, 5), cut(read_by("two_cities"), 10, 14)
    assert problem_of(Sound(beckett.pcm + cities.pcm, 48_000), None) is Why.SEVERAL_VOICES
    slt, rms = [cut(await said(voice, STORIES[0]), 0, 4) for voice in ("slt", "rms")]
    assert problem_of(Sound(slt.pcm + rms.pcm, 48_000), None) is Why.SEVERAL_VOICES


async def test_good_samples_pass() -> None:
    """Every voice that a fresh machine can make or has, consent and sample."""
    good = [(voice, await said(voice, text)) for voice in MADE for text in (CONSENT, STORIES[0])]
    for person in PEOPLE:
        read = read_by(person)
        starts = range(0, int(read.seconds) - 7, 8)
        good += [(person, cut(read, start, start + 8)) for start in starts]
    found = [(voice, problem_of(sample, None)) for voice, sample in good]
    wrong = [case for case in found if case[1] is not None]
    print(f"good samples: n = {len(good)}, with a problem {len(wrong)}: {wrong}")
    assert len(wrong) <= 0.05 * len(good)


def test_few_windows_are_one_voice() -> None:
    """Of three pieces, one that differs may be a cough."""
    apart = np.eye(4, 256, dtype=np.float32)
    assert is_one_voice(apart[:3])
    assert not is_one_voice(apart)
    assert is_one_voice(np.repeat(apart[:1], 8, axis=0))


@pytest.mark.parametrize("hz", [90, 150, 330])
def test_a_pitch_is_found(hz: float) -> None:
    found = pitches(frames_of((0.1 * np.sin(2 * np.pi * hz * TIME)).astype(np.float32)))
    assert found == pytest.approx(hz, rel=0.02)


def test_a_glide_is_a_voice_and_a_note_is_held() -> None:
    rising = np.asarray(120 * 2 ** (np.arange(100) * 0.02), np.float64)
    assert gliding(rising).all()
    assert not held(rising).any()
    assert held(np.full(100, 220.0)).all()
    assert not gliding(np.where(np.arange(100) % 4, 220.0, 0)).any()


def test_judging_fifteen_seconds_takes_less_than_half_a_second(voice: Samples) -> None:
    """CPU time of this thread, so that a busy machine does not decide it."""
    long = sound(np.concatenate([voice, voice])[: 15 * RATE])
    problem_of(long, None)
    begin = time.thread_time()
    problem_of(long, None)
    took = time.thread_time() - begin
    print(f"15 s of sound judged in {took:.3f} s of CPU")
    assert took < 0.5

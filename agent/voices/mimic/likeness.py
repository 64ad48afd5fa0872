"""What `mimic` keeps of a voice: 35 numbers, no sound."""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from agent.voices.cloner import CloneFailed
from agent.voices.mel import RATE
from agent.voices.mimic.pace import pace_of
from agent.voices.mimic.pitch import STEP_SECONDS, Floats
from agent.voices.mimic.world import Frames
from agent.voices.samples import samples_of
from skills.sound import Sound

BANDS = 32

TOP_HZ = 8_000.0

LOUD_DB = 30.0
"""Below the loudest frame, a frame says little of the voice."""

LEAST_VOICED_SECONDS = 0.8
"""In 4 s of speech there are two at least, in a whisper none."""

NORMAL_QUARTILE = 0.6745
"""Between the median and a quartile of a normal distribution, in standard deviations."""


class Likeness(BaseModel):
    """A voice, as far as it can be measured in a few seconds of it."""

    model_config = ConfigDict(frozen=True)

    pitch_hz: float = Field(ge=50, le=600)
    """Median."""
    range_semitones: float = Field(ge=0.1, le=12)
    """Around it: the standard deviation, taken from the quartiles."""
    pace: float = Field(ge=1, le=12)
    """Syllables in a second of speech, about."""
    timbre_db: tuple[float, ...] = Field(min_length=BANDS, max_length=BANDS)
    """Mean level of the voiced frames by band, evenly on the mel scale; the mean of all is 0."""


def likeness_of(sound: Sound) -> Likeness:
    """Of 4 to 15 s of speech. Blocks for about a twentieth of that.

    Raises:
        CloneFailed: if there is too little voice in it: a whisper, noise, or silence.
    """
    samples = samples_of(sound).astype(np.float64)
    if len(samples) < RATE:
        raise CloneFailed("there is less than a second of sound")
    frames = Frames.of(samples, RATE)
    level_db = 10 * np.log10(frames.power.mean(axis=1) + 1e-16)
    heard = (frames.pitch > 0) & (level_db > level_db.max() - LOUD_DB)
    if heard.sum() * STEP_SECONDS < LEAST_VOICED_SECONDS:
        raise CloneFailed("there is too little voice in the sound")
    octaves = np.log2(frames.pitch[heard])
    low, median, high = np.percentile(octaves, [25, 50, 75])
    by_band = 10 * np.log10(frames.power[heard] @ _bands(frames.power.shape[1]).T + 1e-16)
    timbre = by_band.mean(axis=0)
    return Likeness(
        pitch_hz=round(float(2**median), 1),
        range_semitones=round(float(np.clip(12 * (high - low) / 2 / NORMAL_QUARTILE, 0.3, 12)), 2),
        pace=round(pace_of(frames), 2),
        timbre_db=tuple(np.round(timbre - timbre.mean(), 1).tolist()),
    )


def mels(hertz: Floats) -> Floats:
    """S. S. Stevens' scale by D. O'Shaughnessy's formula, 1987."""
    scaled: Floats = 2595 * np.log10(1 + hertz / 700)
    return scaled


def _hertz(mel: Floats) -> Floats:
    unscaled: Floats = 700 * (10 ** (mel / 2595) - 1)
    return unscaled


EDGES_HZ = _hertz(np.linspace(mels(np.array(60.0)), mels(np.array(TOP_HZ)), BANDS + 2))
CENTRES_HZ = EDGES_HZ[1:-1]


def _bands(bins: int) -> Floats:
    """(bands, bins): weights of triangles that overlap by half; each row's sum is 1."""
    hertz = np.linspace(0, RATE / 2, bins)
    low, centre, high = (EDGES_HZ[i : i + BANDS, None] for i in range(3))
    rising, falling = (hertz - low) / (centre - low), (high - hertz) / (high - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    # The narrowest triangles may fall between two bins.
    weights[np.arange(BANDS), np.abs(hertz - centre).argmin(axis=1)] += 1e-6
    normal: Floats = weights / weights.sum(axis=1, keepdims=True)
    return normal

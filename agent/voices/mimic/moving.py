"""A sentence of June's voice, moved to somebody else's likeness."""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from agent.voices.mimic.likeness import CENTRES_HZ, Likeness, mels
from agent.voices.mimic.pitch import Floats
from agent.voices.mimic.world import Frames
from skills.sound import Sound

FULL_SCALE = 32_768

SHORTEST_SECONDS = 0.04
"""Shorter sound says nothing of a voice, and WORLD needs some."""

WANDER_OCTAVES = 0.06
"""How far a sentence's median may be from the voice's: 4 %, where a voice's own wander by more."""

LEAST_RANGE, MOST_RANGE = 0.4, 2.0

FARTHEST_OCTAVES = 1.0
"""From the median."""

SLOWEST, FASTEST = 0.8, 1.25

MOST_COLOUR_DB = 15.0

LINEAR = 0.8
"""Of full scale; what is louder is bent, so that nothing clips."""


class Move(BaseModel):
    """From one voice to another."""

    model_config = ConfigDict(frozen=True)

    own: Likeness
    to: Likeness
    tract: float = Field(ge=0.7, le=1.4)
    """By which all resonances are multiplied: above 1 the other's vocal tract is shorter."""


def moved(sound: Sound, move: Move) -> Sound:
    """As `to` would say it: as loud as before, and at the same rate.

    Pitch, range, pace, length of the vocal tract and timbre become the other's. Melody and accent
    stay: it is a likeness. Blocks for about a tenth of the sound's time; other threads run.
    """
    samples = samples_in(sound)
    if len(samples) < SHORTEST_SECONDS * sound.sample_rate or not samples.any():
        return sound
    return respoken(Frames.of(samples, sound.sample_rate), samples, sound.sample_rate, move)


def samples_in(sound: Sound) -> Floats:
    """From -1 to 1, at the sound's own rate."""
    return np.frombuffer(sound.pcm, "<i2").astype(np.float64) / FULL_SCALE


def respoken(frames: Frames, samples: Floats, sample_rate: int, move: Move) -> Sound:
    """`frames` are those of `samples`."""
    own, to = move.own, move.to
    pace = float(np.clip(to.pace / own.pace, SLOWEST, FASTEST))
    colour = _colour_db(move, frames.power.shape[1], sample_rate)
    other = Frames(
        pitch=_repitched(frames.pitch, own, to),
        power=_stretched(frames.power, move.tract) * 10 ** (colour / 10),
        breath=_stretched(frames.breath, move.tract),
    )
    spoken = other.at_pace(pace).samples(sample_rate)[: round(len(samples) / pace)]
    return Sound(_as_loud_as(samples, spoken), sample_rate)


def _repitched(pitch: Floats, own: Likeness, to: Likeness) -> Floats:
    """Around the other's median, as far from it as the other goes."""
    voiced = pitch > 0
    if not voiced.any():
        return pitch
    octaves = np.log2(pitch[voiced])
    median = float(np.median(octaves))
    wander = np.clip(median - np.log2(own.pitch_hz), -WANDER_OCTAVES, WANDER_OCTAVES)
    wider = np.clip(to.range_semitones / own.range_semitones, LEAST_RANGE, MOST_RANGE)
    steps = np.clip((octaves - median) * wider, -FARTHEST_OCTAVES, FARTHEST_OCTAVES)
    repitched = np.zeros_like(pitch)
    repitched[voiced] = 2 ** (np.log2(to.pitch_hz) + wander + steps)
    return repitched


def _colour_db(move: Move, bins: int, sample_rate: int) -> Floats:
    """(bins,) to add to each frame: what the length of the vocal tract does not explain."""
    mine = np.interp(CENTRES_HZ / move.tract, CENTRES_HZ, move.own.timbre_db)
    wanted = np.array(move.to.timbre_db) - mine
    bounded = np.clip(wanted - wanted.mean(), -MOST_COLOUR_DB, MOST_COLOUR_DB)
    hertz = np.linspace(0, sample_rate / 2, bins)
    colour: Floats = np.interp(mels(hertz), mels(CENTRES_HZ), bounded)
    return colour


def _stretched(spectra: Floats, ratio: float) -> Floats:
    """(frames, bins) whose every value was at 1 / `ratio` times its frequency."""
    bins = spectra.shape[1]
    at = np.minimum(np.arange(bins) / ratio, bins - 1)
    below = np.minimum(at.astype(int), bins - 2)
    share = at - below
    logarithms = np.log(np.maximum(spectra, 1e-16))
    stretched: Floats = np.exp(
        logarithms[:, below] * (1 - share) + logarithms[:, below + 1] * share
    )
    return stretched


def _as_loud_as(before: Floats, after: Floats) -> bytes:
    """16-bit samples of `after`."""
    loudness = np.sqrt((after**2).mean())
    level = np.sqrt((before**2).mean()) / loudness if loudness > 0 else 1.0
    scaled = after * level
    over = np.maximum(np.abs(scaled) - LINEAR, 0.0)
    bent = np.sign(scaled) * (LINEAR + (1 - LINEAR) * np.tanh(over / (1 - LINEAR)))
    limited = np.where(over > 0, bent, scaled)
    return (limited * (FULL_SCALE - 1)).astype("<i2").tobytes()

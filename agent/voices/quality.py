"""Whether a recording of a voice is good enough, and if not, why: measured, not guessed.

The numbers were chosen on recordings of 231 people, 5 made voices, and what was done to 48 of them.
With these, 221 of the 231 pass with 8 s, 111 of 116 with 4 s, and 9 of 9 made ones. Found are, of
48 each: clipped by 10 dB 47 (37 behind an Opus codec), whispered 48, noise 10 dB below the voice 48
if the room was heard and else none, 5 dB below it 48 and 39, two voices one after the other 47 if
half and half, 42 if the second has a third, 31 if they take turns every 2 s, but 2 if they speak at
once. Of 54 pieces of music 47 are refused, 37 of them as no speech. People who read slowly and
evenly, and recordings that a studio has compressed, are among those wrongly refused.
"""

import numpy as np
from numpy.typing import NDArray

from agent.voices.embedding import windows
from agent.voices.one_voice import is_one_voice
from agent.voices.samples import samples_of
from agent.voices.voicing import frames_of, gliding, held, pitches
from skills.sound import Sound
from skills.voice import Why

LEAST_SECONDS = 1.0
"""Under which nothing can be told of a voice. How long a sample must be, the recorder knows."""

QUIET_DBFS = -50.0
"""Level that only a tenth of the frames exceeds."""

LEAST_RANGE_DB = 8.0
"""From the weakest tenth of the frames to the loudest twentieth. Tones and noise have less."""

LEAST_UNEVENNESS, EVEN = 0.33, 0.55
"""Standard deviation of the frames' amplitude over its mean: syllables come and go. Music is often
more even than speech."""

MOST_HELD, MOST_HELD_IF_EVEN = 0.5, 0.1
"""Of what has a pitch, in notes."""

LEAST_VOICED = 0.06
"""Of what is not silent, with a gliding pitch."""

AUDIBLE_DB = 25.0
"""Below the loudest frames; what is fainter is silence."""

FLAT, MOST_FLAT = 0.97, 0.002
"""Samples within 3 % of the greatest one. A voice has some, a clipped one many."""

LEAST_PEAK = 1.25
"""In the loudest fifth of the frames, the amplitude that one sample in 1,000 exceeds over the one
that 50 do: also where a codec has rounded off what was clipped, peaks stay low."""

NOISY_RANGE_DB, NOISY_VOICED = 13.0, 0.35
"""Where noise fills the pauses and hides the pitch; of use where the room was not heard without the
voice."""

LEAST_SNR_DB = 18.0
"""From the room to the loudest frames of the voice."""


def problem_of(speech: Sound, silence: Sound | None) -> Why | None:
    """The one to name to the caller first. `silence` is what the room sounds like without them.

    Blocks, about 30 ms for a second of speech: call it by `asyncio.to_thread`.
    """
    if speech.seconds < LEAST_SECONDS:
        return Why.TOO_SHORT
    samples = samples_of(speech)
    frames = frames_of(samples)
    levels = _levels(frames)
    loudest = float(np.quantile(levels, 0.95))
    range_db = loudest - float(np.quantile(levels, 0.1))
    pitch = pitches(frames)
    if np.quantile(levels, 0.9) < QUIET_DBFS:
        return Why.TOO_QUIET
    if range_db < LEAST_RANGE_DB or not _is_like_speech(levels, pitch):
        return Why.NOT_SPEECH
    audible = levels[1:] > loudest - AUDIBLE_DB
    voiced = np.count_nonzero(gliding(pitch) & audible) / np.count_nonzero(audible)
    if voiced < LEAST_VOICED:
        return Why.WHISPERED
    if _is_clipped(samples, frames, levels):
        return Why.CLIPPED
    if range_db < NOISY_RANGE_DB and voiced < NOISY_VOICED:
        return Why.NOISY
    if loudest - _room(silence) < LEAST_SNR_DB:
        return Why.NOISY
    return None if is_one_voice(windows(speech)) else Why.SEVERAL_VOICES


def _levels(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """In dBFS; digital silence is at -100."""
    powers: NDArray[np.float64] = np.mean(np.square(frames, dtype=np.float64), axis=1)
    return 10 * np.log10(powers + 1e-10)


def _is_like_speech(levels: NDArray[np.float64], pitch: NDArray[np.float64]) -> bool:
    amplitudes = 10 ** (levels / 20)
    unevenness = amplitudes.std() / amplitudes.mean()
    most_held = MOST_HELD if unevenness > EVEN else MOST_HELD_IF_EVEN
    notes, pitched = np.count_nonzero(held(pitch)), np.count_nonzero(gliding(pitch))
    return bool(unevenness > LEAST_UNEVENNESS and notes <= most_held * pitched)


def _is_clipped(
    samples: NDArray[np.float32], frames: NDArray[np.float32], levels: NDArray[np.float64]
) -> bool:
    amplitudes = np.abs(samples)
    if np.mean(amplitudes >= FLAT * amplitudes.max()) > MOST_FLAT:
        return True
    loud = np.abs(frames[levels >= np.quantile(levels, 0.8)])
    high, peak = np.quantile(loud, (0.95, 0.999))
    return bool(peak < LEAST_PEAK * high)


def _room(silence: Sound | None) -> float:
    """Its level in dBFS; minus infinity where it was not heard."""
    if silence is None or not silence.pcm:
        return -np.inf
    levels = _levels(frames_of(samples_of(silence)))
    return float(np.median(levels)) if len(levels) else -np.inf

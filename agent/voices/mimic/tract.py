"""How much shorter one vocal tract is than another.

One that is shorter by a tenth has all its resonances a tenth higher. Mean spectra show it badly:
they mix it with the words, the microphone and the voice's source. The encoder that tells speakers
apart does better, so June's voice is moved in some ways, and the one is taken that it finds most
like the caller.
"""

from agent.voices.embedding import embed
from agent.voices.mimic.likeness import Likeness
from agent.voices.mimic.moving import Move, respoken, samples_in
from agent.voices.mimic.world import Frames
from skills.sound import Sound

COARSE = (0.86, 0.95, 1.05, 1.15, 1.25)
"""From a child's voice made a man's, to a man's made a child's."""

FINE = 0.05
"""Tried on either side of the best of those."""

TRIED_SECONDS = 4.0


def fitted(said: Sound, own: Likeness, sample: Sound, to: Likeness) -> Move:
    """`own` is of the voice that `said`, `to` of the `sample`. Blocks for about two seconds."""
    samples = samples_in(said)[: round(TRIED_SECONDS * said.sample_rate)]
    frames = Frames.of(samples, said.sample_rate)
    wanted = embed(sample)
    found: dict[Move, float] = {}

    def best_of(ratios: tuple[float, ...]) -> Move:
        for ratio in ratios:
            move = Move(own=own, to=to, tract=round(ratio, 2))
            found[move] = float(embed(respoken(frames, samples, said.sample_rate, move)) @ wanted)
        return max(found, key=lambda move: found[move])

    best = best_of(COARSE).tract
    return best_of((best - FINE, best + FINE))

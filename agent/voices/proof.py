"""Whether a new voice really speaks: whoever made it may have sent noise, or another rate."""

import asyncio

from agent.voices.cloner import CloneFailed, Cloner
from agent.voices.quality import problem_of
from skills.sound import Sound
from skills.voice import Why

SENTENCE = "This is a short test of how the new voice will sound."
LEAST_SECONDS = 1.3
MOST_SECONDS = 7.0
"""For that sentence; at twice or half its rate an ordinary voice is outside."""

NO_VOICE = (Why.NOT_SPEECH, Why.NOISY, Why.WHISPERED, Why.TOO_QUIET)


async def prove(cloner: Cloner, clone: str) -> None:
    """Let it say a sentence that nobody hears. Raises `CloneFailed`."""
    pcm = bytearray()
    async for piece in cloner.speak(clone, SENTENCE):
        pcm += piece
        if len(pcm) > MOST_SECONDS * cloner.sample_rate * 2:
            raise CloneFailed(f"it says a short sentence in more than {MOST_SECONDS} s")
    said = Sound(bytes(pcm), cloner.sample_rate)
    if len(pcm) % 2 or said.seconds < LEAST_SECONDS:
        raise CloneFailed(f"it says a sentence in {said.seconds:.1f} s, and {len(pcm)} bytes")
    problem = await asyncio.to_thread(problem_of, said, None)
    if problem in NO_VOICE:
        raise CloneFailed(f"what it says is no speech ({problem.value})")

"""Whether a new voice really speaks: whoever made it may have sent noise, or another rate."""

import asyncio

from livekit.agents import APIConnectOptions, APIError, tts

from agent.voices.cloner import CloneFailed
from agent.voices.quality import problem_of
from skills.sound import Sound
from skills.voice import Why

SENTENCE = "This is a short test of how the new voice will sound."
LEAST_SECONDS = 1.3
MOST_SECONDS = 7.0
"""For that sentence; at twice or half its rate an ordinary voice is outside."""

NO_VOICE = (Why.NOT_SPEECH, Why.NOISY, Why.WHISPERED, Why.TOO_QUIET)

ONCE = APIConnectOptions(max_retry=0)


async def prove(voice: tts.TTS[str]) -> None:
    """Let it say a sentence that nobody hears, paid for as any. Raises `CloneFailed`."""
    pcm = bytearray()
    try:
        async with voice.synthesize(SENTENCE, conn_options=ONCE) as speech:
            async for sound in speech:
                pcm += sound.frame.data.cast("b")
                if len(pcm) > MOST_SECONDS * voice.sample_rate * 2:
                    raise CloneFailed(f"it says a short sentence in more than {MOST_SECONDS} s")
    except APIError as error:
        raise CloneFailed(f"it says nothing: {type(error).__name__}") from None
    said = Sound(bytes(pcm), voice.sample_rate)
    if said.seconds < LEAST_SECONDS:
        raise CloneFailed(f"it says a sentence in {said.seconds:.1f} s")
    problem = await asyncio.to_thread(problem_of, said, None)
    if problem in NO_VOICE:
        raise CloneFailed(f"what it says is no speech ({problem.value})")

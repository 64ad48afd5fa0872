"""`python -m bench.mimic`: how long `mimic` takes for a second of sound, on one sentence at a time.

June's local voice, moved to a person's who reads in `moonshine-voice`'s own recording. Times are
real ones, so what else the machine does is in them; CPU time is printed beside them.
"""

import asyncio
import os
import time
import wave
from dataclasses import dataclass
from pathlib import Path

from moonshine_voice.utils import get_assets_path

from agent.models.local.engine import LocalSpeech
from agent.models.local.tts import LocalTTS
from agent.voices.mimic import Mimic
from agent.voices.mimic.likeness import likeness_of
from agent.voices.mimic.moving import moved
from agent.voices.mimic.tract import fitted
from session.percentiles import nearest_rank
from skills.sound import BYTES_A_SAMPLE, Sound

WANTED = 0.5

SENTENCES = (
    "Yes, of course.",
    "It is a quarter past three in the afternoon.",
    "I have set a timer for ten minutes, and I will tell you when it rings.",
    "The weather tomorrow will be mostly sunny, with a little wind in the evening.",
    "Once upon a time there was a fisherman who lived beside a wide grey sea.",
    "There are three messages for you, two of them from your sister, who asks whether you will "
    "come on Sunday, and one from the library, which would like to have its book back.",
)

ROUNDS = 5


def person() -> Sound:
    """Eight seconds of one."""
    with wave.open(str(Path(get_assets_path()) / "two_cities.wav")) as file:
        rate = file.getframerate()
        return Sound(file.readframes(8 * rate), rate)


@dataclass(frozen=True)
class Taken:
    """Seconds, for one sentence."""

    sound: float
    first: float
    """Until the first sound."""
    whole: float
    cpu: float


async def spoken(mimic: Mimic, clone: str, text: str) -> Taken:
    """By June's own voice and moved, as in a call."""
    began, cpu_began, first, size = time.perf_counter(), time.process_time(), 0.0, 0
    async for pcm in mimic.speak(clone, text):
        first = first or time.perf_counter() - began
        size += len(pcm)
    whole, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    return Taken(size / BYTES_A_SAMPLE / mimic.sample_rate, first, whole, cpu)


async def main() -> None:
    """Measure and print."""
    sample = person()
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, {ROUNDS} rounds of sentences")
    async with LocalSpeech() as speech:
        june = LocalTTS(speech)
        mimic = Mimic(june, LocalTTS.MODEL)
        began, cpu_began = time.perf_counter(), time.process_time()
        clone = await mimic.clone("bench", sample, ())
        cpu = time.process_time() - cpu_began
        print(f"a clone takes {time.perf_counter() - began:.1f} s, {cpu:.1f} s of CPU")
        said = [
            Sound(b"".join([pcm async for pcm in speech.speak(text)]), speech.speaking_rate)
            for text in SENTENCES
        ]
        move = fitted(said[-1], likeness_of(said[-1]), sample, likeness_of(sample))
        alone = []
        for sound in said * ROUNDS:
            began, cpu_began = time.perf_counter(), time.process_time()
            moved(sound, move)
            whole, cpu = time.perf_counter() - began, time.process_time() - cpu_began
            alone.append(Taken(sound.seconds, whole, whole, cpu))
        report("moved only", alone)
        report(
            "with June's own voice",
            [await spoken(mimic, clone, text) for text in SENTENCES * ROUNDS],
        )


def report(what: str, taken: list[Taken]) -> None:
    factors = sorted(one.whole / one.sound for one in taken)
    seconds = sum(one.sound for one in taken)
    cpu = sum(one.cpu for one in taken) / seconds
    firsts = sorted(one.first for one in taken)
    half, most = nearest_rank(factors, 0.5), nearest_rank(factors, 0.95)
    print(
        f"{what}: real-time factor {sum(one.whole for one in taken) / seconds:.3f} "
        f"(by sentence p50 {half:.3f}, p95 {most:.3f}; "
        f"wanted < {WANTED}), CPU {cpu:.3f}, first sound p50 {nearest_rank(firsts, 0.5):.2f} s, "
        f"p95 {nearest_rank(firsts, 0.95):.2f} s; n = {len(taken)}, {seconds:.0f} s of sound"
    )


if __name__ == "__main__":
    asyncio.run(main())

"""`./june console --wav` through the whole of Mockingbird, from a recording."""

import asyncio
import os
import re
import subprocess
import sys
import wave
from pathlib import Path
from random import Random

import numpy as np
import pytest

from agent.models.local.engine import LocalSpeech
from agent.voices.embedding import embed
from room.voices import RATE, by_flite, heard_at_once
from skills.mockingbird.repeated import how_near
from skills.mockingbird.sentence import fresh_sentence
from skills.sound import Sound

ROOT = Path(__file__).parent.parent

JUNE = (sys.executable, "-P", "-m", "agent")

SAMPLE = (
    "Last summer we drove along the coast for a week. Every morning there was fog over the water, "
    "and by noon the sun had taken it away. I would do it again at once."
)


async def well_heard(voice: str) -> tuple[int, str]:
    """A seed, and its words of consent, that June's ears understand from this voice."""
    async with LocalSpeech(threads=1) as ears:
        for seed in range(40):
            chance = Random(seed)
            # Before she asks whether the caller is sure she looks whether she can.
            fresh_sentence(chance)
            sentence = fresh_sentence(chance)
            sound = heard_at_once(by_flite(sentence, voice)).tobytes()
            if how_near(sentence, await ears.transcribe(sound, final=True)) == "same":
                return seed, sentence
    raise AssertionError("no sentence is understood")


def record(path: Path, voice: str, sentence: str) -> None:
    """A caller, who leaves June as much time as she needs on a busy machine."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for text, pause_seconds in (
            ("Copy my voice.", 9),
            ("Yes.", 15),
            (sentence, 15),
            (SAMPLE, 20),
            ("Who are you?", 9),
            ("Go back to normal.", 8),
        ):
            file.writeframes(bytes(by_flite(text, voice).data.cast("b")))
            file.writeframes(bytes(2 * RATE * pause_seconds))


def part(path: Path, start: float, end: float) -> Sound:
    with wave.open(str(path)) as file:
        rate, samples = file.getframerate(), np.frombuffer(file.readframes(-1), np.int16)
    return Sound(samples[int(start * rate) : int(end * rate)].tobytes(), rate)


@pytest.mark.slow
async def test_a_recording_is_cloned_and_gives_its_voice_back(tmp_path: Path) -> None:
    voice = "slt"
    seed, sentence = await well_heard(voice)
    record(tmp_path / "talk.wav", voice, sentence)
    done = await asyncio.to_thread(
        subprocess.run,
        [*JUNE, "console", "--wav", "talk.wav", "--out", "june.wav", "--seed", str(seed)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "JUNE_DATA__DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stderr
    said = re.findall(r"^ +([\d.]+)  june: (.*)$", done.stdout, re.MULTILINE)
    lines = [line for _, line in said]
    assert "Got it! I'm now speaking with your voice." in lines
    assert "Switching back to my default voice." in lines
    at = {line: float(seconds) for seconds, line in said}
    got_it = at["Got it! I'm now speaking with your voice."]
    back = at["Switching back to my default voice."]
    june = embed(part(tmp_path / "june.wav", 0.5, 5.0))
    caller = embed(Sound(bytes(by_flite(SAMPLE, voice).data.cast("b")), RATE))
    cloned = embed(part(tmp_path / "june.wav", got_it, got_it + 3))
    hers = embed(part(tmp_path / "june.wav", back, back + 3))
    print(f"likeness to the caller: June {june @ caller:.2f}, cloned {cloned @ caller:.2f}")
    assert cloned @ caller > june @ caller
    assert hers @ june > hers @ caller
    # Nothing of a call with oneself is kept.
    assert not [path for path in (tmp_path / "data").rglob("*") if path.suffix == ".db"]

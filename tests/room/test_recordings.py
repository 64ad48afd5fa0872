"""An operator keeps the sound of consents: what lies on the disk after a real call."""

import wave
from pathlib import Path

import numpy as np
import pytest

from agent.livekit_server import LoopbackServer
from agent.models.local.engine import LocalSpeech
from agent.voices.embedding import embed
from agent.voices.samples import samples_of
from room.conftest import Call
from room.ears import understand
from room.test_mockingbird import SAMPLE, VOICES, begun, near, sound_of
from room.worker import Worker
from skills.sound import Sound


@pytest.mark.slow
async def test_a_consent_is_recorded_and_goes_with_the_voice(
    livekit: LoopbackServer, call: Call, ears: LocalSpeech, tmp_path: Path
) -> None:
    """It is the caller who says so in it."""
    settings = {"JUNE_AGENT__NAME": "june-recording", "JUNE_MOCKINGBIRD__KEEP_RECORDINGS": "true"}
    async with Worker.of(livekit, tmp_path, JUNE_WORKER__DRAIN_SECONDS="1", **settings) as worker:
        await worker.ready()
        ann = await begun(call, VOICES["slt"], agent="june-recording")
        await ann.consents()
        [file] = (tmp_path / "data" / "consents").iterdir()
        with wave.open(str(file)) as reader:
            kept = Sound(reader.readframes(reader.getnframes()), reader.getframerate())
        heard = await understand(ears, (samples_of(kept) * 32_767).astype(np.int16))
        likeness = near(embed(kept), embed(sound_of(await ann.speaks(SAMPLE))))
        print(f"recorded {kept.seconds:.1f} s: {heard!r}; likeness to the caller {likeness:.2f}")
        assert "my voice" in heard.lower()
        assert likeness > 0.8
        await ann.gives_a_sample()
        await ann.caller.hear(30)
        await ann.says("Delete my voice.")
        await ann.caller.until(lambda: not file.exists(), 10, "the recording is gone")

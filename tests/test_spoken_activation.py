"""The phrases that skills are asked for with, spoken by synthetic voices and heard by June's ears."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import stt
from livekit.plugins import silero
from room.voices import RATE, heard_at_once, synthetic
from test_utterances import FOLDER, Utterance, understood

from agent.models.local.engine import HEARING_RATE, LocalSpeech
from agent.models.local.stt import LocalSTT
from agent.turns import load_vad

PIPER = "piper"
VOICES = (PIPER, "slt", "rms")
UNSEEN = "awb"
"""Nobody has looked at what was heard of it when sound-alikes were added."""

SILENCE = np.zeros(HEARING_RATE, np.int16)
"""One second: before somebody speaks, and long enough after it to be the end."""


@dataclass(frozen=True)
class Heard:
    voice: str
    said: Utterance
    text: str

    @property
    def is_understood(self) -> bool:
        """As what it was meant, with the length, the language or the place that was said."""
        label, slots = understood(Utterance(self.said.label, self.text))
        return label == self.said.label and all(
            slots.get(name) == value for name, value in self.said.holds.items()
        )


def phrases() -> list[Utterance]:
    found = []
    for line in (FOLDER / "spoken.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            label, text, *holds = line.split("\t")
            found.append(Utterance(label, text, json.loads(holds[0]) if holds else {}))
    return found


class Room:
    """A voice, and the ears that June has in a call: her VAD, her cutting, her model."""

    def __init__(self, speech: LocalSpeech, detector: silero.VAD) -> None:
        self._speech = speech
        self._ears = LocalSTT(speech, detector)

    async def hears(self, text: str, voice: str) -> str:
        sound = heard_at_once(await self._spoken(text, voice))
        stream = self._ears.stream()
        stream.push_frame(_frame(np.concatenate([SILENCE, sound, SILENCE])))
        stream.end_input()
        parts = [
            event.alternatives[0].text
            async for event in stream
            if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT
        ]
        await stream.aclose()
        return " ".join(parts)

    async def _spoken(self, text: str, voice: str) -> rtc.AudioFrame:
        if voice != PIPER:
            return await synthetic(text, voice)
        sound = b"".join([chunk async for chunk in self._speech.speak(text)])
        return rtc.AudioFrame(sound, self._speech.speaking_rate, 1, len(sound) // 2)


def _frame(samples: np.ndarray) -> rtc.AudioFrame:
    return rtc.AudioFrame(samples.tobytes(), HEARING_RATE, 1, len(samples))

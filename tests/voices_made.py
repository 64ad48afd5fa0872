"""Voices as `Sound`: flite's and Piper's, made when they are asked for, and two people's."""

from livekit import rtc

from room.voices import piper, recording, synthetic
from skills.sound import Sound

CONSENT = "I agree that June may speak with my voice in this call: copper meadow forty two."

STORIES = (
    "Last weekend we drove out to the lake because the weather was lovely, and we had a picnic "
    "under the old trees until it began to rain.",
    "My brother called me yesterday and asked whether I could help him to move his furniture to "
    "the new flat on Friday, so I borrowed a van.",
    "The train was late again this morning, so I had plenty of time to read the newspaper and to "
    "drink a cup of coffee at the station.",
)

MADE = ("slt", "rms", "awb", "kal16", "piper")
PEOPLE = ("two_cities", "beckett")


async def said(voice: str, text: str) -> Sound:
    """`voice` is one of `MADE`."""
    return sound_of(await (piper(text) if voice == "piper" else synthetic(text, voice)))


def read_by(person: str) -> Sound:
    """All that one of `PEOPLE` reads: 44 s and 9 s."""
    return sound_of(recording(person))


def sound_of(frame: rtc.AudioFrame) -> Sound:
    return Sound(bytes(frame.data.cast("b")), frame.sample_rate)


def cut(sound: Sound, begin_seconds: float, end_seconds: float) -> Sound:
    begin, end = (2 * int(s * sound.sample_rate) for s in (begin_seconds, end_seconds))
    return Sound(sound.pcm[begin:end], sound.sample_rate)

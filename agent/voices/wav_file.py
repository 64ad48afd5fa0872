"""Sound as a wav file in memory, for who uploads it."""

import io
import wave

from skills.sound import BYTES_A_SAMPLE, Sound


def wav_of(sound: Sound) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(BYTES_A_SAMPLE)
        writer.setframerate(sound.sample_rate)
        writer.writeframes(sound.pcm)
    return file.getvalue()

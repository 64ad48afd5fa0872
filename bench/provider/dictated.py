"""Ears that hear what a script says, for a test in which the words matter and not the hearing."""

from collections.abc import AsyncIterator

from agent.models.local.engine import HEARING_RATE, Speech
from bench.provider.faults import Empty
from bench.provider.script import Hearing
from bench.provider.sound import seconds_of

WORDS_PER_SECOND = 2.5


class Dictated:
    """Satisfies `Speech` beside the ears that it stands in for."""

    def __init__(self, text: str, speech: Speech) -> None:
        self._text = text
        self._speech = speech

    async def transcribe(self, pcm: bytes, *, final: bool) -> str:
        if final:
            return self._text
        words = self._text.split()
        return " ".join(words[: round(seconds_of(pcm, HEARING_RATE) * WORDS_PER_SECOND)])

    def speak(self, text: str) -> AsyncIterator[bytes]:
        return self._speech.speak(text)

    @property
    def speaking_rate(self) -> int:
        return self._speech.speaking_rate

    async def aclose(self) -> None:
        """The ears behind belong to somebody else."""


def ears_for(take: Hearing, speech: Speech) -> Speech:
    """What hears in this take."""
    if isinstance(take.fault, Empty):
        return Dictated("", speech)
    return speech if take.text is None else Dictated(take.text, speech)

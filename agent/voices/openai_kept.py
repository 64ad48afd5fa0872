"""What OpenAI keeps of callers: recordings of consents, and the voices that were made by them.

The requests are those of the SDK 3.54, which has none that lists or shows voices; deleting a voice
leaves its consent, and deleting it again is answered with 404.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from openai import AsyncOpenAI, NotFoundError
from openai.pagination import AsyncCursorPage
from openai.types.audio import VoiceConsent
from openai.types.audio.voice import Voice

from agent.voices.cloner import CloneFailed
from agent.voices.openai_answers import answered

LANGUAGE = "en-US"
"""Of the sentence that OpenAI demands."""

ID = re.compile(r"[\w-]{1,200}")
PAGE = 100


@dataclass(frozen=True)
class Deadlines:
    """How long one request may take."""

    upload_seconds: float = 30.0
    sound_seconds: float = 3.0
    """Until the first sound, and from one to the next."""
    other_seconds: float = 10.0


class Kept:
    """Each method may raise `CloneFailed`. The client stays its owner's to close."""

    def __init__(self, client: AsyncOpenAI, deadlines: Deadlines) -> None:
        self._client = client
        self._deadlines = deadlines

    async def consents(self) -> list[VoiceConsent]:
        """All of the organisation's."""
        async with answered(self._deadlines.other_seconds):
            return [each async for each in self._client.audio.voice_consents.list(limit=PAGE)]

    async def add_consent(self, label: str, wav: bytes) -> str:
        """Its id."""
        async with answered(self._deadlines.upload_seconds):
            return id_of(
                await self._client.audio.voice_consents.create(
                    name=label, language=LANGUAGE, recording=("consent.wav", wav, "audio/wav")
                )
            )

    async def label(self, consent: str, label: str) -> None:
        async with answered(self._deadlines.other_seconds):
            await self._client.audio.voice_consents.update(consent, name=label)

    async def delete_consent(self, consent: str) -> None:
        """There being none is no error."""
        async with answered(self._deadlines.other_seconds):
            with suppress(NotFoundError):
                await self._client.audio.voice_consents.delete(consent)

    async def add_voice(self, name: str, consent: str, wav: bytes) -> str:
        """Its id."""
        async with answered(self._deadlines.upload_seconds):
            return id_of(
                await self._client.audio.voices.create(
                    name=name, consent=consent, audio_sample=("sample.wav", wav, "audio/wav")
                )
            )

    async def delete_voices(self, voices: Iterable[str]) -> None:
        """Returns once the provider says of each that it has no such voice."""
        for voice in voices:
            await self._delete_voice(voice)

    async def _delete_voice(self, voice: str) -> None:
        for _ in range(2):
            async with answered(self._deadlines.other_seconds):
                try:
                    await self._client.audio.voices.delete(voice)
                except NotFoundError:
                    return
        raise CloneFailed("the provider says that a voice is deleted, and still has it")

    async def lost_voices(self, name: str) -> list[str]:
        """Those of this name whose ids never came back: OpenAI lists none, other servers may."""
        try:
            async with answered(self._deadlines.other_seconds):
                listed = self._client.get_api_list(
                    "/audio/voices", model=Voice, page=AsyncCursorPage[Voice]
                )
                return [id_of(voice) async for voice in listed if voice.name == name]
        except CloneFailed:
            raise CloneFailed(
                "a voice was asked for, the answer was lost, and the provider lists no voices: "
                "delete it at https://platform.openai.com/audio/voices, then its consent"
            ) from None


def id_of(answer: VoiceConsent | Voice) -> str:
    """Raises `CloneFailed` for one that cannot be part of a label, or of a path."""
    if not ID.fullmatch(answer.id):
        raise CloneFailed("the provider's answer has no id")
    return answer.id

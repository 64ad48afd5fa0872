"""Voices at OpenAI: the caller's consent is kept there, and a voice is made by it.

Phrase and limits are those of https://developers.openai.com/api/docs/guides/custom-voices. Custom
voices are for customers whom OpenAI has let in; others are refused by status. Consents can be
listed and renamed there and voices cannot, so the label of a consent says what was made by it:

* `name`           no voice was asked for, or none was made
* `name asked`     a voice was asked for; if that stays, the answer is lost
* `name voice_12`  that is the voice
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from functools import cached_property

from openai import AsyncOpenAI
from openai.types.audio import VoiceConsent
from pydantic import SecretStr

from agent.models.openai import NO_KEY
from agent.settings import TtsSettings
from agent.voices.cloner import CloneFailed
from agent.voices.openai_answers import NotDone, answered
from agent.voices.openai_kept import Deadlines, Kept
from agent.voices.samples import frame_of
from skills.sound import BYTES_A_SAMPLE, Sound

PHRASE = (
    "I am the owner of this voice and I consent to OpenAI using this voice to create a synthetic "
    "voice model."
)
MOST_VOICES = 20
LONGEST_SAMPLE_SECONDS = 30.0
LARGEST_FILE_BYTES = 10 * 1024 * 1024
RATE = 24_000
"""Samples per second of OpenAI's `pcm`."""

ASKED = "asked"
HAS_A_VOICE = re.compile(r" voice_\S+$")
NO_SOUND = ("text/", "application/json")


class OpenAIVoices:
    """A `Cloner`. Server, key and model are those of `[tts]`."""

    def __init__(
        self, settings: TtsSettings, key: SecretStr | None, deadlines: Deadlines | None = None
    ) -> None:
        self._settings = settings
        self._key = key
        self._deadlines = deadlines or Deadlines()
        self._making: set[asyncio.Task[str]] = set()
        self._made: dict[str, str] = {}
        """Voices by their consent, also where its label could not be written."""

    @cached_property
    def _client(self) -> AsyncOpenAI:
        # To make it takes 50 ms, which only a call that clones should pay.
        return AsyncOpenAI(
            api_key=NO_KEY if self._key is None else self._key.get_secret_value(),
            base_url=self._settings.url,
            max_retries=0,
        )

    @property
    def _kept(self) -> Kept:
        return Kept(self._client, self._deadlines)

    @property
    def provider(self) -> str:
        return self._client.base_url.netloc.decode()

    @property
    def model(self) -> str:
        return self._settings.model

    @property
    def sample_rate(self) -> int:
        return RATE

    @property
    def phrases(self) -> Sequence[str]:
        return (PHRASE,)

    async def clone(self, name: str, sample: Sound, phrases: Sequence[Sound]) -> str:
        """The id of the voice."""
        (phrase,) = phrases
        recording, speech = frame_of(phrase).to_wav_bytes(), frame_of(sample).to_wav_bytes()
        if sample.seconds > LONGEST_SAMPLE_SECONDS or len(recording) > LARGEST_FILE_BYTES:
            raise CloneFailed("OpenAI takes 30 s of a sample at most, and 10 MiB of a consent")
        voices = sum(bool(HAS_A_VOICE.search(each.name)) for each in await self._kept.consents())
        if voices >= MOST_VOICES:
            raise CloneFailed(f"OpenAI's limit of {MOST_VOICES} voices is reached")
        consent = await self._kept.add_consent(name, recording)
        is_stopped = asyncio.Event()
        making = asyncio.create_task(
            self._make(consent, name, speech, is_stopped), name="june.openai_voice"
        )
        self._making.add(making)
        making.add_done_callback(self._settle)
        try:
            # A caller who stops in the middle of it must not leave a voice whose id nobody knows.
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            is_stopped.set()
            raise

    async def _make(self, consent: str, name: str, sample: bytes, is_stopped: asyncio.Event) -> str:
        await self._kept.label(consent, f"{name} {ASKED}")
        if is_stopped.is_set():
            await self._kept.label(consent, name)
            raise CloneFailed("it was stopped before the sample was sent")
        try:
            voice = await self._kept.add_voice(name, consent, sample)
        except NotDone:
            with suppress(CloneFailed):
                await self._kept.label(consent, name)
            raise
        self._made[consent] = voice
        await self._kept.label(consent, f"{name} {voice}")
        return voice

    def _settle(self, making: asyncio.Task[str]) -> None:
        self._making.discard(making)
        if not making.cancelled():
            making.exception()  # asyncio would log one that nobody waits for any more

    async def speak(self, clone: str, text: str) -> AsyncIterator[bytes]:
        odd = b""
        async with AsyncExitStack() as stack:
            async with answered(self._deadlines.sound_seconds):
                response = await stack.enter_async_context(
                    self._client.audio.speech.with_streaming_response.create(
                        input=text, model=self.model, voice={"id": clone}, response_format="pcm"
                    )
                )
                if response.headers.get("content-type", "").startswith(NO_SOUND):
                    raise CloneFailed("the provider answers something else than sound")
                pieces = aiter(response.iter_bytes())
                piece = await anext(pieces, None)
            if piece is None:
                raise CloneFailed("the provider answers without a sound")
            while piece is not None:
                sound = odd + piece
                whole = len(sound) - len(sound) % BYTES_A_SAMPLE
                odd = sound[whole:]
                if whole:
                    yield sound[:whole]
                async with answered(self._deadlines.sound_seconds):
                    piece = await anext(pieces, None)

    async def delete(self, name: str) -> None:
        await self._made_or_not()
        for consent in await self._consents_of(name):
            voice = self._made.get(consent.id) or consent.name.removeprefix(name).strip()
            lost = voice == ASKED
            await self._kept.delete_voices(
                await self._kept.lost_voices(name) if lost else filter(None, [voice])
            )
            await self._kept.delete_consent(consent.id)
        if await self._consents_of(name):
            raise CloneFailed("the provider says that a consent is deleted, and still has it")

    async def _consents_of(self, name: str) -> list[VoiceConsent]:
        return [
            each for each in await self._kept.consents() if f"{each.name} ".startswith(f"{name} ")
        ]

    async def aclose(self) -> None:
        """Waits for a voice that is being made, as long as its requests may take."""
        await self._made_or_not()
        if "_client" in vars(self):
            await self._client.close()

    async def _made_or_not(self) -> None:
        if self._making:
            await asyncio.wait(self._making)

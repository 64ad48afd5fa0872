"""The voice cloner: from a consent and a sample to a voice that this call may put on."""

import asyncio
import base64
import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np
import structlog
from livekit.agents import tts, utils

from agent.models.metered_tts import MeteredTTS
from agent.voices.cloned import ClonedTTS
from agent.voices.cloner import CloneFailed, Cloner
from agent.voices.doomed import remove_doomed
from agent.voices.embedding import Embedding, embed
from agent.voices.proof import prove
from agent.voices.quality import problem_of
from agent.voices.recordings import Recordings
from agent.voices.same_speaker import is_same_speaker
from session import NoConsent, Session, SessionError, Voices
from session.usage import Purse
from session.voice_records import Clone, Consent, Voice
from skills import VoiceTrouble
from skills.sound import Sound
from skills.voice import Why

log = structlog.get_logger(__name__)

LEAST_CONSENT_SECONDS = 2.0
"""Less speech does not tell who it is."""

MAKE_SECONDS = 90.0
"""Less than a clone may take to be kept, and to be swept."""

TELLS_NO_SPEAKER = (Why.TOO_QUIET, Why.NOT_SPEECH, Why.WHISPERED, Why.SEVERAL_VOICES)
"""What is wrong with a sentence; noise and clipping matter where a voice is made of it."""


@dataclass(frozen=True)
class Grant:
    """A voice that may be put on in this call: its speaker consented in it, or was matched."""

    consent: Consent
    clone: Clone


@dataclass(frozen=True)
class _Consenting:
    consent: Consent
    speaker: Embedding


class CallCloner:
    """Lives as long as one call. `made_by` names the cloner, as `agent.toml` does."""

    def __init__(
        self,
        voices: Voices,
        session: Session,
        cloner: Cloner,
        *,
        purse: Purse,
        recordings: Recordings | None,
        made_by: str,
        call_id: str,
        valid_seconds: float,
    ) -> None:
        self._voices = voices
        self._session = session
        self._cloner = cloner
        self._purse = purse
        self._recordings = recordings
        self._made_by = made_by
        self._call_id = call_id
        self._valid_seconds = valid_seconds
        self._consenting: _Consenting | None = None
        self._phrases: list[Sound] = []
        self._name = ""
        """Under which a voice is being made."""
        self._making: asyncio.Task[str] | None = None
        self._giving: asyncio.Task[Consent] | None = None
        self.is_unconfirmed = False
        """Whether the maker has not confirmed that what was discarded last is gone."""
        self.grant: Grant | None = None

    @property
    def phrases(self) -> Sequence[str]:
        return self._cloner.phrases

    async def consent(self, asked: str, heard: str, said: Sound) -> bool:
        speaker = await self._speaker_of(said)
        with _in_words():
            voice = await self._voices.of(self._session)
        if voice is not None and await self._is_theirs(voice, speaker):
            log.info("voice.taken_up")
            return True
        self.grant = None
        self._clear()
        giving = self._give(asked, heard, said, speaker)
        self._giving = asyncio.create_task(giving, name="june.voice.consent")
        with _in_words():
            # Who gives up here must know what was kept, to delete it.
            consent = await asyncio.shield(self._giving)
        self._consenting, self._giving = _Consenting(consent, speaker), None
        if self._recordings is not None:
            await self._recordings.delete(consent.user, lambda other: other != consent.consent_id)
        with suppress(SessionError):
            await self._remove()
        return False

    async def _give(self, asked: str, heard: str, said: Sound, speaker: Embedding) -> Consent:
        """With its recording, where the operator wants that: one without it is none to them."""
        consent = await self._voices.give(
            self._session,
            call_id=self._call_id,
            asked=asked,
            heard=heard,
            audio_sha256=hashlib.sha256(said.pcm).hexdigest(),
            embedding=write_embedding(speaker),
            seconds_valid=self._valid_seconds,
        )
        if self._recordings is None:
            return consent
        try:
            await self._recordings.keep(consent, said)
        except OSError as error:
            log.error("consent.not_recorded", error=error.strerror)
            await self._voices.delete(consent.user, "unfinished", only=consent.consent_id)
            raise VoiceTrouble(Why.AWAY) from None
        return consent

    def voice_of(self, clone: str) -> tts.TTS[str]:
        """Speaks with what a cloner has made; each request is paid for."""
        return MeteredTTS(ClonedTTS(self._cloner, clone), self._purse)

    async def _is_theirs(self, voice: Voice, speaker: Embedding) -> bool:
        """Whether this speaker may put on the voice that is there, and it still speaks."""
        clone = voice.clone
        if clone is None or clone.cloner != self._made_by:
            return False
        if not is_same_speaker(read_embedding(voice.consent.embedding), speaker):
            log.info("voice.of_another_speaker")
            return False
        try:
            await prove(self.voice_of(clone.data))
        except CloneFailed as error:
            log.warning("voice.not_taken_up", cloner=self._made_by, why=str(error))
            return False
        self.grant = Grant(voice.consent, clone)
        return True

    async def phrase(self, said: Sound) -> None:
        await self._matched(said)
        self._phrases.append(said)

    async def make(self, sample: Sound) -> None:
        consent = await self._matched(sample)
        try:
            with _in_words():
                name = self._name = await self._voices.begin_clone(consent, self._made_by)
            making = self._clone(name, sample)
            self._making = asyncio.create_task(making, name="june.voice.make")
            # Who gives up waits for its end before it deletes: half a voice would appear later.
            data = await asyncio.shield(self._making)
            await prove(self.voice_of(data))
            with _in_words():
                clone = await self._voices.keep_clone(consent, name, data)
        except CloneFailed as error:
            log.warning("voice.not_made", cloner=self._made_by, why=str(error))
            raise VoiceTrouble(Why.FAILED) from None
        self.grant = Grant(consent, clone)
        self._clear()
        log.info("voice.made", cloner=self._made_by)

    async def _clone(self, name: str, sample: Sound) -> str:
        try:
            async with asyncio.timeout(MAKE_SECONDS):
                return await self._cloner.clone(name, sample, tuple(self._phrases))
        except TimeoutError:
            raise CloneFailed(f"it took more than {MAKE_SECONDS:.0f} s") from None

    async def _matched(self, said: Sound) -> Consent:
        """The consent of whoever spoke."""
        if self._consenting is None:
            raise VoiceTrouble(Why.NO_CONSENT)
        speaker = await self._speaker_of(said)
        if not is_same_speaker(self._consenting.speaker, speaker):
            raise VoiceTrouble(Why.ANOTHER_SPEAKER)
        return self._consenting.consent

    async def _speaker_of(self, said: Sound) -> Embedding:
        if said.seconds < LEAST_CONSENT_SECONDS:
            raise VoiceTrouble(Why.TOO_SHORT)
        problem = await asyncio.to_thread(problem_of, said, None)
        if problem in TELLS_NO_SPEAKER:
            raise VoiceTrouble(problem)
        return await asyncio.to_thread(embed, said)

    async def discard(self) -> None:
        self.is_unconfirmed = False
        consent = await self._unfinished()
        if consent is None:
            return
        with suppress(SessionError):  # the worker's clean-up finds it
            # A later call of this user may have consented meanwhile; that is theirs.
            only = consent.consent_id
            await self._voices.delete(self._session.user, "unfinished", only=only)
        if self._recordings is not None:
            await self._recordings.delete(consent.user, lambda one: one == consent.consent_id)
        name, making = self._name, self._making
        if making is not None:
            await asyncio.wait({making})
        self._clear()
        self.is_unconfirmed = bool(name)
        with suppress(SessionError):
            if name:
                await self._voices.abandon(name)
            self.is_unconfirmed = name in await self._remove()

    async def _unfinished(self) -> Consent | None:
        """What was consented to and not made, also if it is only being kept."""
        giving, self._giving = self._giving, None
        if giving is not None:
            await asyncio.wait({giving})
            if not giving.cancelled() and giving.exception() is None:
                return giving.result()
        return None if self._consenting is None else self._consenting.consent

    @property
    def is_begun(self) -> bool:
        """Whether something was consented to, and is not finished."""
        return self._consenting is not None or self._giving is not None

    async def aclose(self) -> None:
        """What a maker still does is cut off: the clean-up asks it to delete."""
        left = [one for one in (self._making, self._giving) if one is not None and not one.done()]
        await utils.aio.cancel_and_wait(*left)

    def _clear(self) -> None:
        self._consenting, self._making = None, None
        self._phrases, self._name = [], ""

    async def delete(self) -> bool | None:
        """All there is of this user's voice; whether its maker confirmed it, None for nothing.

        May raise `SessionError`.
        """
        self.grant = None
        deleted = await self._voices.delete(self._session.user, "asked")
        is_unheard = self._recordings is None or await self._recordings.delete(self._session.user)
        if deleted is None:
            return None
        left = await self._remove()
        return is_unheard and not any(one.name in left for one in deleted.doomed)

    async def _remove(self) -> Collection[str]:
        """What is doomed, also at its maker's; the names of what is still there."""
        return await remove_doomed(self._voices, {self._made_by: self._cloner})


@contextmanager
def _in_words() -> Iterator[None]:
    """The store's faults, as what they mean to a voice."""
    try:
        yield
    except NoConsent:
        raise VoiceTrouble(Why.NO_CONSENT) from None
    except SessionError as error:
        log.warning("voice.not_kept", error=str(error))
        raise VoiceTrouble(Why.AWAY) from None


def write_embedding(speaker: Embedding) -> str:
    """As it is kept: half precision changes a similarity by less than a thousandth."""
    return base64.b64encode(speaker.astype("<f2").tobytes()).decode()


def read_embedding(kept: str) -> Embedding:
    return np.frombuffer(base64.b64decode(kept), "<f2").astype(np.float32)

"""The voice cloner: from a consent and a sample to a voice that this call may put on."""

import asyncio
import base64
import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np
import structlog

from agent.voices.cloner import CloneFailed, Cloner
from agent.voices.doomed import remove_doomed
from agent.voices.embedding import Embedding, embed
from agent.voices.proof import prove
from agent.voices.quality import problem_of
from agent.voices.same_speaker import is_same_speaker
from session import NoConsent, Session, SessionError, SessionService
from session.voice_records import Clone, Consent
from skills import VoiceTrouble
from skills.sound import Sound
from skills.voice import Why

log = structlog.get_logger(__name__)

LEAST_CONSENT_SECONDS = 2.0
"""Less speech does not tell who it is."""

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
        sessions: SessionService,
        session: Session,
        cloner: Cloner,
        *,
        made_by: str,
        call_id: str,
        valid_seconds: float,
    ) -> None:
        self._voices = sessions.voices
        self._session = session
        self._cloner = cloner
        self._made_by = made_by
        self._call_id = call_id
        self._valid_seconds = valid_seconds
        self._consenting: _Consenting | None = None
        self._phrases: list[Sound] = []
        self._name = ""
        """Under which a voice is being made."""
        self._making: asyncio.Task[str] | None = None
        self.grant: Grant | None = None

    @property
    def phrases(self) -> Sequence[str]:
        return self._cloner.phrases

    async def consent(self, asked: str, heard: str, said: Sound) -> bool:
        speaker = await self._speaker_of(said)
        with _in_words():
            voice = await self._voices.of(self._session)
        if voice is not None and voice.clone is not None and voice.clone.cloner == self._made_by:
            if is_same_speaker(read_embedding(voice.consent.embedding), speaker):
                self.grant = Grant(voice.consent, voice.clone)
                log.info("voice.taken_up")
                return True
            log.info("voice.of_another_speaker")
        self.grant = None
        self._clear()
        with _in_words():
            consent = await self._voices.give(
                self._session,
                call_id=self._call_id,
                asked=asked,
                heard=heard,
                audio_sha256=hashlib.sha256(said.pcm).hexdigest(),
                embedding=write_embedding(speaker),
                seconds_valid=self._valid_seconds,
            )
        self._consenting = _Consenting(consent, speaker)
        with suppress(SessionError):
            await self._remove()
        return False

    async def phrase(self, said: Sound) -> None:
        await self._matched(said)
        self._phrases.append(said)

    async def make(self, sample: Sound) -> None:
        consent = await self._matched(sample)
        try:
            with _in_words():
                name = self._name = await self._voices.begin_clone(consent, self._made_by)
            making = self._cloner.clone(name, sample, tuple(self._phrases))
            self._making = asyncio.create_task(making, name="june.voice.make")
            # Who gives up waits for its end before it deletes: half a voice would appear later.
            data = await asyncio.shield(self._making)
            await prove(self._cloner, data)
            with _in_words():
                clone = await self._voices.keep_clone(consent, name, data)
        except CloneFailed as error:
            log.warning("voice.not_made", cloner=self._made_by, why=str(error))
            raise VoiceTrouble(Why.FAILED) from None
        self.grant = Grant(consent, clone)
        self._clear()
        log.info("voice.made", cloner=self._made_by)

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
        if self._consenting is None:
            return
        if self._making is not None:
            await asyncio.wait({self._making})
        # A later call of this user may have consented meanwhile; that is theirs.
        name, only = self._name, self._consenting.consent.consent_id
        self._clear()
        with suppress(SessionError):  # the worker's clean-up finds it
            await self._voices.delete(self._session.user, "unfinished", only=only)
            if name:
                await self._voices.abandon(name)
            await self._remove()

    def _clear(self) -> None:
        self._consenting, self._making = None, None
        self._phrases, self._name = [], ""

    async def delete(self) -> bool | None:
        """All there is of this user's voice; whether its maker confirmed it, None for nothing.

        May raise `SessionError`.
        """
        self.grant = None
        deleted = await self._voices.delete(self._session.user, "asked")
        if deleted is None:
            return None
        left = await self._remove()
        return not any(one.name in left for one in deleted.doomed)

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

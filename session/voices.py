"""Callers' voices: who consented, what was made of it, what was said with it, and that it is gone.

A clone is made in three steps, each of which may be the last that a process does: a consent is
given, a name is listed, and only then its maker is asked; what was made is kept if the consent
still holds. `overdue` finds whatever was left on the way.
"""

from collections.abc import Callable, Mapping, Sequence

from session import voice_making
from session.errors import NoConsent
from session.manifest import MOST_UTTERANCES, Manifest
from session.records import Session
from session.signing import Signing
from session.store.protocol import Store
from session.voice_deletion import delete_voice
from session.voice_places import VoicePlaces
from session.voice_records import (
    Clone,
    CloneCount,
    Consent,
    Deleted,
    Doomed,
    Receipt,
    Utterance,
    Voice,
    WhyDeleted,
)
from session.voice_sweep import expire, gone, overdue


class Voices:
    """Holds nothing itself. Every method may raise `StoreError`.

    A record that is not as June signed it, is another user's or has expired counts as absent.
    """

    def __init__(self, store: Store, key: bytes, now: Callable[[], float]) -> None:
        """`key` is June's own; `now` is in Unix seconds."""
        self._places = VoicePlaces(store, Signing(key), now)

    async def of(self, session: Session) -> Voice | None:
        """What this session's user has consented to, and what was made of it."""
        return await self._places.voice_of(session.user).valid()

    async def may_speak(self, consent_id: str, session: Session) -> bool:
        """Whether this user's clone of this consent may be used now. One look at the store."""
        voice = await self.of(session)
        return (
            voice is not None and voice.clone is not None and voice.consent.consent_id == consent_id
        )

    async def is_kept(self, consent_id: str) -> bool:
        """Whether there is such a consent, anybody's, and nobody is deleting it."""
        entry = await self._places.consents.get(consent_id)
        return entry is not None and entry.leaving is None

    async def give(
        self,
        session: Session,
        *,
        call_id: str,
        asked: str,
        heard: str,
        audio_sha256: str,
        embedding: str,
        seconds_valid: float,
    ) -> Consent:
        """Keep a consent. What was kept of an earlier one, and its clone, is deleted first.

        Raises:
            MemoryFull: if more people consent than are kept.
            TextTooLong: if all of it is more than 4,000 characters.
        """
        return await voice_making.give(
            self._places,
            session,
            call_id=call_id,
            asked=asked,
            heard=heard,
            audio_sha256=audio_sha256,
            embedding=embedding,
            seconds_valid=seconds_valid,
        )

    async def begin_clone(self, consent: Consent, cloner: str) -> str:
        """The name under which this cloner may now be asked to make a voice.

        Raises:
            MemoryFull: if there are more clones than are kept.
            NoConsent: if it is not its user's valid one.
        """
        return await voice_making.begin_clone(self._places, consent, cloner)

    async def keep_clone(self, consent: Consent, name: str, data: str) -> Clone:
        """What its maker made under this name becomes the user's voice.

        Raises:
            NoConsent: if the consent does not hold any more or it took too long. Then the name is
                doomed, and its maker is to be asked to delete it.
            TextTooLong: if `data` is.
        """
        return await voice_making.keep_clone(self._places, consent, name, data)

    async def abandon(self, name: str) -> Doomed | None:
        """Its maker failed, and works at it no more; None if it was kept or is not known."""
        return await voice_making.abandon(self._places, name)

    async def list_utterances(
        self, session: Session, call_id: str, part: int, utterances: Sequence[Utterance]
    ) -> None:
        """What was said in this user's voice in a call, at most 35 utterances a part.

        Only the last part of a call may be written anew.

        Raises:
            MemoryFull: if the user has 100 parts.
            NoConsent: if the user's voice is deleted or has expired.
            ValueError: for more than 35.
        """
        if len(utterances) > MOST_UTTERANCES:
            raise ValueError(f"{len(utterances)} utterances do not fit in one part")
        if await self.of(session) is None:
            raise NoConsent
        manifest = self._manifest_of(session)
        await manifest.write(call_id, part, utterances)
        if await self.of(session) is None:
            # A deletion saw it, or it is taken away here.
            await manifest.take(call_id, part)
            raise NoConsent

    async def manifest(self, session: Session) -> tuple[Utterance, ...]:
        """Call by call; without parts that are not as June signed and joined them."""
        return await self._manifest_of(session).utterances()

    async def delete(
        self, user: str, why: WhyDeleted, *, only: str | None = None
    ) -> Deleted | None:
        """All that is kept of a user's voice, valid or not; None where there is nothing.

        `user` is a keyed hash, as `Session.user`; `only` the id of a consent, and if there is
        another one by now, nothing is deleted. A clone that is being made is not waited for: it is
        not kept, or `abandon` dooms it.
        """
        return await delete_voice(self._places, user, why, only=only)

    async def delete_with_session(self, session: Session) -> Deleted | None:
        """If the consent was given in it."""
        consent = (await self._places.voice_of(session.user).found()).consent
        if consent is None or consent.session_id != session.session_id:
            return None
        return await delete_voice(
            self._places, session.user, "session deleted", only=consent.consent_id
        )

    async def expire(self) -> int:
        """Delete what expired; the clones then are `overdue`. How many voices there were."""
        return await expire(self._places)

    async def overdue(self) -> tuple[Doomed, ...]:
        """All clones that are to be deleted by their makers, also those that nobody has missed."""
        return await overdue(self._places)

    async def gone(self, name: str, *, verified: bool) -> Receipt | None:
        """The maker of a doomed clone was asked to delete it. Telling it twice is fine.

        `verified`: it was looked that nothing is left. Otherwise it stays doomed, and there is no
        receipt yet.
        """
        return await gone(self._places, name, verified=verified)

    async def receipts(self, day: str) -> tuple[Receipt, ...]:
        """Oldest first; `day` as `2026-01-31`, in UTC."""
        return await self._places.receipts.of_day(day)

    async def fleet(self) -> Mapping[str, CloneCount]:
        """How many clones there are, by the cloner's name."""
        states = [(one.cloner, one.state) for one in (await self._places.clones.all()).values()]
        doomed = [one.cloner for one in (await self._places.doomed.all()).values()]
        return {
            cloner: CloneCount(
                making=states.count((cloner, "making")),
                kept=states.count((cloner, "kept")),
                doomed=doomed.count(cloner),
            )
            for cloner in sorted({*doomed, *(name for name, _ in states)})
        }

    def _manifest_of(self, session: Session) -> Manifest:
        return self._places.manifest_of(session.user)

"""How a voice comes to be: a consent, a name, and what was made under it. Each is listed first."""

import secrets

from session.errors import MemoryFull, NoConsent
from session.records import Session
from session.storable import storable
from session.voice_deletion import delete_voice, retire
from session.voice_of_user import text_of
from session.voice_places import KEEP_WITHIN_SECONDS, ROOM, CloneEntry, ConsentEntry, VoicePlaces
from session.voice_records import Clone, Consent, Doomed

TRIES = 20
"""At an id whose part of the list has room: with half of the parts full, a million to one."""


async def give(
    places: VoicePlaces,
    session: Session,
    *,
    call_id: str,
    asked: str,
    heard: str,
    audio_sha256: str,
    embedding: str,
    seconds_valid: float,
) -> Consent:
    """As `Voices.give`."""
    now = places.now()
    consent = places.signing.sign(
        Consent(
            consent_id=await _listed_consent(places, session.user, now, now + seconds_valid),
            user=session.user,
            session_id=session.session_id,
            call_id=storable(call_id),
            asked=storable(asked),
            heard=storable(heard),
            given_at=now,
            expires_at=now + seconds_valid,
            audio_sha256=audio_sha256,
            embedding=embedding,
        )
    )
    text_of(consent)  # before anything is deleted for one that is too long
    await delete_voice(places, session.user, "replaced")
    await places.voice_of(session.user).keep_consent(consent)
    return consent


async def begin_clone(places: VoicePlaces, consent: Consent, cloner: str) -> str:
    """As `Voices.begin_clone`."""
    if not await _holds(places, consent):
        raise NoConsent
    for _ in range(TRIES):
        name = f"june-{secrets.token_hex(8)}"
        entry = CloneEntry(
            name=name,
            cloner=cloner,
            user=consent.user,
            consent_id=consent.consent_id,
            state="making",
            begun_at=places.now(),
            expires_at=consent.expires_at,
        )
        room = ROOM - await places.doomed.beside(name)
        if await places.clones.put_if_room(name, entry, at_most=room):
            return name
    raise MemoryFull


async def keep_clone(places: VoicePlaces, consent: Consent, name: str, data: str) -> Clone:
    """As `Voices.keep_clone`."""
    entry = await places.clones.get(name)
    if entry is None or entry.state != "making" or entry.consent_id != consent.consent_id:
        raise NoConsent
    clone = places.signing.sign(
        Clone(
            name=name,
            consent_id=consent.consent_id,
            cloner=entry.cloner,
            data=storable(data),
            made_at=places.now(),
        )
    )
    text_of(clone)
    if await _may_keep(places, consent, entry):
        await places.voice_of(consent.user).keep_clone(clone)
        await places.clones.put(name, entry.model_copy(update={"state": "kept"}))
        # Whoever deleted the voice meanwhile saw all of this, or is seen here.
        if await _may_keep(places, consent, entry):
            return clone
    await retire(places, entry, "unfinished")
    raise NoConsent


async def abandon(places: VoicePlaces, name: str) -> Doomed | None:
    """As `Voices.abandon`."""
    entry = await places.clones.get(name)
    if entry is None or entry.state != "making":
        return await places.doomed.get(name)
    return await retire(places, entry, "unfinished")


async def _may_keep(places: VoicePlaces, consent: Consent, entry: CloneEntry) -> bool:
    is_late = places.now() >= entry.begun_at + KEEP_WITHIN_SECONDS
    is_doomed = await places.doomed.get(entry.name) is not None
    return not is_late and not is_doomed and await _holds(places, consent)


async def _holds(places: VoicePlaces, consent: Consent) -> bool:
    """Whether it is its user's valid one."""
    voice = await places.voice_of(consent.user).valid()
    return voice is not None and voice.consent.consent_id == consent.consent_id


async def _listed_consent(places: VoicePlaces, user: str, now: float, expires_at: float) -> str:
    for _ in range(TRIES):
        consent_id = secrets.token_hex(16)
        entry = ConsentEntry(consent_id=consent_id, user=user, listed_at=now, expires_at=expires_at)
        if await places.consents.put_if_room(consent_id, entry, at_most=ROOM):
            return consent_id
    raise MemoryFull

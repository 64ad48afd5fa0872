"""Finds what expired, and what somebody left half done who died, and says what is to be deleted."""

import structlog

from session.voice_deletion import delete_voice, drop, finish, retire
from session.voice_places import GRACE_SECONDS, CloneEntry, ConsentEntry, VoicePlaces
from session.voice_records import Doomed, Receipt, WhyDeleted

UNUSED_SECONDS = 900.0
"""After which a consent of which no voice was made is of no use to anybody."""

log = structlog.get_logger(__name__)


async def expire(places: VoicePlaces) -> int:
    """Delete what is kept of users under consents that expired or were being deleted.

    Their clones are then doomed. How many voices there were.
    """
    expired = 0
    for entry in (await places.consents.all()).values():
        expired += await _look_at_consent(places, entry)
    return expired


async def overdue(places: VoicePlaces) -> tuple[Doomed, ...]:
    """All clones whose makers are to be asked to delete them; raises `StoreError`."""
    await expire(places)
    for entry in (await places.clones.all()).values():
        await _look_at_clone(places, entry)
    return tuple((await places.doomed.all()).values())


async def gone(places: VoicePlaces, name: str, *, verified: bool) -> Receipt | None:
    """What came of it. None if it is still to be done, or nothing is known of the name."""
    doomed = await places.doomed.get(name)
    if doomed is None:
        return await places.receipts.find(name)
    if not verified:
        await places.doomed.put(name, doomed.model_copy(update={"tries": doomed.tries + 1}))
        return None
    receipt = await places.receipts.keep(
        name,
        why=doomed.why,
        removed=(*doomed.removed, "provider copy"),
        utterances=doomed.utterances,
        manifest_digest=doomed.manifest_digest,
    )
    await places.doomed.take(name)
    await places.wipe()
    log.info("voice.gone", why=doomed.why, cloner=doomed.cloner, tries=doomed.tries + 1)
    return receipt


async def _look_at_consent(places: VoicePlaces, entry: ConsentEntry) -> bool:
    """Whether a voice was deleted."""
    if entry.leaving is not None:
        await finish(places, entry, entry.leaving)
        return True
    found = await places.voice_of(entry.user).found()
    if found.has_consent and found.consent is None:
        return await delete_voice(places, entry.user, "refused") is not None
    if found.consent is not None and found.consent.consent_id == entry.consent_id:
        if places.now() < entry.expires_at:
            if found.clones or places.now() < entry.listed_at + UNUSED_SECONDS:
                return False
            # Its call died, or was lost, before a voice was made of it.
            only = entry.consent_id
            return await delete_voice(places, entry.user, "unfinished", only=only) is not None
        deleted = await delete_voice(places, entry.user, "expired", only=entry.consent_id)
        return deleted is not None
    if places.now() >= entry.listed_at + GRACE_SECONDS:
        # Its user was forgotten, has consented anew, or did not live to the end of this one.
        # A clone of it is found in the other list.
        await places.consents.take(entry.consent_id)
    return False


async def _look_at_clone(places: VoicePlaces, entry: CloneEntry) -> None:
    if await places.doomed.get(entry.name) is not None:
        await drop(places, entry)  # somebody kept it while it was doomed, and died
        return
    if entry.state == "making":
        if places.now() >= entry.begun_at + GRACE_SECONDS:
            await retire(places, entry, "unfinished")
        return
    voice = await places.voice_of(entry.user).valid()
    if voice is not None and voice.clone is not None and voice.clone.name == entry.name:
        return
    consent = await places.consents.get(entry.consent_id)
    if consent is not None and consent.leaving is not None:
        await finish(places, consent, consent.leaving)  # it was begun a moment ago
        return
    is_over = places.now() >= entry.expires_at
    if voice is not None:
        why: WhyDeleted = "refused" if voice.clone is None else "replaced"
        await retire(places, entry, why)
        return
    why = "expired" if is_over else "refused"
    if await delete_voice(places, entry.user, why, only=entry.consent_id) is None:
        await retire(places, entry, "expired" if is_over else "forgotten")

"""How a voice is deleted, in steps that can be done again by whoever finds them half done.

First how it was begun is written down. Then the consent goes, so that nothing is said with the
voice any more; then all else of the user's; last the clone is doomed, which is then nobody's.
"""

import secrets

import structlog

from session.voice_places import CloneEntry, ConsentEntry, Leaving, VoicePlaces
from session.voice_records import Deleted, Doomed, Kind, WhyDeleted

log = structlog.get_logger(__name__)


async def delete_voice(
    places: VoicePlaces, user: str, why: WhyDeleted, *, only: str | None = None
) -> Deleted | None:
    """All that is kept of a user's voice, valid or not; None where there is nothing.

    Args:
        places: where it is kept.
        user: a keyed hash.
        why: for the receipt.
        only: the id of a consent; if there is another one by now, nothing is deleted.
    """
    found = await places.voice_of(user).found()
    if only is not None and (found.consent is None or found.consent_id != only):
        return None
    # Remains of which nobody knows the consent are deleted under an id of their own.
    consent_id = found.consent_id or secrets.token_hex(16)
    begun = await places.consents.get(consent_id)
    if begun is not None and begun.user == user and begun.leaving is not None:
        return await finish(places, begun, begun.leaving)
    manifest = await places.manifest_of(user).summary()
    removed: list[Kind] = []
    if found.has_consent:
        removed += ["consent", "embedding"]
    if found.clones:
        removed.append("clone")
    if manifest.parts:
        removed.append("manifest")
    if not removed:
        return None
    leaving = Leaving(
        why=why,
        removed=tuple(removed),
        clones=found.clone_names,
        utterances=manifest.utterances,
        manifest_digest=manifest.digest,
    )
    now = places.now()
    entry = ConsentEntry(
        consent_id=consent_id, user=user, listed_at=now, expires_at=now, leaving=leaving
    )
    await places.consents.put(consent_id, entry)
    return await finish(places, entry, leaving)


async def finish(places: VoicePlaces, entry: ConsentEntry, leaving: Leaving) -> Deleted:
    """A deletion that was begun: `leaving` is the entry's."""
    voice = places.voice_of(entry.user)
    found = await voice.found()
    if found.consent is None or found.consent.consent_id == entry.consent_id:
        await voice.take_all(found)
        await places.manifest_of(entry.user).take_all()
    doomed: list[Doomed] = []
    for name in leaving.clones:
        one = await _doom(places, entry.user, name, leaving, is_first=not doomed)
        doomed += [] if one is None else [one]
    receipt = None
    if not doomed:
        receipt = await places.receipts.keep(
            entry.consent_id,
            why=leaving.why,
            removed=leaving.removed,
            utterances=leaving.utterances,
            manifest_digest=leaving.manifest_digest,
        )
    await places.consents.take(entry.consent_id)
    await places.wipe()
    log.info("voice.deleted", why=leaving.why, removed=leaving.removed, doomed=len(doomed))
    return Deleted(removed=leaving.removed, doomed=tuple(doomed), receipt=receipt)


async def retire(places: VoicePlaces, entry: CloneEntry, why: WhyDeleted) -> Doomed:
    """Doom a clone that is not, or no longer, its user's voice."""
    doomed = await places.doomed.get(entry.name)
    if doomed is None:
        is_kept = entry.name in (await places.voice_of(entry.user).found()).clone_names
        doomed = Doomed(
            name=entry.name,
            cloner=entry.cloner,
            why=why,
            removed=("clone",) if is_kept else (),
        )
        await places.doomed.put(entry.name, doomed)
    # After it was doomed: whoever keeps it at this moment looks for that last.
    await drop(places, entry)
    return doomed


async def drop(places: VoicePlaces, entry: CloneEntry) -> None:
    """What leads from a clone to its user."""
    await places.voice_of(entry.user).take_clone(entry.consent_id, entry.name)
    await places.clones.take(entry.name)


async def _doom(
    places: VoicePlaces, user: str, name: str, leaving: Leaving, *, is_first: bool
) -> Doomed | None:
    """None if nobody has it any more."""
    entry = await places.clones.get(name)
    if entry is None or entry.user != user:
        return await places.doomed.get(name)
    doomed = Doomed(name=name, cloner=entry.cloner, why=leaving.why, removed=("clone",))
    if is_first:
        doomed = doomed.model_copy(
            update={
                "removed": leaving.removed,
                "utterances": leaving.utterances,
                "manifest_digest": leaving.manifest_digest,
            }
        )
    await places.doomed.put(name, doomed)
    await drop(places, entry)
    return doomed

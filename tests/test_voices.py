"""Callers' voices: consents, clones, deletion and receipts, in every store."""

import json
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs
from test_store import NOW
from voices_kept import (
    AUDIO,
    DAY,
    EMBEDDING,
    HOUR,
    KEY,
    Clock,
    call_of,
    consent_of,
    opened,
    said_with,
    sweep,
    voice_of,
)

from session import CloneCount, MemoryFull, NoConsent, TextTooLong, Voice, Voices
from session.fleet_list import PARTS
from session.signing import Signing
from session.store import MemoryStore, Store
from session.store.retention import MOST_KEYS
from session.voice_places import GRACE_SECONDS, KEEP_WITHIN_SECONDS, ROOM
from session.voice_records import SCOPE, Kind, Receipt
from session.voice_sweep import UNUSED_SECONDS

ALL_REMOVED: tuple[Kind, ...] = ("consent", "embedding", "clone", "manifest", "provider copy")

TODAY = datetime.fromtimestamp(NOW, UTC).strftime("%Y-%m-%d")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def voices(store: Store, clock: Clock) -> Voices:
    return opened(store, clock)


# Consent and clone.


async def test_a_voice_comes_back_as_it_was_given(store: Store, voices: Voices) -> None:
    """In another session of the same user, too."""
    session = await call_of(store)
    assert await voices.of(session) is None
    consent, clone = await voice_of(voices, session)
    assert (consent.user, consent.session_id, consent.call_id) == (
        "ann",
        session.session_id,
        "call",
    )
    assert (consent.given_at, consent.expires_at) == (NOW, NOW + DAY)
    assert (consent.scope, consent.embedding, consent.audio_sha256) == (SCOPE, EMBEDDING, AUDIO)
    assert (clone.cloner, clone.data) == ("openai", '{"voice": "voice_4711"}')
    assert clone.name.startswith("june-")
    assert int(clone.name.removeprefix("june-"), 16) < 2**64
    assert len(clone.name) == len("june-") + 16
    assert await voices.of(await call_of(store, room="other")) == Voice(
        consent=consent, clone=clone
    )


async def test_june_speaks_with_a_voice_only_once_there_is_one(
    store: Store, voices: Voices
) -> None:
    """And only under its own consent, to its own user."""
    session, stranger = await call_of(store), await call_of(store, "bob")
    consent = await consent_of(voices, session)
    assert not await voices.may_speak(consent.consent_id, session)
    name = await voices.begin_clone(consent, "openai")
    assert not await voices.may_speak(consent.consent_id, session)
    await voices.keep_clone(consent, name, "")
    assert await voices.may_speak(consent.consent_id, session)
    assert not await voices.may_speak("0" * 32, session)
    assert not await voices.may_speak(consent.consent_id, stranger)
    assert await voices.of(stranger) is None
    theirs, _ = await voice_of(voices, stranger)
    assert not await voices.may_speak(consent.consent_id, stranger)
    assert not await voices.may_speak(theirs.consent_id, session)


async def test_a_consent_holds_until_it_expires(store: Store, voices: Voices, clock: Clock) -> None:
    """Not a moment longer."""
    session = await call_of(store)
    consent, _ = await voice_of(voices, session)
    clock.now = consent.expires_at - 0.001
    assert await voices.may_speak(consent.consent_id, session)
    clock.now = consent.expires_at
    assert not await voices.may_speak(consent.consent_id, session)
    with pytest.raises(NoConsent):
        await voices.begin_clone(consent, "openai")


async def raw(store: Store, user: str) -> dict[str, str]:
    return dict(await store.memories.all(user, "june/voice"))


CHANGES = {
    "consent_id": "0" * 32,
    "user": "bob",
    "session_id": "another",
    "call_id": "another",
    "asked": "x",
    "heard": "x",
    "scope": "anything",
    "given_at": NOW + 1,
    "expires_at": NOW + 1000 * DAY,
    "audio_sha256": "0" * 64,
    "embedding": "x",
    "signature": "\u00e4" * 64,
}


@pytest.mark.parametrize("field", CHANGES)
async def test_a_consent_that_was_changed_is_none(field: str) -> None:
    """Whatever was changed in it."""
    store = MemoryStore()
    voices, session = opened(store, Clock()), await call_of(store)
    consent, _ = await voice_of(voices, session)
    assert consent.model_dump().keys() == CHANGES.keys()
    changed = consent.model_copy(update={field: CHANGES[field]})
    await store.memories.put("ann", "june/voice", "consent", changed.model_dump_json(), now=NOW)
    with capture_logs() as logs:
        assert await voices.of(session) is None
        assert not await voices.may_speak(changed.consent_id, session)
    assert logs[0] == {
        "event": "voice.refused",
        "log_level": "warning",
        "what": "consent",
        "reason": "signature",
    }


@pytest.mark.parametrize("field", ["name", "consent_id", "cloner", "data", "made_at", "signature"])
async def test_a_clone_that_was_changed_is_none(field: str) -> None:
    """The consent stands, and June speaks with her own voice."""
    store = MemoryStore()
    voices, session = opened(store, Clock()), await call_of(store)
    consent, clone = await voice_of(voices, session)
    changed = clone.model_copy(update={field: NOW + 1 if field == "made_at" else "0"})
    key = f"clone {consent.consent_id}"
    assert key in await raw(store, "ann")
    await store.memories.put("ann", "june/voice", key, changed.model_dump_json(), now=NOW)
    assert await voices.of(session) == Voice(consent=consent, clone=None)
    assert not await voices.may_speak(consent.consent_id, session)


async def test_a_voice_that_was_copied_to_another_user_is_none(store: Store, clock: Clock) -> None:
    """Nor one that another June has signed, nor a clone under another consent."""
    voices = opened(store, clock)
    ann, bob = await call_of(store), await call_of(store, "bob")
    consent, _ = await voice_of(voices, ann)
    for key, text in (await raw(store, "ann")).items():
        await store.memories.put("bob", "june/voice", key, text, now=NOW)
    with capture_logs() as logs:
        assert await voices.of(bob) is None
    assert [one["reason"] for one in logs] == ["another user"]
    assert await opened(store, clock, key=b"another").of(ann) is None
    theirs = await consent_of(voices, bob)
    (clone,) = [text for key, text in (await raw(store, "ann")).items() if key != "consent"]
    await store.memories.put("bob", "june/voice", f"clone {theirs.consent_id}", clone, now=NOW)
    assert not await voices.may_speak(theirs.consent_id, bob)
    assert await voices.may_speak(consent.consent_id, ann)


def test_a_signature_is_of_one_kind_of_record() -> None:
    """And differs from key to key."""
    receipt = Receipt(
        receipt_id="1",
        at=NOW,
        why="asked",
        removed=(),
        utterances=0,
        manifest_digest="",
        verified=True,
    )
    signed = Signing(KEY).sign(receipt)
    assert Signing(KEY).holds(signed)
    assert Signing(KEY).holds(Receipt.model_validate_json(signed.model_dump_json()))
    assert not Signing(b"").holds(signed)
    assert not Signing(KEY).holds(receipt)

    class Other(Receipt):
        purpose = "other"

    assert not Signing(KEY).holds(Other(**signed.model_dump()))


async def test_the_later_consent_wins(store: Store, voices: Voices) -> None:
    """The clone that is made under the earlier one meanwhile is not kept, and is doomed."""
    session = await call_of(store)
    first = await consent_of(voices, session)
    name = await voices.begin_clone(first, "openai")
    second = await consent_of(voices, await call_of(store, room="other"))
    with pytest.raises(NoConsent):
        await voices.keep_clone(first, name, "")
    with pytest.raises(NoConsent):
        await voices.begin_clone(first, "openai")
    assert await voices.of(session) == Voice(consent=second, clone=None)
    assert [one.name for one in await voices.overdue()] == [name]
    await voices.keep_clone(second, await voices.begin_clone(second, "openai"), "")
    assert await voices.may_speak(second.consent_id, session)
    assert await sweep(voices) == [name]
    assert await voices.may_speak(second.consent_id, session)


async def test_a_later_consent_deletes_what_was_made_under_an_earlier(
    store: Store, voices: Voices
) -> None:
    """With its manifest."""
    session = await call_of(store)
    consent, clone = await voice_of(voices, session)
    await voices.list_utterances(session, "call", 0, said_with(consent, 3))
    later, _ = await voice_of(voices, session)
    (doomed,) = await voices.overdue()
    assert (doomed.name, doomed.why, doomed.utterances) == (clone.name, "replaced", 3)
    assert not await voices.may_speak(consent.consent_id, session)
    assert await voices.may_speak(later.consent_id, session)
    assert await voices.manifest(session) == ()


async def test_a_clone_that_takes_too_long_is_not_kept(
    store: Store, voices: Voices, clock: Clock
) -> None:
    """The sweep may be about to delete it."""
    session = await call_of(store)
    consent = await consent_of(voices, session)
    name = await voices.begin_clone(consent, "openai")
    clock.now += KEEP_WITHIN_SECONDS
    with pytest.raises(NoConsent):
        await voices.keep_clone(consent, name, "")
    assert await sweep(voices) == [name]
    assert await voices.of(session) == Voice(consent=consent, clone=None)


async def test_a_name_that_was_not_begun_is_not_kept(store: Store, voices: Voices) -> None:
    """Nor one that is kept already, nor one of another consent."""
    ann, bob = await call_of(store), await call_of(store, "bob")
    consent, clone = await voice_of(voices, ann)
    theirs = await consent_of(voices, bob)
    for name in ("june-0123456789abcdef", "", clone.name):
        with pytest.raises(NoConsent):
            await voices.keep_clone(theirs, name, "")
    with pytest.raises(NoConsent):
        await voices.keep_clone(consent, clone.name, "other data")
    assert await voices.may_speak(consent.consent_id, ann)
    assert await voices.overdue() == ()


async def test_a_clone_that_failed_is_doomed_at_once(store: Store, voices: Voices) -> None:
    """And one that is kept is not abandoned."""
    session = await call_of(store)
    consent = await consent_of(voices, session)
    name = await voices.begin_clone(consent, "openai")
    doomed = await voices.abandon(name)
    assert doomed is not None
    assert (doomed.name, doomed.why, doomed.removed) == (name, "unfinished", ())
    assert await voices.abandon(name) == doomed
    assert await voices.fleet() == {"openai": CloneCount(doomed=1)}
    with pytest.raises(NoConsent):
        await voices.keep_clone(consent, name, "")
    _, clone = await voice_of(voices, session)
    assert await voices.abandon(clone.name) is None
    assert await voices.abandon("june-0") is None
    assert await sweep(voices) == [name]


async def test_the_second_clone_of_a_consent_is_instead_of_the_first(
    store: Store, voices: Voices
) -> None:
    """The sweep of the first leaves the second alone."""
    session = await call_of(store)
    consent, first = await voice_of(voices, session)
    name = await voices.begin_clone(consent, "openai")
    second = await voices.keep_clone(consent, name, "")
    assert await sweep(voices) == [first.name]
    assert await voices.of(session) == Voice(consent=consent, clone=second)


TOO_LONG = pytest.raises(TextTooLong, match=r"has more than 4,000 characters$")


async def test_what_is_too_long_is_refused_before_anything_is_done() -> None:
    """The earlier voice stays."""
    store = MemoryStore()
    voices, session = opened(store, Clock()), await call_of(store)
    consent, clone = await voice_of(voices, session)
    with TOO_LONG:
        await consent_of(voices, session, embedding="x" * 4000)
    name = await voices.begin_clone(consent, "openai")
    with TOO_LONG:
        await voices.keep_clone(consent, name, "x" * 4000)
    assert await voices.of(session) == Voice(consent=consent, clone=clone)


async def test_the_longest_that_are_promised_fit(store: Store, voices: Voices) -> None:
    """With any characters that a text may have."""
    session = await call_of(store, user="f" * 64)
    consent = await voices.give(
        session,
        call_id="c" * 95,
        asked="a" * 300,
        heard="\ud800\0\N{GRINNING FACE}" * 100,
        audio_sha256="f" * 64,
        embedding="x" * 1500,
        seconds_valid=DAY,
    )
    name = await voices.begin_clone(consent, "openai")
    data = json.dumps({f"{number:03}": number for number in range(200)})
    assert 2_000 < len(data) < 3_000
    clone = await voices.keep_clone(consent, name, data)
    assert await voices.of(session) == Voice(consent=consent, clone=clone)


# Deletion.


async def test_a_deleted_voice_is_gone_here_and_doomed_there(store: Store, voices: Voices) -> None:
    """What is left for its maker to delete says nothing of the user or the consent."""
    session = await call_of(store)
    consent, clone = await voice_of(voices, session)
    await voices.list_utterances(session, "call", 0, said_with(consent, 35))
    await voices.list_utterances(session, "call", 1, said_with(consent, 2, first=35))
    deleted = await voices.delete(session.user, "asked")
    assert deleted is not None
    assert deleted.receipt is None
    (doomed,) = deleted.doomed
    assert (doomed.name, doomed.cloner, doomed.why) == (clone.name, "openai", "asked")
    assert doomed.removed == ALL_REMOVED[:-1]
    assert doomed.utterances == 37
    assert len(doomed.manifest_digest) == 64
    assert await voices.of(session) is None
    assert not await voices.may_speak(consent.consent_id, session)
    assert await voices.manifest(session) == ()
    assert await raw(store, "ann") == {}
    assert await voices.overdue() == (doomed,)
    await check_names_nothing(store, "june/doomed", [consent.consent_id, '"ann"', AUDIO, EMBEDDING])
    await check_names_nothing(store, "june/clones", [clone.name, consent.consent_id, '"ann"'])
    await check_names_nothing(store, "june/consents", [consent.consent_id, '"ann"'])
    assert await voices.delete(session.user, "asked") is None


async def check_names_nothing(store: Store, of: str, names: list[str]) -> None:
    for part in PARTS:
        kept = str(dict(await store.memories.all(of, part)))
        assert not [name for name in names if name in kept], kept


async def test_a_receipt_is_written_once_its_maker_has_nothing(
    store: Store, voices: Voices, clock: Clock
) -> None:
    """Not before it was looked; telling it twice gives the same one."""
    session = await call_of(store)
    consent, clone = await voice_of(voices, session)
    await voices.list_utterances(session, "call", 0, said_with(consent, 3))
    await voices.delete(session.user, "asked")
    assert await voices.gone(clone.name, verified=False) is None
    assert await voices.gone(clone.name, verified=False) is None
    assert await voices.receipts(TODAY) == ()
    (doomed,) = await voices.overdue()
    assert doomed.tries == 2
    receipt = await voices.gone(clone.name, verified=True)
    assert receipt is not None
    assert (receipt.why, receipt.removed, receipt.utterances) == ("asked", ALL_REMOVED, 3)
    assert receipt.verified
    assert receipt.at == NOW
    assert receipt.manifest_digest == doomed.manifest_digest
    clock.now += HOUR
    assert await voices.gone(clone.name, verified=True) == receipt
    assert await voices.receipts(TODAY) == (receipt,)
    assert await voices.overdue() == ()
    assert await voices.fleet() == {}
    text = receipt.model_dump_json()
    for secret in (consent.consent_id, clone.name, "ann", AUDIO, EMBEDDING, "amber", "voice_4711"):
        assert secret not in text


async def test_a_receipt_that_was_changed_is_not_shown() -> None:
    """Nor is that of another June."""
    store, clock = MemoryStore(), Clock()
    voices, session = opened(store, clock), await call_of(store)
    await consent_of(voices, session)
    deleted = await voices.delete(session.user, "asked")
    assert deleted is not None
    receipt = deleted.receipt
    assert receipt is not None
    assert await voices.receipts(TODAY) == (receipt,)
    assert await opened(store, clock, key=b"another").receipts(TODAY) == ()
    changed = receipt.model_copy(update={"utterances": 7})
    place = (f"june/receipts/{TODAY}", receipt.receipt_id[-1], receipt.receipt_id)
    await store.memories.put(*place, changed.model_dump_json(), now=NOW)
    assert await voices.receipts(TODAY) == ()


async def test_a_consent_without_a_clone_has_its_receipt_at_once(
    store: Store, voices: Voices
) -> None:
    """No maker has anything of it."""
    session = await call_of(store)
    consent = await consent_of(voices, session)
    deleted = await voices.delete(session.user, "asked")
    assert deleted is not None
    assert deleted.doomed == ()
    assert deleted.receipt is not None
    assert deleted.removed == deleted.receipt.removed == ("consent", "embedding")
    assert (deleted.receipt.utterances, deleted.receipt.manifest_digest) == (0, "")
    assert consent.consent_id not in deleted.receipt.receipt_id
    assert await voices.receipts(TODAY) == (deleted.receipt,)
    assert await voices.overdue() == ()
    assert await voices.gone("june-0123456789abcdef", verified=True) is None


async def test_a_clone_in_the_making_is_not_kept_once_the_voice_is_deleted(
    store: Store, voices: Voices
) -> None:
    """It is doomed when its maker is ready, not while they may still be at it."""
    session = await call_of(store)
    consent = await consent_of(voices, session)
    name = await voices.begin_clone(consent, "openai")
    deleted = await voices.delete(session.user, "asked")
    assert deleted is not None
    assert deleted.doomed == ()
    assert await voices.overdue() == ()
    with pytest.raises(NoConsent):
        await voices.keep_clone(consent, name, "")
    assert await voices.of(session) is None
    assert await sweep(voices) == [name]
    assert [one.why for one in await voices.receipts(TODAY)] in (
        ["asked", "unfinished"],
        ["unfinished", "asked"],
    )


async def test_what_cannot_be_read_is_deleted_as_well(store: Store, voices: Voices) -> None:
    """Also what is left of a clone."""
    session = await call_of(store)
    for key in ("consent", "clone x", "anything"):
        await store.memories.put("ann", "june/voice", key, "garbage", now=NOW)
    await store.memories.put("ann", "june/manifest", "call/0000", "garbage", now=NOW)
    assert await voices.of(session) is None
    deleted = await voices.delete("ann", "forgotten")
    assert deleted is not None
    assert deleted.removed == ("consent", "embedding", "clone", "manifest")
    assert await raw(store, "ann") == {}
    assert await store.memories.all("ann", "june/manifest") == {}


# What the sweep finds.


async def test_a_clone_whose_maker_died_with_the_call_is_found(
    store: Store, voices: Voices, clock: Clock
) -> None:
    """After three minutes; until then somebody may be at it."""
    consent = await consent_of(voices, await call_of(store))
    name = await voices.begin_clone(consent, "openai")
    clock.now += GRACE_SECONDS - 1
    assert await voices.overdue() == ()
    clock.now += 1
    (doomed,) = await voices.overdue()
    assert (doomed.name, doomed.why, doomed.cloner) == (name, "unfinished", "openai")


async def test_what_expired_is_found(store: Store, voices: Voices, clock: Clock) -> None:
    """With a clone; not before."""
    ann = await call_of(store)
    _, clone = await voice_of(voices, ann)
    clock.now = NOW + DAY - 1
    assert await voices.overdue() == ()
    clock.now += 1
    (doomed,) = await voices.overdue()
    assert (doomed.name, doomed.why) == (clone.name, "expired")
    assert await raw(store, "ann") == {}
    assert await voices.expire() == 0


async def test_a_consent_of_which_no_voice_was_made_is_found(
    store: Store, voices: Voices, clock: Clock
) -> None:
    """Its call died, or was lost."""
    await consent_of(voices, await call_of(store, "bob"), hours=48)
    clock.now += UNUSED_SECONDS - 1
    assert await voices.expire() == 0
    assert await raw(store, "bob") != {}
    clock.now += 1
    assert await voices.expire() == 1
    assert await raw(store, "bob") == {}
    [receipt] = await voices.receipts(TODAY)
    assert receipt.why == "unfinished"


async def test_a_clone_whose_user_was_forgotten_is_found(store: Store, voices: Voices) -> None:
    """Also where the store was told to, and not June."""
    session = await call_of(store)
    _, clone = await voice_of(voices, session)
    await store.sessions.forget("ann")
    (doomed,) = await voices.overdue()
    assert (doomed.name, doomed.why, doomed.removed) == (clone.name, "forgotten", ())


async def test_a_voice_that_was_tampered_with_is_found(store: Store, voices: Voices) -> None:
    """And deleted, with its clone."""
    session = await call_of(store)
    consent, clone = await voice_of(voices, session)
    forged = consent.model_copy(update={"expires_at": NOW + 100 * DAY})
    await store.memories.put("ann", "june/voice", "consent", forged.model_dump_json(), now=NOW)
    (doomed,) = await voices.overdue()
    assert (doomed.name, doomed.why) == (clone.name, "refused")
    assert await raw(store, "ann") == {}


async def test_nobody_is_missed_who_has_a_voice(store: Store, voices: Voices, clock: Clock) -> None:
    """A sweep leaves what holds as it is."""
    session = await call_of(store)
    consent, clone = await voice_of(voices, session)
    await voices.list_utterances(session, "call", 0, said_with(consent, 3))
    clock.now += DAY - 1
    assert await sweep(voices) == []
    assert await voices.of(session) == Voice(consent=consent, clone=clone)
    assert len(await voices.manifest(session)) == 3


async def test_an_entry_that_cannot_be_read_does_not_stop_the_sweep(
    store: Store, voices: Voices
) -> None:
    """It is said in the log."""
    session = await call_of(store)
    _, clone = await voice_of(voices, session)
    await voices.delete(session.user, "asked")
    for name in ("june/consents", "june/clones", "june/doomed"):
        await store.memories.put(name, "0", "june-0", '{"by": "a newer June"}', now=NOW)
    with capture_logs() as logs:
        assert await sweep(voices) == [clone.name]
    unread = [one["list"] for one in logs if one["event"] == "voice.entry_unreadable"]
    assert unread == ["june/consents", "june/clones", "june/doomed"]


async def test_clones_are_counted_by_who_made_them(
    store: Store, voices: Voices, clock: Clock
) -> None:
    """For the operator's figures."""
    ann, bob = await call_of(store), await call_of(store, "bob")
    consent, _ = await voice_of(voices, ann)
    await voices.begin_clone(consent, "mimic")
    await voice_of(voices, bob)
    await voices.delete("bob", "asked")
    assert await voices.fleet() == {
        "mimic": CloneCount(making=1),
        "openai": CloneCount(kept=1, doomed=1),
    }


async def test_a_full_list_refuses_what_is_new_and_deletes_what_is_there() -> None:
    """There is always room for a deletion."""
    store, clock = MemoryStore(), Clock()
    voices, session = opened(store, clock), await call_of(store)
    consent, clone = await voice_of(voices, session)
    for name in ("june/consents", "june/clones"):
        for part in PARTS:
            for number in range(ROOM):
                key = f"{number}{part}"
                if len(await store.memories.all(name, part)) < ROOM:
                    await store.memories.put(name, part, key, "{}", now=NOW)
    with pytest.raises(MemoryFull):
        await voices.begin_clone(consent, "openai")
    with pytest.raises(MemoryFull):
        await consent_of(voices, await call_of(store, "bob"))
    assert await voices.may_speak(consent.consent_id, session)
    deleted = await voices.delete(session.user, "asked")
    assert deleted is not None
    assert [one.name for one in deleted.doomed] == [clone.name]


async def test_a_day_with_too_many_receipts_says_so_and_deletes(
    store: Store, voices: Voices
) -> None:
    """The log has what the receipt would say."""
    for part in PARTS:
        for number in range(MOST_KEYS):
            await store.memories.put(
                f"june/receipts/{TODAY}", part, f"{number}{part}", "{}", now=NOW
            )
    session = await call_of(store)
    await consent_of(voices, session)
    with capture_logs() as logs:
        assert await voices.delete(session.user, "asked") is not None
    assert "voice.receipt_lost" in [one["event"] for one in logs]
    assert await raw(store, "ann") == {}

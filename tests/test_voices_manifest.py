"""The manifest: what was said with a voice is listed, and no part of it is changed unseen."""

import hashlib

import pytest
from structlog.testing import capture_logs
from test_store import NOW
from voices_kept import DAY, Clock, call_of, consent_of, opened, said_with, voice_of

from session import Consent, NoConsent, Session, Utterance, Voices
from session.manifest import MOST_UTTERANCES
from session.memories import LONGEST_TEXT_CHARACTERS
from session.store import MemoryStore, Store

CALL = "c" * 95
"""As long as may be."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def listed(store: Store, clock: Clock) -> tuple[Voices, Session, Consent, list[Utterance]]:
    """Three parts: two full ones, and one of five."""
    voices, session = opened(store, clock), await call_of(store, "f" * 64)
    consent, _ = await voice_of(voices, session)
    said = said_with(consent, 2 * MOST_UTTERANCES + 5)
    for part in range(3):
        begin = part * MOST_UTTERANCES
        some = said[begin : begin + MOST_UTTERANCES]
        await voices.list_utterances(session, CALL, part, some)
    return voices, session, consent, said


async def texts_of(store: Store, session: Session) -> dict[str, str]:
    return dict(await store.memories.all(session.user, "june/manifest"))


async def write(store: Store, session: Session, key: str, text: str) -> None:
    await store.memories.put(session.user, "june/manifest", key, text, now=NOW)


async def test_what_was_said_is_listed_in_its_order(store: Store, clock: Clock) -> None:
    """A full part fits in what the store keeps."""
    voices, session, _, said = await listed(store, clock)
    assert await voices.manifest(session) == tuple(said)
    texts = await texts_of(store, session)
    assert list(texts) == [f"{CALL}/0000", f"{CALL}/0001", f"{CALL}/0002"]
    assert max(map(len, texts.values())) <= LONGEST_TEXT_CHARACTERS
    digest = hashlib.sha256("\n".join(texts.values()).encode()).hexdigest()
    deleted = await voices.delete(session.user, "asked")
    assert deleted is not None
    (doomed,) = deleted.doomed
    assert (doomed.utterances, doomed.manifest_digest) == (len(said), digest)


async def test_ten_consents_fit_in_a_part(store: Store, clock: Clock) -> None:
    """Nobody gives more in so few sentences."""
    voices, session = opened(store, clock), await call_of(store, "f" * 64)
    await voice_of(voices, session)
    said = [
        Utterance(1_764_000_000.123 + number, f"{number % 10:032x}", "f" * 64)
        for number in range(MOST_UTTERANCES)
    ]
    await voices.list_utterances(session, CALL, 0, said)
    assert await voices.manifest(session) == tuple(said)


async def test_a_part_grows(store: Store, clock: Clock) -> None:
    """The last one of a call is written anew with each sentence."""
    voices, session = opened(store, clock), await call_of(store)
    consent, _ = await voice_of(voices, session)
    for count in (1, 2, MOST_UTTERANCES):
        said = said_with(consent, count)
        await voices.list_utterances(session, "call", 0, said)
        assert await voices.manifest(session) == tuple(said)
    with pytest.raises(ValueError, match=r"^36 utterances do not fit in one part$"):
        await voices.list_utterances(session, "call", 0, said_with(consent, 36))


async def test_each_call_has_its_own_parts(store: Store, clock: Clock) -> None:
    """Of one user; others see none of them."""
    voices, session = opened(store, clock), await call_of(store)
    consent, _ = await voice_of(voices, session)
    first, second = said_with(consent, 2), said_with(consent, 3, first=2)
    await voices.list_utterances(session, "b", 0, second)
    await voices.list_utterances(session, "a", 0, first)
    assert await voices.manifest(session) == (*first, *second)
    assert await voices.manifest(await call_of(store, "bob")) == ()


async def test_nothing_is_listed_once_the_voice_is_gone(store: Store, clock: Clock) -> None:
    """Deleted, or expired."""
    voices, session = opened(store, clock), await call_of(store)
    consent, _ = await voice_of(voices, session)
    await voices.delete(session.user, "asked")
    with pytest.raises(NoConsent):
        await voices.list_utterances(session, "call", 0, said_with(consent, 1))
    consent = await consent_of(voices, session)
    clock.now += DAY
    with pytest.raises(NoConsent):
        await voices.list_utterances(session, "call", 0, said_with(consent, 1))
    assert await texts_of(store, session) == {}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("changed", 35),
        ("taken out", 35),
        ("garbled", 35),
        ("swapped", 0),
        ("of another June", 35),
        ("of another user", 35),
    ],
)
async def test_what_was_changed_is_seen(change: str, left: int, clock: Clock) -> None:
    """It is not listed, nor is what stood behind it; the log says so."""
    store = MemoryStore()
    voices, session, _, said = await listed(store, clock)
    keys = list(texts := await texts_of(store, session))
    match change:
        case "changed":
            await write(store, session, keys[1], texts[keys[1]].replace("0000", "000f", 1))
        case "taken out":
            await store.memories.take(session.user, "june/manifest", keys[1])
        case "garbled":
            await write(store, session, keys[1], "{")
        case "swapped":
            await write(store, session, keys[0], texts[keys[1]])
            await write(store, session, keys[1], texts[keys[0]])
        case "of another June":
            elsewhere = MemoryStore()
            other = opened(elsewhere, clock, key=b"another")
            there = await call_of(elsewhere, session.user)
            theirs = await consent_of(other, there)
            await other.list_utterances(there, CALL, 1, said_with(theirs, 1))
            await write(store, session, keys[1], (await texts_of(elsewhere, there))[keys[1]])
        case "of another user":
            bob = await call_of(store, "bob")
            theirs = await consent_of(voices, bob)
            await voices.list_utterances(bob, CALL, 1, said_with(theirs, 1))
            await write(store, session, keys[1], (await texts_of(store, bob))[keys[1]])
    with capture_logs() as logs:
        found = await voices.manifest(session)
    assert "voice.refused" in [one["event"] for one in logs]
    assert found == tuple(said[:left])

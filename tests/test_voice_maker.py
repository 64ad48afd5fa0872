"""From consent to clone in a call: who may, who may not, what is left. Real voices, by flite."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from purse_fakes import RecordingPurse
from test_speaker import ScriptedCloner

from agent.voices.cloner import CloneFailed
from agent.voices.maker import CallCloner
from agent.voices.proof import SENTENCE
from agent.voices.recordings import Recordings
from room.voices import by_flite
from session import (
    Consent,
    Session,
    SessionConfig,
    SessionService,
    StoreError,
    Voices,
    open_sessions,
)
from skills import VoiceTrouble
from skills.sound import Sound
from skills.voice import Why

CONSENT = "I allow June to speak with my voice. Purple river forty two."
SAMPLE = (
    "Last summer we drove along the coast for a week. Every morning there was fog over the water, "
    "and by noon the sun had taken it away. I would do it again at once."
)
HOUR = 3_600.0


@cache
def said(text: str, voice: str) -> Sound:
    """By one of flite's voices."""
    frame = by_flite(text, voice)
    return Sound(bytes(frame.data.cast("b")), frame.sample_rate)


class Maker(ScriptedCloner):
    """What it holds is in `held`, by name."""

    def __init__(self) -> None:
        super().__init__(24_000)
        self.held: dict[str, Sound] = {}
        self.begun = asyncio.Event()
        self.fails = False
        self.will_not_delete = False
        self.speech: bytes = said(SENTENCE, "slt").pcm
        self.sample_rate = 48_000

    async def clone(self, name: str, sample: Sound, phrases: Sequence[Sound]) -> str:
        self.held[name] = sample
        self.begun.set()
        if self.fails:
            raise CloneFailed("status 500")
        if self.hangs:
            await asyncio.Event().wait()
        return f"voice of {name}"

    async def speak(self, clone: str, text: str) -> AsyncIterator[bytes]:
        yield self.speech

    async def delete(self, name: str) -> None:
        if self.will_not_delete:
            raise CloneFailed("status 503")
        self.held.pop(name, None)


@dataclass
class House:
    """A store, its clock, and whoever makes voices. Calls come and go."""

    sessions: SessionService
    now: list[float]
    maker: Maker = field(default_factory=Maker)
    recordings: Recordings | None = None

    async def call(
        self, user: str = "ann", voices: Voices | None = None
    ) -> tuple[CallCloner, Session]:
        session = await self.sessions.get_or_create_for_room(f"room-{user}", user)
        cloner = CallCloner(
            voices or self.sessions.voices,
            session,
            self.maker,
            purse=RecordingPurse(),
            recordings=self.recordings,
            made_by="mimic",
            call_id="call",
            valid_seconds=24 * HOUR,
        )
        return cloner, session

    async def give_up_while_it_is_made(self, cloner: CallCloner) -> None:
        """By a maker that hangs."""
        await cloner.consent(CONSENT, CONSENT, said(CONSENT, "slt"))
        self.maker.hangs = True
        making = asyncio.create_task(cloner.make(said(SAMPLE, "slt")))
        async with asyncio.timeout(5):
            await self.maker.begun.wait()
        making.cancel()
        await asyncio.wait({making})

    async def cloned(self, user: str = "ann", voice: str = "slt") -> tuple[CallCloner, Session]:
        cloner, session = await self.call(user)
        assert not await cloner.consent(CONSENT, CONSENT, said(CONSENT, voice))
        await cloner.make(said(SAMPLE, voice))
        return cloner, session


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    now = [1_800_000_000.0]
    config = SessionConfig(data_dir=tmp_path, store_url="memory:", secret_key=b"k" * 32)
    async with open_sessions(config, now=lambda: now[0]) as sessions:
        yield House(sessions, now)


async def trouble_of(coming: Awaitable[object]) -> Why:
    with pytest.raises(VoiceTrouble) as trouble:
        await coming
    return trouble.value.why


async def test_a_speaker_who_consented_is_cloned(house: House) -> None:
    cloner, session = await house.cloned()
    assert cloner.grant is not None
    assert await house.sessions.voices.may_speak(cloner.grant.consent.consent_id, session)
    assert list(house.maker.held) == [cloner.grant.clone.name]


async def test_a_sample_of_another_speaker_is_refused(house: House) -> None:
    """Each of three voices against each: n = 9. No clone is even begun for a stranger."""
    voices = ("slt", "rms", "awb")
    refused = accepted = 0
    for consenting in voices:
        for speaking in voices:
            cloner, _ = await house.call(f"{consenting}-{speaking}")
            await cloner.consent(CONSENT, CONSENT, said(CONSENT, consenting))
            before = len(house.maker.held)
            if consenting == speaking:
                await cloner.make(said(SAMPLE, speaking))
                accepted += 1
            else:
                assert await trouble_of(cloner.make(said(SAMPLE, speaking))) == Why.ANOTHER_SPEAKER
                assert len(house.maker.held) == before
                refused += 1
            await cloner.discard()
    print(f"same speaker accepted {accepted}/3, another speaker refused {refused}/6")


async def test_a_sample_without_a_consent_is_refused(house: House) -> None:
    cloner, _ = await house.call()
    assert await trouble_of(cloner.make(said(SAMPLE, "slt"))) == Why.NO_CONSENT
    assert house.maker.held == {}


async def test_an_earlier_voice_is_taken_up_only_by_its_own_speaker(house: House) -> None:
    """In the next call. Who else speaks there consents for a voice of their own."""
    first, _ = await house.cloned()
    assert first.grant is not None
    again, _ = await house.call()
    assert not again.grant
    assert await again.consent(CONSENT, CONSENT, said(CONSENT, "slt"))
    assert again.grant == first.grant

    other, session = await house.call()
    assert not await other.consent(CONSENT, CONSENT, said(CONSENT, "rms"))
    assert other.grant is None
    # The later consent takes the place of the earlier: its voice is gone, also at its maker's.
    assert not await house.sessions.voices.may_speak(first.grant.consent.consent_id, session)
    assert house.maker.held == {}


async def test_after_its_expiry_a_voice_is_no_more(house: House) -> None:
    cloner, session = await house.cloned()
    assert cloner.grant is not None
    house.now[0] += 24 * HOUR
    assert not await house.sessions.voices.may_speak(cloner.grant.consent.consent_id, session)
    again, _ = await house.call()
    assert not await again.consent(CONSENT, CONSENT, said(CONSENT, "slt"))


async def test_a_guessed_id_opens_nobody_elses_voice(house: House) -> None:
    cloner, _ = await house.cloned("ann")
    assert cloner.grant is not None
    _, bobs = await house.call("bob")
    assert not await house.sessions.voices.may_speak(cloner.grant.consent.consent_id, bobs)
    assert await house.sessions.voices.of(bobs) is None


async def test_deleting_deletes_at_the_makers_too(house: House) -> None:
    cloner, session = await house.cloned()
    assert await cloner.delete() is True
    assert cloner.grant is None
    assert house.maker.held == {}
    assert await house.sessions.voices.of(session) is None
    assert await cloner.delete() is None


async def test_a_maker_that_will_not_delete_is_asked_again(house: House) -> None:
    cloner, _ = await house.cloned()
    house.maker.will_not_delete = True
    assert await cloner.delete() is False
    assert len(house.maker.held) == 1
    [doomed] = await house.sessions.voices.overdue()
    assert doomed.name in house.maker.held


@pytest.mark.parametrize("fault", ["fails", "is noise", "is silence", "is cut", "has another rate"])
async def test_a_voice_that_cannot_be_made_leaves_nothing(house: House, fault: str) -> None:
    maker = house.maker
    match fault:
        case "fails":
            maker.fails = True
        case "is noise":
            maker.speech = bytes(range(1, 256)) * 1_000
        case "is silence":
            maker.speech = bytes(len(maker.speech))
        case "is cut":
            maker.speech = maker.speech[:20_000]
        case "has another rate":
            maker.sample_rate = 192_000
    cloner, session = await house.call()
    await cloner.consent(CONSENT, CONSENT, said(CONSENT, "slt"))
    assert await trouble_of(cloner.make(said(SAMPLE, "slt"))) == Why.FAILED
    assert cloner.grant is None
    await cloner.discard()
    assert maker.held == {}
    assert await house.sessions.voices.of(session) is None
    assert await house.sessions.voices.overdue() == ()


async def test_who_gives_up_while_it_is_made_leaves_nothing(house: House) -> None:
    """What the maker is still doing ends first, or it would appear after it was deleted."""
    cloner, session = await house.call()
    await house.give_up_while_it_is_made(cloner)
    discarding = asyncio.create_task(cloner.discard())
    await asyncio.sleep(0.01)
    assert not discarding.done()
    assert cloner._making is not None
    cloner._making.cancel()
    await discarding
    assert house.maker.held == {}
    assert await house.sessions.voices.of(session) is None


async def test_a_second_call_of_the_same_user(house: House) -> None:
    """The later consent wins; what the earlier call was making is not kept."""
    first, _ = await house.call()
    await first.consent(CONSENT, CONSENT, said(CONSENT, "slt"))
    second, _ = await house.call()
    await second.consent(CONSENT, CONSENT, said(CONSENT, "slt"))
    assert await trouble_of(first.make(said(SAMPLE, "slt"))) == Why.NO_CONSENT
    await first.discard()
    await second.make(said(SAMPLE, "slt"))
    assert second.grant is not None
    assert list(house.maker.held) == [second.grant.clone.name]


async def test_a_whisper_of_consent_is_too_short(house: House) -> None:
    cloner, _ = await house.call()
    word = Sound(said(CONSENT, "slt").pcm[: 48_000 * 2], 48_000)
    assert await trouble_of(cloner.consent(CONSENT, CONSENT, word)) == Why.TOO_SHORT


class Slow(Voices):
    """A store that takes its time to keep a consent."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()

    async def give(self, session: Session, **given: Any) -> Consent:
        self.begun.set()
        await self.may_end.wait()
        return await super().give(session, **given)


async def test_who_gives_up_while_the_consent_is_kept_leaves_none(house: House) -> None:
    voices = Slow(*house.sessions._is_open(), house.sessions.now)
    cloner, session = await house.call(voices=voices)
    consenting = asyncio.create_task(cloner.consent(CONSENT, CONSENT, said(CONSENT, "slt")))
    async with asyncio.timeout(10):
        await voices.begun.wait()
    consenting.cancel()
    await asyncio.wait({consenting})
    discarding = asyncio.create_task(cloner.discard())
    await asyncio.sleep(0)
    voices.may_end.set()
    await discarding
    assert await house.sessions.voices.of(session) is None


async def test_a_voice_that_speaks_no_more_is_made_anew(house: House) -> None:
    """June's own voice may have changed, or its maker has lost it."""
    first, _ = await house.cloned()
    house.maker.speech = b""
    again, _ = await house.call()
    assert not await again.consent(CONSENT, CONSENT, said(CONSENT, "slt"))
    assert again.grant is None
    assert first.grant is not None
    assert first.grant.clone.name not in house.maker.held


async def test_a_call_that_ends_leaves_no_task(house: House) -> None:
    cloner, _ = await house.call()
    await house.give_up_while_it_is_made(cloner)
    await cloner.aclose()
    assert cloner._making is not None
    assert cloner._making.cancelled()


async def test_a_consent_that_cannot_be_recorded_is_none(house: House, tmp_path: Path) -> None:
    """Where the operator wants to be able to play it."""
    (tmp_path / "consents").write_text("where a folder should be", encoding="utf-8")
    house.recordings = Recordings(tmp_path)
    cloner, session = await house.call()
    assert await trouble_of(cloner.consent(CONSENT, CONSENT, said(CONSENT, "slt"))) == Why.AWAY
    assert await house.sessions.voices.of(session) is None
    await cloner.discard()


@pytest.fixture
def recorded(house: House, tmp_path: Path) -> Callable[[], list[str]]:
    """A house where consents are recorded; by their ids, those that are."""
    house.recordings = Recordings(tmp_path)
    folder = tmp_path / "consents"
    return lambda: sorted(file.stem.partition("-")[2] for file in folder.glob("*"))


async def test_a_recording_goes_with_its_consent_in_the_call(
    house: House, recorded: Callable[[], list[str]]
) -> None:
    """Given up, replaced by a later one, or deleted; another caller's is left alone."""
    bobs, _ = await house.cloned("bob", "rms")
    assert bobs.grant is not None
    of_bob = bobs.grant.consent.consent_id
    cloner, _ = await house.call()
    await cloner.consent(CONSENT, CONSENT, said(CONSENT, "slt"))
    assert len(recorded()) == 2
    await cloner.discard()
    assert recorded() == [of_bob]
    first, _ = await house.cloned()
    assert first.grant is not None
    second, _ = await house.cloned(voice="awb")
    assert second.grant is not None
    assert recorded() == sorted([of_bob, second.grant.consent.consent_id])
    assert await second.delete() is True
    assert recorded() == [of_bob]


async def test_a_recording_that_cannot_be_deleted_is_not_said_to_be(
    house: House, recorded: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    cloner, _ = await house.cloned()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        assert await cloner.delete() is False
    assert len(recorded()) == 1


class Full(Voices):
    """A store on a disk that is full."""

    async def give(self, session: Session, **given: Any) -> Consent:
        raise StoreError("disk is full", retryable=False)


async def test_a_store_that_keeps_no_consent(house: House) -> None:
    voices = Full(*house.sessions._is_open(), house.sessions.now)
    cloner, session = await house.call(voices=voices)
    assert await trouble_of(cloner.consent(CONSENT, CONSENT, said(CONSENT, "slt"))) == Why.AWAY
    await cloner.discard()
    assert await house.sessions.voices.of(session) is None

"""Voices when another process does something whole in the midst of it, before each operation."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from voices_kept import (
    DAY,
    Clock,
    Faulty,
    FaultyStore,
    call_of,
    consent_of,
    opened,
    said_with,
    sweep,
    voice_of,
)

from session import Consent, NoConsent, Session, StoreError, Voices
from session.store import MemoryStore
from session.voice_places import GRACE_SECONDS


class Interrupted(Faulty):
    """Before one operation another process comes."""

    def __init__(self, at: int, other: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self._at = at
        self._other = other

    async def pass_on(self, work: Any) -> Any:
        if self.count == self._at:
            self.count += 1
            await self._other()
        return await super().pass_on(work)

    @property
    def has_come(self) -> bool:
        return self.count > self._at


@dataclass
class Scene:
    """A user in a call. Lives as long as one interruption."""

    store: MemoryStore
    clock: Clock
    voices: Voices
    session: Session

    def interrupted(self, at: int, other: Callable[[], Awaitable[object]]) -> "Midst":
        faulty = Interrupted(at, other)
        return Midst(opened(FaultyStore(self.store, faulty), self.clock), faulty)

    def kept(self) -> list[str]:
        """The places of what is kept of the user."""
        places = self.store.memories._kept
        return [f"{place}" for place, texts in places.items() if texts and place[0] == "ann"]

    async def end(self) -> None:
        """Whatever happened, in the end nothing is left."""
        self.clock.now += DAY
        await sweep(self.voices)
        assert self.kept() == []
        assert await self.voices.fleet() == {}


@dataclass
class Midst:
    voices: Voices
    faulty: Interrupted


async def scene() -> Scene:
    store, clock = MemoryStore(), Clock()
    return Scene(store, clock, opened(store, clock), await call_of(store))


MOST = 200
"""More operations than anything has."""


async def begun(one: Scene) -> tuple[Consent, str]:
    consent = await consent_of(one.voices, one.session)
    return consent, await one.voices.begin_clone(consent, "openai")


async def test_a_clone_is_not_kept_that_is_deleted_meanwhile() -> None:
    """Nothing of it is left with the user, and its maker is asked to delete it."""
    for at in range(MOST):
        one = await scene()
        consent, name = await begun(one)
        midst = one.interrupted(at, partial(one.voices.delete, "ann", "asked"))
        try:
            await midst.voices.keep_clone(consent, name, "data")
        except NoConsent:
            assert midst.faulty.has_come
        else:
            # After the last look it was a voice like any other, and is deleted like one.
            assert midst.faulty.count - at <= 2
        if not midst.faulty.has_come:
            break
        assert one.kept() == []
        assert await sweep(one.voices) == [name]
        await one.end()
    assert at > 5


async def test_a_clone_is_not_kept_that_is_abandoned_meanwhile() -> None:
    """Or it was kept first."""
    for at in range(MOST):
        one = await scene()
        consent, name = await begun(one)
        midst = one.interrupted(at, partial(one.voices.abandon, name))
        try:
            await midst.voices.keep_clone(consent, name, "data")
        except NoConsent:
            assert await sweep(one.voices) == [name]
            assert not await one.voices.may_speak(consent.consent_id, one.session)
        else:
            assert await sweep(one.voices) == []
            assert await one.voices.may_speak(consent.consent_id, one.session)
        if not midst.faulty.has_come:
            break
        await one.end()
    assert at > 5


@pytest.mark.parametrize("is_in_deletion", [False, True])
async def test_nothing_is_listed_of_a_voice_that_is_deleted_meanwhile(is_in_deletion: bool) -> None:
    """The deletion takes it, or whoever lists it."""
    for at in range(MOST):
        one = await scene()
        consent, _ = await voice_of(one.voices, one.session)

        async def list_one(voices: Voices, one: Scene = one, consent: Consent = consent) -> None:
            try:
                await voices.list_utterances(one.session, "call", 0, said_with(consent, 1))
            except NoConsent:
                return

        if is_in_deletion:
            midst = one.interrupted(at, partial(list_one, one.voices))
            await midst.voices.delete("ann", "asked")
        else:
            midst = one.interrupted(at, partial(one.voices.delete, "ann", "asked"))
            await list_one(midst.voices)
        if not midst.faulty.has_come:
            break
        assert one.kept() == []
        await one.end()
    assert at > 3


async def test_a_consent_that_is_given_in_the_midst_of_another_wins() -> None:
    """Or loses to it; one of them is the user's, and both are found."""
    for at in range(MOST):
        one = await scene()
        await voice_of(one.voices, one.session)
        midst = one.interrupted(at, partial(voice_of, one.voices, one.session))
        consent = await consent_of(midst.voices, one.session)
        if not midst.faulty.has_come:
            break
        voice = await one.voices.of(one.session)
        assert voice is not None
        assert voice.consent == consent
        assert voice.clone is None
        one.clock.now += GRACE_SECONDS
        await sweep(one.voices)
        assert await one.voices.of(one.session) == voice
        assert len(one.kept()) == 1
        await one.end()
    assert at > 5


async def test_the_sweep_leaves_a_voice_alone_that_is_made_meanwhile() -> None:
    """Under a new consent, after one that has expired."""
    for at in range(MOST):
        one = await scene()
        await voice_of(one.voices, one.session)
        one.clock.now += DAY
        midst = one.interrupted(at, partial(voice_of, one.voices, one.session))
        await midst.voices.overdue()
        if not midst.faulty.has_come:
            break
        voice = await one.voices.of(one.session)
        if voice is not None:  # at one moment its consent may be taken for the one that expired
            assert voice.clone is not None
        await sweep(one.voices)
        assert await one.voices.of(one.session) == voice
        await one.end()
    assert at > 50


async def test_a_sweep_in_the_midst_of_a_consent_does_not_lose_it() -> None:
    """It would never expire."""
    for at in range(MOST):
        one = await scene()
        midst = one.interrupted(at, partial(sweep, one.voices))
        consent = await consent_of(midst.voices, one.session)
        if not midst.faulty.has_come:
            break
        one.clock.now += GRACE_SECONDS
        assert await sweep(one.voices) == []
        voice = await one.voices.of(one.session)
        assert voice is not None
        assert voice.consent == consent
        await one.end()
    assert at > 3


async def test_two_deletions_are_one() -> None:
    """However the one comes upon the other."""
    for at in range(MOST):
        one = await scene()
        consent, clone = await voice_of(one.voices, one.session)
        await one.voices.list_utterances(one.session, "call", 0, said_with(consent, 3))
        midst = one.interrupted(at, partial(one.voices.delete, "ann", "forgotten"))
        await midst.voices.delete("ann", "asked")
        if not midst.faulty.has_come:
            break
        (doomed,) = await one.voices.overdue()
        assert (doomed.name, doomed.utterances) == (clone.name, 3)
        assert doomed.removed == ("consent", "embedding", "clone", "manifest")
        assert one.kept() == []
        await one.end()
    assert at > 10


@pytest.mark.parametrize("is_done", [False, True])
async def test_a_voice_after_a_deletion_that_died_is_left_alone(is_done: bool) -> None:
    """What is left of that deletion is of the earlier consent."""
    for at in range(MOST):
        one = await scene()
        _, clone = await voice_of(one.voices, one.session)
        faulty = Faulty(fails_at=at, is_done=is_done, fails_on=True)
        try:
            await opened(FaultyStore(one.store, faulty), one.clock).delete("ann", "asked")
        except StoreError:
            pass
        else:
            break
        consent, _ = await voice_of(one.voices, one.session)
        assert await sweep(one.voices) == [clone.name]
        assert await one.voices.may_speak(consent.consent_id, one.session)
        await one.end()
    assert at > 10


async def test_a_deletion_that_dies_in_the_midst_of_a_sweep_keeps_its_why() -> None:
    """Whichever of the two finishes it."""
    for at in range(MOST):
        has_come = False
        for dies_at in range(0, MOST, 2):
            one = await scene()
            consent, clone = await voice_of(one.voices, one.session)
            await one.voices.list_utterances(one.session, "call", 0, said_with(consent, 3))
            dying = opened(
                FaultyStore(one.store, Faulty(fails_at=dies_at, fails_on=True)), one.clock
            )
            has_died: list[StoreError] = []
            midst = one.interrupted(at, partial(delete_until_it_dies, dying, has_died))
            await midst.voices.overdue()
            for doomed in await one.voices.overdue():
                assert (doomed.name, doomed.why, doomed.utterances) == (clone.name, "asked", 3)
            has_come = midst.faulty.has_come
            if not has_died:
                break
        if not has_come:
            break
    assert at > 30


async def delete_until_it_dies(voices: Voices, has_died: list[StoreError]) -> None:
    try:
        await voices.delete("ann", "asked")
    except StoreError as error:
        has_died.append(error)

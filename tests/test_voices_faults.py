"""Voices when the store fails, a process dies or two act at once: the sweep finds what is left."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from voices_kept import (
    AUDIO,
    DAY,
    EMBEDDING,
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

from session import Consent, NoConsent, Session, SessionError, StoreError, Voices
from session.store import MemoryStore
from session.voice_places import GRACE_SECONDS

USERS = ("ann", "bob")


class World:
    """A store, one maker of voices, and processes that die. Lives as long as a test."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = Clock()
        self.faulty = Faulty()
        self.voices = opened(self.store, self.clock)
        self.made: set[str] = set()
        """What the maker has."""

    def dying(self, faulty: Faulty) -> Voices:
        """For a process whose operations go through a fault."""
        return opened(FaultyStore(self.store, faulty), self.clock)

    async def sweep(self) -> None:
        """The worker's, twice: the second one has nothing to do."""
        for one in await self.voices.overdue():
            self.made.discard(one.name)
            assert await self.voices.gone(one.name, verified=True) is not None
        assert await self.voices.overdue() == ()

    def kept(self) -> dict[tuple[str, str], list[str]]:
        """Where anything is kept, and its texts; receipts stay."""
        return {
            place: [one.text for one in texts.values()]
            for place, texts in self.store.memories._kept.items()
            if texts and not place[0].startswith("june/receipts/")
        }

    async def check(self, sessions: list[Session]) -> None:
        """June speaks only with what is made, kept and consented to."""
        for session in sessions:
            voice = await self.voices.of(session)
            for consent_id in await self.consents():
                if await self.voices.may_speak(consent_id, session):
                    assert voice is not None
                    assert voice.clone is not None
                    assert voice.consent.user == session.user
                    assert voice.consent.consent_id == consent_id
                    assert voice.clone.consent_id == consent_id
                    assert self.clock.now < voice.consent.expires_at

    async def consents(self) -> set[str]:
        texts = await asyncio.gather(*(self.store.memories.all(u, "june/voice") for u in USERS))
        return {
            Consent.model_validate_json(found["consent"]).consent_id
            for found in texts
            if "consent" in found
        }


async def live(world: World, voices: Voices, session: Session) -> None:
    """All that a call does: twice a voice, and none in the end."""
    for room in ("a", "b"):
        consent = await consent_of(voices, session)
        name = await voices.begin_clone(consent, "openai")
        world.made.add(name)
        await voices.keep_clone(consent, name, "data")
        await voices.list_utterances(session, room, 0, said_with(consent, 2))
        failed = await voices.begin_clone(consent, "openai")
        await voices.abandon(failed)
    deleted = await voices.delete(session.user, "asked")
    assert deleted is not None
    for one in deleted.doomed:
        world.made.discard(one.name)
        await voices.gone(one.name, verified=True)


async def operations() -> int:
    world = World()
    await live(world, world.dying(world.faulty), await call_of(world.store))
    return world.faulty.count


OPERATIONS = asyncio.run(operations())


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("at", range(OPERATIONS))
async def test_who_dies_at_any_operation_leaves_nothing_for_ever(at: int, is_done: bool) -> None:
    """June never speaks without a consent, and once it expired nothing is left here or there."""
    world = World()
    session = await call_of(world.store)
    died = world.dying(Faulty(fails_at=at, is_done=is_done, fails_on=True))
    with pytest.raises(StoreError):
        await live(world, died, session)
    await world.check([session])
    await world.sweep()
    await world.check([session])
    world.clock.now += GRACE_SECONDS
    await world.sweep()
    await world.check([session])
    world.clock.now += DAY
    await world.sweep()
    assert world.kept() == {}
    assert world.made == set()


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("at", range(OPERATIONS))
async def test_a_user_is_forgotten_wherever_somebody_died(at: int, is_done: bool) -> None:
    """At once, as far as it is theirs; their clones a little later."""
    world = World()
    session = await call_of(world.store)
    died = world.dying(Faulty(fails_at=at, is_done=is_done, fails_on=True))
    with pytest.raises(StoreError):
        await live(world, died, session)
    await world.voices.delete(session.user, "forgotten")
    assert not [place for place in world.kept() if place[0] == session.user]
    await world.sweep()
    world.clock.now += GRACE_SECONDS
    await world.sweep()
    assert world.kept() == {}
    assert world.made == set()


@pytest.mark.parametrize("is_done", [False, True])
async def test_a_deletion_that_died_is_finished_with_the_same_receipt(is_done: bool) -> None:
    """Why, what and how much are written down before the first of it is gone."""
    for at in range(100):
        world = World()
        session = await call_of(world.store)
        consent, clone = await voice_of(world.voices, session)
        await world.voices.list_utterances(session, "call", 0, said_with(consent, 5))
        faulty = Faulty(fails_at=at, is_done=is_done, fails_on=True)
        try:
            await world.dying(faulty).delete(session.user, "asked")
        except StoreError:
            pass
        else:
            break
        found = await world.voices.overdue()
        if await world.voices.of(session) is not None:
            assert found == ()  # it was not begun
            continue
        (doomed,) = found
        assert (doomed.name, doomed.why, doomed.utterances) == (clone.name, "asked", 5)
        assert doomed.removed == ("consent", "embedding", "clone", "manifest")
        assert await sweep(world.voices) == [clone.name]
        assert world.kept() == {}
    assert at > 10


@pytest.mark.parametrize("is_done", [False, True])
async def test_a_sweep_that_died_is_done_again(is_done: bool) -> None:
    """At whichever operation."""
    for at in range(1_000):
        world = World()
        session = await call_of(world.store)
        consent, _ = await voice_of(world.voices, session)
        await world.voices.begin_clone(consent, "openai")
        await world.voices.delete("ann", "asked")
        await voice_of(world.voices, await call_of(world.store, "bob"))
        await consent_of(world.voices, session)
        world.clock.now += DAY
        faulty = Faulty(fails_at=at, is_done=is_done, fails_on=True)
        try:
            await sweep(world.dying(faulty))
        except StoreError:
            await world.sweep()
        else:
            break
        assert world.kept() == {}
        receipts = [
            text
            for place, texts in world.store.memories._kept.items()
            if place[0].startswith("june/receipts/")
            for text in texts
        ]
        assert len(receipts) == 4
    assert at > 60


@pytest.mark.parametrize("is_done", [False, True])
async def test_a_receipt_that_was_written_by_who_died_is_the_only_one(is_done: bool) -> None:
    """Also after midnight."""
    for at in range(100):
        world = World()
        world.clock.now = 12 * DAY - 1
        _, clone = await voice_of(world.voices, await call_of(world.store))
        await world.voices.delete("ann", "asked")
        died = world.dying(Faulty(fails_at=at, is_done=is_done, fails_on=True))
        try:
            await died.gone(clone.name, verified=True)
        except StoreError:
            pass
        else:
            break
        before = await world.voices.receipts("1970-01-12")
        world.clock.now += 2
        await sweep(world.voices)
        after = (
            *await world.voices.receipts("1970-01-12"),
            *await world.voices.receipts("1970-01-13"),
        )
        assert len(after) == 1
        assert before in {(), after}
    assert at > 3


class Turns:
    """Lets tasks go on one operation at a time, in a random order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._waiting: list[asyncio.Future[None]] = []

    async def mine(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    async def run(
        self, works: Sequence[Coroutine[Any, Any, None]], look: Callable[[], Awaitable[None]]
    ) -> None:
        tasks = [asyncio.create_task(work) for work in works]
        while not all(task.done() for task in tasks):
            for _ in range(5):  # until all who can wait do
                await asyncio.sleep(0)
            if self._waiting:
                await look()
                turn = self._waiting.pop(self.random.randrange(len(self._waiting)))
                turn.set_result(None)
        await asyncio.gather(*tasks)


class TakingTurns(Faulty):
    """Waits for its turn before each operation; may die."""

    def __init__(self, turns: Turns, fails_at: int) -> None:
        super().__init__(fails_at=fails_at, fails_on=True)
        self._turns = turns

    async def pass_on(self, work: Any) -> Any:
        await self._turns.mine()
        return await super().pass_on(work)


async def whatever(world: World, voices: Voices, turns: Turns, session: Session) -> None:
    """One process, which does something with voices until it is done or dies."""
    with suppress(StoreError):
        for _ in range(3):
            with suppress(SessionError) if turns.random.random() < 0.9 else suppress(NoConsent):
                match turns.random.randrange(5):
                    case 0:
                        await voices.delete(session.user, "asked")
                    case 1:
                        for one in await voices.overdue():
                            await voices.gone(one.name, verified=True)
                            world.made.discard(one.name)
                    case _:
                        consent = await consent_of(voices, session)
                        name = await voices.begin_clone(consent, "openai")
                        world.made.add(name)
                        clone = await voices.keep_clone(consent, name, "data")
                        assert clone.name == name
                        await voices.list_utterances(session, "call", 0, said_with(consent, 1))


@pytest.mark.parametrize("rounds", [60, pytest.param(1_000, marks=pytest.mark.slow)])
async def test_many_at_once_leave_nothing_that_is_not_found(rounds: int) -> None:
    """Three processes with two users, every operation in turn; some of them die."""
    for seed in range(rounds):
        world, turns = World(), Turns(seed)
        sessions = [await call_of(world.store, user) for user in USERS]
        works = [
            whatever(
                world,
                world.dying(
                    TakingTurns(turns, turns.random.choice([-1, turns.random.randrange(60)]))
                ),
                turns,
                sessions[number % 2],
            )
            for number in range(3)
        ]
        await turns.run(works, partial(world.check, sessions))
        world.clock.now += GRACE_SECONDS
        await world.sweep()
        await world.check(sessions)
        for session in sessions:  # whoever is valid has a clone that its maker has, or none
            voice = await world.voices.of(session)
            if voice is not None and voice.clone is not None:
                assert voice.clone.name in world.made, seed
        world.clock.now += DAY
        await world.sweep()
        assert world.made == set(), seed
        left = world.kept()
        assert not any(place[0].startswith("june/") for place in left), seed
        text = str(left)
        assert AUDIO not in text, seed
        assert EMBEDDING not in text, seed

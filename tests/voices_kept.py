"""Voices for tests: a clock, whoever consents, and a store that fails at an operation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from test_store import NOW, begin

from session import Clone, Consent, Session, StoreError, Utterance, Voices
from session.store import Store
from session.store.protocol import Memories

KEY = b"k" * 32

HOUR, DAY = 3_600.0, 86_400.0

AUDIO = "a0d10" * 12 + "beef"
"""A SHA-256 as hex."""

EMBEDDING = "RW1iZWRkaW5n" * 110


@dataclass
class Clock:
    """Time that passes when a test says so."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


def opened(store: Store, clock: Clock, key: bytes = KEY) -> Voices:
    return Voices(store, key, clock)


async def call_of(store: Store, user: str = "ann", room: str = "room") -> Session:
    return await begin(store, room, user)


async def consent_of(
    voices: Voices, session: Session, hours: float = 24, embedding: str = EMBEDDING
) -> Consent:
    return await voices.give(
        session,
        call_id="call",
        asked="I allow June to speak with my voice. Amber river forty-two.",
        heard="i allow june to speak with my voice amber river 42",
        audio_sha256=AUDIO,
        embedding=embedding,
        seconds_valid=hours * HOUR,
    )


async def voice_of(voices: Voices, session: Session) -> tuple[Consent, Clone]:
    """From the consent to the clone."""
    consent = await consent_of(voices, session)
    name = await voices.begin_clone(consent, "openai")
    return consent, await voices.keep_clone(consent, name, '{"voice": "voice_4711"}')


def said_with(consent: Consent, count: int, first: int = 0) -> list[Utterance]:
    return [
        Utterance(NOW + number, consent.consent_id, f"{number:064x}")
        for number in range(first, first + count)
    ]


async def sweep(voices: Voices, *, verified: bool = True) -> list[str]:
    """As the worker does; the names that it was given."""
    doomed = await voices.overdue()
    for one in doomed:
        await voices.gone(one.name, verified=verified)
    return [one.name for one in doomed]


@dataclass
class Faulty:
    """When the next operation fails: the store is away before it, or its answer is lost."""

    fails_at: int = -1
    is_done: bool = False
    """Whether the one that fails was done all the same."""
    count: int = 0
    fails_on: bool = False
    """Whether all after it fail as well, as for a process that died."""

    async def pass_on(self, work: Any) -> Any:
        number, self.count = self.count, self.count + 1
        fails = number == self.fails_at or (self.fails_on and number > self.fails_at >= 0)
        if fails and not (self.is_done and number == self.fails_at):
            work.close()
            raise StoreError("it is away", retryable=True)
        answer = await work
        if fails:
            raise StoreError("its answer is lost", retryable=True)
        return answer


class FaultyMemories:
    def __init__(self, memories: Memories, faulty: Faulty) -> None:
        self._memories = memories
        self._faulty = faulty

    async def put(self, user: str, skill: str, key: str, text: str, *, now: float) -> bool:
        work = self._memories.put(user, skill, key, text, now=now)
        return bool(await self._faulty.pass_on(work))

    async def all(self, user: str, skill: str) -> Mapping[str, str]:
        found: Mapping[str, str] = await self._faulty.pass_on(self._memories.all(user, skill))
        return found

    async def take(self, user: str, skill: str, key: str) -> str | None:
        taken: str | None = await self._faulty.pass_on(self._memories.take(user, skill, key))
        return taken


class FaultyStore:
    """Another store, of which what is kept of voices passes through a fault."""

    def __init__(self, store: Store, faulty: Faulty) -> None:
        self.sessions = store.sessions
        self.limits = store.limits
        self.ledger = store.ledger
        self.claims = store.claims
        self.leases = store.leases
        self.breakers = store.breakers
        self.memories = FaultyMemories(store.memories, faulty)

    @property
    def skew_seconds(self) -> float:
        return 0.0

    async def aclose(self) -> None:
        """The other one's affair."""

"""SessionService: the one door to sessions, limits, money and skills."""

import time
from collections.abc import Callable
from typing import Self

from session.asking import Asking
from session.breaker import ProviderBreakers
from session.config import SessionConfig
from session.duplicates import Duplicates
from session.errors import NoGuestTokens, UnknownSession
from session.forgetting import clean_up_once, delete_session, forget_user, purge
from session.gate import admit_repeat, admit_turn
from session.limits import Decision
from session.memories import UserMemory
from session.opening import open_with_key, url_of_store
from session.paging import within
from session.percentiles import reply_times
from session.ports import GuestTokens
from session.records import (
    Channel,
    CloseReason,
    Message,
    Removed,
    ReplyTimes,
    Session,
    SessionStats,
    SkillSession,
    TurnMetrics,
)
from session.rooms import Rooms
from session.rules import call_ask
from session.storable import storable, storable_message, storable_skill
from session.store import Store
from session.store.retention import MOST_LATELY
from session.treasury import Treasury
from session.users import hash_user
from session.voices import Voices

CONTEXT_MESSAGES = 20
"""How much of what a user said before the model is given."""

SESSION_SECONDS = 86_400.0
"""A session that has shown no life for so long is deleted, with all that was said in it."""


class SessionService(Rooms):
    """Lives as long as its process needs it: a call, a worker, a script. `async with` opens it.

    Raw identities come in and keyed hashes are stored. Every method may raise `StoreError`.
    """

    def __init__(
        self,
        config: SessionConfig,
        *,
        now: Callable[[], float] = time.time,
        guest_tokens: GuestTokens | None = None,
        on_fault: Callable[[], None] = lambda: None,
    ) -> None:
        self._config, self._clock = config, now
        self._guest_tokens, self._on_fault = guest_tokens, on_fault
        self._opened: tuple[Store, bytes] | None = None

    async def __aenter__(self) -> Self:
        """Raises `StoreUnusable`, worded for the operator."""
        self._opened = await open_with_key(self._config, on_fault=self._on_fault)
        self.breakers = ProviderBreakers(self._store.breakers, self.now)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        if self._opened is not None:
            await self._opened[0].aclose()

    @property
    def _store(self) -> Store:
        return self._is_open()[0]

    @property
    def store_url(self) -> str:
        """It may hold a password."""
        return url_of_store(self._config)

    def _hash(self, user: str) -> str:
        return hash_user(user, self._is_open()[1])

    def _is_open(self) -> tuple[Store, bytes]:
        if self._opened is None:
            raise RuntimeError("open the SessionService with `async with` before you use it")
        return self._opened

    @property
    def stands_in(self) -> bool:
        """Whether this memory is a call's own, because the store is away."""
        return self._config.stands_in

    def now(self) -> float:
        """Wall-clock time in Unix seconds, by the store's clock where machines share one."""
        return self._clock() + self._store.skew_seconds

    # Sessions and what was said in them

    async def get_or_create_for_room(
        self, room_name: str, user: str, *, channel: Channel = "room", language: str = "en"
    ) -> Session:
        """The conversation that this room and user go on with, or a new one."""
        return await self._store.sessions.open(
            storable(room_name),
            self._hash(user),
            channel=channel,
            language=storable(language),
            now=self.now(),
        )

    async def get_session(self, session_id: str) -> Session:
        """Raises `UnknownSession`."""
        session = await self._store.sessions.get(storable(session_id))
        if session is None:
            raise UnknownSession(session_id)
        return session

    async def get_session_by_room(self, room_name: str) -> Session | None:
        """The session of a room that showed life last, open or closed."""
        return await self._store.sessions.by_room(storable(room_name))

    async def get_user_sessions(self, user: str) -> tuple[Session, ...]:
        """Newest first."""
        return await self._store.sessions.of_user(self._hash(user))

    async def list_sessions(self, limit: int = 50, *, skip: int = 0) -> tuple[Session, ...]:
        """Everybody's; the ones that showed life last come first."""
        limit, skip = within(limit, skip)
        return await self._store.sessions.page(limit, skip=skip)

    async def add_message(self, message: Message) -> bool:
        """Keep it once, by its id: True the first time. Raises `UnknownSession`."""
        return await self._store.sessions.append(storable_message(message), now=self.now())

    async def history(self, session_id: str) -> tuple[Message, ...]:
        return await self._store.sessions.messages(storable(session_id))

    async def context(self, session: Session) -> tuple[Message, ...]:
        """The last messages of this session's user from whichever session, oldest first."""
        return await self._store.sessions.recent(session.user, CONTEXT_MESSAGES)

    async def keep_summary(self, session_id: str, summary: str, summarised: int) -> None:
        """What stands for the first `summarised` messages of the session."""
        await self._store.sessions.summarise(storable(session_id), storable(summary), summarised)

    async def save_skill(self, session_id: str, skill: SkillSession | None) -> None:
        """Which skill has the conversation; None gives it back to the model."""
        kept = None if skill is None else storable_skill(skill)
        await self._store.sessions.save_skill(storable(session_id), kept)

    def memory_of(self, session: Session, skill: str) -> UserMemory:
        """What this skill keeps of the session's user; it outlives the session."""
        return UserMemory(self._store.memories, session.user, skill, self.now)

    async def touch(self, session_id: str) -> None:
        """A sign of life."""
        await self._store.sessions.touch(storable(session_id), now=self.now())

    async def close_session(
        self,
        session_id: str,
        reason: CloseReason,
        *,
        seconds_ago: float = 0.0,
        resumes: int | None = None,
    ) -> bool:
        """It was over so long ago. False if it is closed, or was not resumed just so often."""
        key, over_at = storable(session_id), self.now() - seconds_ago
        return await self._store.sessions.close(key, reason, now=over_at, resumes=resumes)

    # Forgetting

    async def delete_session(self, session_id: str) -> bool:
        """With all that was said in it, and the voice given in it; False where there is none."""
        return await delete_session(self._store, self.voices, storable(session_id))

    async def forget_user(self, user: str) -> Removed:
        """Delete all that somebody said and all that is known of them, their voice first.

        How often they called and what it cost stays, as numbers under a keyed hash, for at most
        three days: whoever is blocked must not be let in by being forgotten.
        """
        return await forget_user(self._store, self.voices, self._hash(user))

    async def cleanup_expired_sessions(self) -> Removed:
        """Delete the sessions that have shown no life for 24 h, and the voices that expired."""
        now = self.now()
        return await purge(self._store, self.voices, seen_before=now - SESSION_SECONDS, now=now)

    async def clean_up_once(self, when: str) -> Removed | None:
        """`cleanup_expired_sessions`, unless another process has just done so; then None."""
        return await clean_up_once(
            self._store.claims, when, self.cleanup_expired_sessions, now=self.now()
        )

    # Figures

    async def update_session_metrics(self, session_id: str, metrics: TurnMetrics) -> None:
        """How one turn went; the first figures of a turn stand."""
        await self._store.sessions.measure(storable(session_id), metrics)

    async def turn_metrics(self, session_id: str) -> tuple[TurnMetrics, ...]:
        return await self._store.sessions.measured(storable(session_id))

    async def measured_lately(self, seconds: float) -> tuple[TurnMetrics, ...]:
        """Turns of all sessions, the newest first; not more than a thousand."""
        since = self.now() - seconds
        return await self._store.sessions.measured_since(since, MOST_LATELY)

    async def reply_times(self, session_id: str) -> ReplyTimes:
        """Of one session."""
        measured = await self.turn_metrics(session_id)
        return reply_times([one.reply_seconds for one in measured if one.reply_seconds is not None])

    async def get_stats(self) -> SessionStats:
        """Of all sessions, and today's money."""
        stats = await self._store.sessions.stats()
        return stats.model_copy(update={"money": await self.money.today()})

    # What may happen

    async def admit_call(self, session: Session, call_id: str) -> Decision:
        """May this user call now?"""
        now = self.now()
        ask = call_ask(self._config.limits, session, storable(call_id), now)
        return await self._store.limits.admit(ask, now=now)

    @property
    def asking(self) -> Asking:
        """What might be done now."""
        return Asking(self._store.limits, self._config.limits, self._hash, self.now)

    async def reserve_turn(self, session: Session, turn: int, text: str) -> Decision:
        """May this attempt at a turn be answered? Attempts at one turn count once.

        One that is too long counts as well: it is answered, in a sentence.
        """
        return await admit_turn(
            self._store.limits, self._config.limits, session, turn, text, now=self.now()
        )

    async def reserve_repeat(self, session: Session) -> Decision:
        """May an answer be given again? It counts as a turn of its user."""
        return await admit_repeat(self._store.limits, self._config.limits, session, now=self.now())

    async def commit_turn(self, session_id: str, turn: int) -> bool:
        """The turn was really taken; what it changes takes effect, once."""
        return await self._store.sessions.commit_turn(storable(session_id), turn)

    @property
    def money(self) -> Treasury:
        """What is spent, and may be."""
        return Treasury(self._store.ledger, self._store.claims, self._config, self.now)

    @property
    def duplicates(self) -> Duplicates:
        """What is delivered twice."""
        return Duplicates(self._store.claims, self._store.sessions, self.now)

    @property
    def voices(self) -> Voices:
        """Callers' voices: their consents, and what was made of them."""
        return Voices(*self._is_open(), self.now)

    def generate_guest_token(self, room_name: str, identity: str) -> str:
        """A short-lived token to join one room with. Raises `NoGuestTokens` without LiveKit."""
        if self._guest_tokens is None:
            raise NoGuestTokens
        return self._guest_tokens.mint(storable(room_name), storable(identity))

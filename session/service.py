"""SessionService: the one door to sessions, limits, money and skills."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from session.errors import StoreError, UnknownSession
from session.gate import Decision, decide_turn
from session.leases import LEASE_SECONDS, Lease, LeaseState
from session.records import Channel, CloseReason, Message, Session, SessionStats
from session.store import Store, open_store
from session.users import hash_user, key_in

CONTEXT_MESSAGES = 20
"""How much of what a user said before the model is given."""

DATABASE = "june.db"


@dataclass(frozen=True)
class SessionConfig:
    """What the memory needs to know. `store_url` empty: a SQLite file in `data_dir`."""

    data_dir: Path
    store_url: str = ""
    secret_key: bytes | None = field(default=None, repr=False)
    """Keys the hashes of users; None for the key in `data_dir`, which is made at first use."""
    max_input_characters: int = 2_000


class SessionService:
    """Lives as long as its process needs it: a call, a worker, a script. `async with` opens it.

    Raw identities come in and keyed hashes are stored. Every method may raise `StoreError`.
    """

    def __init__(self, config: SessionConfig, *, now: Callable[[], float] = time.time) -> None:
        self._config = config
        self._now = now
        self._opened: tuple[Store, bytes] | None = None

    async def __aenter__(self) -> Self:
        """Raises `StoreUnusable`, worded for the operator."""
        config = self._config
        store = await open_store(config.store_url or f"sqlite:{config.data_dir / DATABASE}")
        try:
            self._opened = (store, await asyncio.to_thread(self._key))
        except BaseException:
            await store.aclose()
            raise
        return self

    def _key(self) -> bytes:
        if self._config.secret_key:
            return self._config.secret_key
        if self._config.store_url.startswith("memory:"):
            return b"forgotten with the process"
        return key_in(self._config.data_dir)

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        if self._opened is not None:
            await self._opened[0].aclose()

    @property
    def _store(self) -> Store:
        if self._opened is None:
            raise RuntimeError("open the SessionService with `async with` before you use it")
        return self._opened[0]

    def _hash(self, user: str) -> str:
        if self._opened is None:
            raise RuntimeError("open the SessionService with `async with` before you use it")
        return hash_user(user, self._opened[1])

    async def get_or_create_for_room(
        self, room_name: str, user: str, *, channel: Channel = "room", language: str = "en"
    ) -> Session:
        """The conversation that this room and user go on with, or a new one."""
        return await self._store.open_session(
            storable(room_name),
            self._hash(user),
            channel=channel,
            language=storable(language),
            now=self._now(),
        )

    async def get_session(self, session_id: str) -> Session:
        """Raises `UnknownSession`."""
        session = await self._store.get_session(storable(session_id))
        if session is None:
            raise UnknownSession(session_id)
        return session

    async def get_session_by_room(self, room_name: str) -> Session | None:
        """The newest open session of a room, else its newest."""
        return await self._store.session_by_room(storable(room_name))

    async def get_user_sessions(self, user: str) -> tuple[Session, ...]:
        """Newest first."""
        return await self._store.user_sessions(self._hash(user))

    async def add_message(self, message: Message) -> bool:
        """Keep it once, by its id: True the first time. Raises `UnknownSession`."""
        texts = {name: storable(value) for name, value in message if isinstance(value, str)}
        return await self._store.append_message(message.model_copy(update=texts), now=self._now())

    async def history(self, session_id: str) -> tuple[Message, ...]:
        return await self._store.messages(storable(session_id))

    async def context(self, session: Session) -> tuple[Message, ...]:
        """The last messages of this session's user from whichever session, oldest first."""
        return await self._store.recent_messages(session.user, CONTEXT_MESSAGES)

    async def touch(self, session_id: str) -> None:
        """A sign of life."""
        await self._store.touch(storable(session_id), now=self._now())

    async def close_session(self, session_id: str, reason: CloseReason) -> bool:
        """The first reason stands; later ones give False."""
        return await self._store.close_session(storable(session_id), reason, now=self._now())

    async def delete_session(self, session_id: str) -> bool:
        """With all that was said in it; False where there is none."""
        return await self._store.delete_session(storable(session_id))

    async def get_stats(self) -> SessionStats:
        return await self._store.stats()

    async def reserve_turn(self, session_id: str, turn: int, text: str) -> Decision:
        """May this attempt at a turn be answered? Attempts at one turn reserve it once.

        A refused attempt takes back what an earlier one with other words had reserved.
        """
        session_id = storable(session_id)
        decision = decide_turn(text, max_input_characters=self._config.max_input_characters)
        if decision.allowed:
            await self._store.reserve_turn(session_id, turn, now=self._now())
        else:
            with suppress(StoreError):  # the words decide, whether the store is there or not
                await self._store.cancel_turn(session_id, turn)
        return decision

    async def commit_turn(self, session_id: str, turn: int) -> bool:
        """The turn was really taken; what it costs takes effect, once."""
        return await self._store.commit_turn(storable(session_id), turn, now=self._now())

    async def claim_room(
        self, room_name: str, owner: str, *, ttl_seconds: float = LEASE_SECONDS
    ) -> Lease | None:
        """Be June in a room; None while another owner is."""
        return await self._store.claim_lease(
            storable(room_name), storable(owner), ttl_seconds=ttl_seconds, now=self._now()
        )

    async def renew_room(self, lease: Lease) -> LeaseState:
        return await self._store.renew_lease(lease, ttl_seconds=LEASE_SECONDS, now=self._now())

    async def release_room(self, lease: Lease) -> None:
        await self._store.release_lease(lease)

    async def ask_to_leave(self, owner_prefix: str) -> int:
        """Tell all calls of a worker to say goodbye; how many there are."""
        return await self._store.ask_to_leave(storable(owner_prefix))


def storable(text: str) -> str:
    """Text that every store can hold: what UTF-8 cannot (lone surrogates) and NUL are replaced."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def open_sessions(config: SessionConfig, *, now: Callable[[], float] = time.time) -> SessionService:
    """The memory as worker, job, console and scripts share it; open it with `async with`."""
    return SessionService(config, now=now)

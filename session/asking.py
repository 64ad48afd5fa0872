"""What somebody might do now, asked before there is a session."""

import uuid
from collections.abc import Callable

from session.limits import Decision
from session.rules import LimitConfig, key_ask, question_ask
from session.store.protocol import Limits


class Asking:
    """Holds nothing itself; every method may raise `StoreError`."""

    def __init__(
        self,
        store: Limits,
        limits: LimitConfig,
        hash_of: Callable[[str], str],
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._limits = limits
        self._hash_of = hash_of
        self._now = now

    async def may_call(self, user: str | None) -> Decision:
        """Whether this user might call now; None where nobody knows yet who it is.

        Counts nothing: neither a call nor a refusal.
        """
        who = None if user is None else self._hash_of(user)
        now = self._now()
        return await self._store.admit(question_ask(self._limits, who, now), now=now)

    async def use_key(self, name: str, *, per_minute: int) -> Decision:
        """Use a key of June's once more, if it was not used so often within a minute."""
        ask = key_ask(name, uuid.uuid4().hex, per_minute)
        return await self._store.admit(ask, now=self._now())

"""What is delivered twice is answered once, and the second time with the same answer.

By its id for ten minutes; by its words only for text that was typed, and only for three seconds:
people do say "yes" twice.
"""

import unicodedata
from collections.abc import Callable
from hashlib import blake2b

from session.claims import Claim
from session.records import Session
from session.storable import storable
from session.store.protocol import Claims, Sessions

ID_SECONDS = 600.0
UNANSWERED_SECONDS = 60.0
"""For so long somebody may be answering it; a process that died does not hold it for longer."""

TEXT_SECONDS = 3.0


class Duplicates:
    """Messages of one session are apart from those of every other. Holds nothing itself.

    Of a session that was deleted nothing is kept.
    """

    def __init__(self, claims: Claims, sessions: Sessions, now: Callable[[], float]) -> None:
        self._claims = claims
        self._sessions = sessions
        self._now = now

    async def claim_message(self, session: Session, message_id: str) -> Claim:
        """Before it is answered. One that is not the first may find the answer already."""
        if await self._sessions.get(session.session_id) is None:
            return Claim(is_first=True)
        return await self._claims.claim(
            _key("message", session, message_id),
            ttl_seconds=UNANSWERED_SECONDS,
            now=self._now(),
            session_id=session.session_id,
        )

    async def answered(self, session: Session, message_id: str, answer: str) -> None:
        """Kept for when it is delivered again."""
        await self._claims.fulfil(
            _key("message", session, message_id),
            storable(answer),
            ttl_seconds=ID_SECONDS,
            now=self._now(),
        )

    async def unanswered(self, session: Session, message_id: str) -> None:
        """It failed: when it is delivered again it is answered."""
        await self._claims.release(_key("message", session, message_id))

    async def untyped(self, session: Session, text: str) -> None:
        """It failed: when it is typed again it is answered."""
        await self._claims.release(_key("text", session, _plain(text)))

    async def claim_text(self, session: Session, text: str) -> bool:
        """Whether nobody typed the same a moment ago."""
        claim = await self._claims.claim(
            _key("text", session, _plain(text)),
            ttl_seconds=TEXT_SECONDS,
            now=self._now(),
            session_id=session.session_id,
        )
        return claim.is_first


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _key(kind: str, session: Session, what: str) -> str:
    """A digest, because ids come from callers and words must not be read from keys."""
    digest = blake2b(what.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{kind} {session.session_id} {digest}"

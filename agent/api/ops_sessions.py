"""The last sessions with where the time of their turns went, for the operator's page."""

import asyncio

from pydantic import BaseModel

from session import Session, SessionService, StoreError, TurnMetrics
from session.records import Channel, CloseReason, Status

NEWEST = 50
NEWEST_TURNS = 100
PATIENCE_SECONDS = 3.0

SETTLED_SECONDS = 60.0
"""After its end what a call has cost is settled, and its last turn written."""


class SessionNow(BaseModel):
    """A session without what was said in it, nor by whom."""

    session_id: str
    room_name: str
    channel: Channel
    status: Status
    close_reason: CloseReason | None
    created_at: float
    seen_at: float
    closed_at: float | None
    message_count: int
    spent_micros: int
    turns: list[TurnMetrics]
    """The newest hundred."""


class NewestSessions:
    """Lives as long as the app. A session that is over is read once, and again if it is resumed."""

    def __init__(self, sessions: SessionService) -> None:
        self._sessions = sessions
        self._known: dict[str, tuple[Session, str]] = {}
        """Those that are over, with what is told of them."""

    async def text(self) -> str | None:
        """As JSON; None while the store is away."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                newest = await self._sessions.list_sessions(NEWEST)
                told = [await self._told(one) for one in newest]
        except (StoreError, TimeoutError):
            return None
        over_before = self._sessions.now() - SETTLED_SECONDS
        self._known = {
            one.session_id: (one, text)
            for one, text in zip(newest, told, strict=True)
            if one.closed_at is not None and one.closed_at < over_before
        }
        return f'{{"sessions":[{",".join(told)}]}}'

    async def _told(self, session: Session) -> str:
        known, text = self._known.get(session.session_id, (None, ""))
        return text if known == session else await self._read(session)

    async def _read(self, session: Session) -> str:
        turns = await self._sessions.turn_metrics(session.session_id)
        newest = sorted(turns, key=lambda one: one.at)[-NEWEST_TURNS:]
        told = SessionNow(
            session_id=session.session_id,
            room_name=session.room_name,
            channel=session.channel,
            status=session.status,
            close_reason=session.close_reason,
            created_at=session.created_at,
            seen_at=session.seen_at,
            closed_at=session.closed_at,
            message_count=session.message_count,
            spent_micros=await self._sessions.money.spent_by(session),
            turns=newest,
        )
        return told.model_dump_json()

"""The last sessions with where the time of their turns went, for the operator's page."""

import asyncio
from typing import Any

from pydantic import BaseModel

from session import Session, SessionService, StoreError, TurnMetrics
from session.records import Channel, CloseReason, Status

NEWEST = 50
NEWEST_TURNS = 100
PATIENCE_SECONDS = 5.0


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
    """Lives as long as the app. A session is read again once it has shown life, or has ended."""

    def __init__(self, sessions: SessionService) -> None:
        self._sessions = sessions
        self._known: dict[str, tuple[Any, str]] = {}

    async def text(self) -> str | None:
        """As JSON; None while the store is away."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                newest = await self._sessions.list_sessions(NEWEST)
                self._known = {one.session_id: await self._told(one) for one in newest}
        except (StoreError, TimeoutError):
            return None
        return f'{{"sessions":[{",".join(text for _, text in self._known.values())}]}}'

    async def _told(self, session: Session) -> tuple[Any, str]:
        state = (session.seen_at, session.message_count, session.status, session.resumes)
        known = self._known.get(session.session_id)
        return (
            known if known is not None and known[0] == state else (state, await self._read(session))
        )

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

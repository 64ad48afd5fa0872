"""The one participant whom June listens to: waiting for them, and for their way back."""

import asyncio
from collections.abc import Callable

import structlog
from livekit import rtc
from livekit.agents.utils import wait_for_participant

log = structlog.get_logger(__name__)

LEFT_ON_PURPOSE = (
    rtc.DisconnectReason.CLIENT_INITIATED,
    rtc.DisconnectReason.ROOM_DELETED,
    rtc.DisconnectReason.USER_REJECTED,
)
"""LiveKit ends the AgentSession for these itself. Every other reason may be a lost network."""

PEOPLE = [
    rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
    rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
    rtc.ParticipantKind.PARTICIPANT_KIND_CONNECTOR,
]
"""The kinds of participant that call: not agents, not recorders."""


async def wait_for_caller(
    room: rtc.Room, identity: str | None, patience_seconds: float
) -> rtc.RemoteParticipant | None:
    """The declared participant, or the first person who joins; None if nobody comes in time."""
    gone = asyncio.Event()

    def on_disconnected(*_: object) -> None:
        gone.set()

    room.on("disconnected", on_disconnected)
    coming = asyncio.create_task(
        wait_for_participant(room, identity=identity, kind=PEOPLE), name="june.caller.coming"
    )
    leaving = asyncio.create_task(gone.wait(), name="june.caller.gone")
    try:
        await asyncio.wait(
            {coming, leaving}, timeout=patience_seconds, return_when=asyncio.FIRST_COMPLETED
        )
        came = coming.done() and not coming.cancelled() and coming.exception() is None
        return coming.result() if came else None
    finally:
        coming.cancel()
        leaving.cancel()
        room.off("disconnected", on_disconnected)


class Presence:
    """Gives a caller whose network dropped some time to come back. Lives as long as one call.

    LiveKit takes the caller in again by itself when the same identity returns; nothing in it ends
    the wait. `on_lost` and `on_back` may come several times; `give_up` is called once, when the
    grace is over.
    """

    def __init__(
        self,
        room: rtc.Room,
        identity: str,
        *,
        grace_seconds: float,
        on_lost: Callable[[], None],
        on_back: Callable[[], None],
        on_left: Callable[[], None],
        give_up: Callable[[], None],
    ) -> None:
        self._room = room
        self._identity = identity
        self._grace_seconds = grace_seconds
        self._on_lost = on_lost
        self._on_back = on_back
        self._on_left = on_left
        self._give_up = give_up
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> "Presence":
        self._room.on("participant_disconnected", self._on_gone)
        self._room.on("participant_connected", self._on_here)
        return self

    def _on_gone(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity != self._identity:
            return
        if participant.disconnect_reason in LEFT_ON_PURPOSE:
            self._on_left()
            return
        if self._timer is not None:
            return
        log.info("caller.lost", grace_seconds=self._grace_seconds)
        self._on_lost()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._grace_seconds, self._give_up)

    def _on_here(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._identity and self._timer is not None:
            self._timer.cancel()
            self._timer = None
            log.info("caller.back")
            self._on_back()

    def __exit__(self, *exc_info: object) -> None:
        self._room.off("participant_disconnected", self._on_gone)
        self._room.off("participant_connected", self._on_here)
        if self._timer is not None:
            self._timer.cancel()

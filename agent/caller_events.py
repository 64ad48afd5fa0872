"""Sends June's own events to the one participant whom they concern, in order and off every path."""

import asyncio
from collections import deque
from contextlib import suppress

import structlog
from livekit import rtc

from agent.events import TOPIC, Event

log = structlog.get_logger(__name__)

LONGEST_QUEUE = 100
"""Events that wait; of more the oldest are dropped: the newest say how things are."""

SEND_SECONDS = 5.0
"""For one event. While June's own network is away LiveKit waits for it."""

CLOSE_SECONDS = 1.0
"""For what still waits when the call ends."""


class CallerEvents:
    """Lives as long as one call. `tell` never waits and never raises; its one task sends.

    A caller who comes back, perhaps with a page that knows nothing yet, is told anew which skill
    has the conversation and whose voice June has.
    """

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._identity: str | None = None
        self._waiting: deque[Event] = deque(maxlen=LONGEST_QUEUE)
        self._holds: dict[str, Event] = {}
        """What was told last, by its subject; only of what lasts."""
        self._has_more = asyncio.Event()
        self._is_closing = False
        self._task: asyncio.Task[None] | None = None
        self._is_failing = False

    def tell(self, event: Event) -> None:
        """Also before anybody is here: it waits for them."""
        if event.subject is not None:
            self._holds[event.subject] = event
        self._put(event)

    def _put(self, event: Event) -> None:
        self._waiting.append(event)
        self._has_more.set()

    def begin(self, identity: str) -> None:
        """Somebody is here, to whom all of it is sent. `aclose` ends it."""
        self._identity = identity
        self._room.on("participant_active", self._on_active)
        self._task = asyncio.create_task(self._send_all(identity), name="june.events")

    def _on_active(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._identity:
            for event in self._holds.values():
                self._put(event)

    async def _send_all(self, identity: str) -> None:
        while self._waiting or not self._is_closing:
            if not self._waiting:
                self._has_more.clear()
                await self._has_more.wait()
                continue
            await self._send(self._waiting.popleft(), identity)

    async def _send(self, event: Event, identity: str) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._room.local_participant.publish_data(
                    event.as_json(), destination_identities=[identity], topic=TOPIC
                )
        except Exception as error:  # noqa: BLE001 (whatever it is, the call goes on)
            if not self._is_failing:
                log.info("event.unsent", type=event.type.value, error=type(error).__name__)
            self._is_failing = True
        else:
            self._is_failing = False

    async def aclose(self) -> None:
        """Send what still waits, if that takes no time to speak of."""
        task, self._task = self._task, None
        if task is None:
            return
        self._room.off("participant_active", self._on_active)
        self._is_closing = True
        self._has_more.set()
        # Where sending fails, it would only be waited for in vain.
        patience_seconds = 0.0 if self._is_failing else CLOSE_SECONDS
        with suppress(TimeoutError):
            await asyncio.wait_for(task, patience_seconds)

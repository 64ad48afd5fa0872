"""A call in which nobody says anything: June asks, and when that is not answered she hangs up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

import structlog
from livekit.agents import AgentSession, UserStateChangedEvent
from livekit.agents.voice import SpeechHandle

log = structlog.get_logger(__name__)


class Idle:
    """Lives as long as one call. LiveKit says when a caller has been `away` for long enough.

    `ask` says the question, `give_up` is called once when it was not answered for another
    `patience_seconds`. A sound from the caller, or something typed, ends the wait. Whoever
    `is_waiting` for something is not asked.
    """

    def __init__(
        self,
        voice: AgentSession[None],
        *,
        patience_seconds: float,
        ask: Callable[[], Awaitable[SpeechHandle]],
        give_up: Callable[[], None],
        is_waiting: Callable[[], bool] = lambda: False,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._voice = voice
        self._patience_seconds = patience_seconds
        self._ask = ask
        self._give_up = give_up
        self._is_waiting = is_waiting
        self._sleep = sleep
        self._waiting: asyncio.Task[None] | None = None
        self._is_held = False

    def hold(self) -> None:
        """The caller is known to be away: their network is lost, which is not their silence."""
        self._is_held = True
        self._stop_waiting()

    def let_go(self) -> None:
        """They are back; LiveKit begins to count anew."""
        self._is_held = False

    def __enter__(self) -> Self:
        self._voice.on("user_state_changed", self._on_state)
        return self

    def _on_state(self, event: UserStateChangedEvent) -> None:
        self._stop_waiting()
        if event.new_state == "away" and not self._is_held:
            self._waiting = asyncio.create_task(self._wait(), name="june.idle")

    async def _wait(self) -> None:
        # LiveKit says once that a caller is away, so whoever waits is asked when they have waited.
        if self._is_waiting():
            while self._is_waiting():
                await self._sleep(1.0)
            await self._sleep(self._patience_seconds)
        log.info("caller.silent", seconds=self._patience_seconds)
        try:
            speech = await self._ask()
        except RuntimeError:
            return  # the voice is closing, so there is nobody to ask
        await speech.wait_for_playout()
        await self._sleep(self._patience_seconds)
        self._give_up()

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def __exit__(self, *exc_info: object) -> None:
        self._voice.off("user_state_changed", self._on_state)
        self._stop_waiting()

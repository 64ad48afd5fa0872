"""How long a caller waits for June's first sound."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from livekit.agents import AgentSession, AgentStateChangedEvent

from agent.metrics import FIRST_WORD


class FirstWord:
    """Lives as long as one call. `asked_at`: when its worker was asked to take it, in Unix seconds.

    By the clock of this machine. Where nobody knows when it was, 0, nothing is counted.
    """

    def __init__(
        self,
        voice: AgentSession[None],
        asked_at: float,
        *,
        now: Callable[[], float] = time.time,
        tell: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._voice = voice
        self._asked_at = asked_at
        self._now = now
        self._tell = tell
        self._alone_seconds = 0.0
        voice.on("agent_state_changed", self._on_state)

    @contextmanager
    def nobody_waits(self) -> Iterator[None]:
        """Whoever is not there yet does not wait for June: it is she who does."""
        began_at = self._now()
        yield
        self._alone_seconds += self._now() - began_at

    def _on_state(self, event: AgentStateChangedEvent) -> None:
        if event.new_state != "speaking":
            return
        self._voice.off("agent_state_changed", self._on_state)
        seconds = self._now() - self._asked_at - self._alone_seconds
        # A clock that was set in between says nothing.
        if self._asked_at and seconds >= 0:
            FIRST_WORD.observe(seconds)
            self._tell(seconds)

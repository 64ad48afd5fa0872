"""What an operator sees of a call while it goes on: noted with each renewal of its room's lease."""

from collections.abc import Callable
from typing import Self

from livekit.agents import AgentSession, AgentStateChangedEvent

from session.notes import LONGEST_NAME_CHARACTERS, CallNote, State

STATES: dict[str, State] = {
    "initializing": "starting",
    "idle": "idle",
    "listening": "listening",
    "thinking": "thinking",
    "speaking": "speaking",
}
"""By LiveKit's name."""


class StateNote:
    """Lives as long as one call. Of its state it knows only since when; LiveKit knows the rest."""

    def __init__(
        self,
        voice: AgentSession[None],
        *,
        now: Callable[[], float],
        session_id: Callable[[], str | None],
        skill: Callable[[], str | None],
    ) -> None:
        self._voice = voice
        self._now = now
        self._session_id = session_id
        self._skill = skill
        self._began_at = self._since = now()

    def __enter__(self) -> Self:
        self._voice.on("agent_state_changed", self._on_state)
        return self

    def _on_state(self, _: AgentStateChangedEvent) -> None:
        self._since = self._now()

    def text(self) -> str:
        skill = self._skill()
        return CallNote(
            state=STATES.get(self._voice.agent_state, "idle"),
            since=self._since,
            began_at=self._began_at,
            session_id=self._session_id(),
            skill=None if skill is None else skill[:LONGEST_NAME_CHARACTERS],
        ).text

    def __exit__(self, *exc_info: object) -> None:
        self._voice.off("agent_state_changed", self._on_state)

"""Where the time of a turn goes: when its stages were reached, from the end of the caller's speech.

LiveKit measures the caller's side and June's first sound; what lies between is noted here, as it
passes. A turn may be attempted several times, and its answer may take several steps: those that
begin before June is heard take the place of the ones before.
"""

import time
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass

from livekit.agents import llm

from session.records import Stages

KEPT_TURNS = 3
"""The newest ones; what is committed late belongs to one of them."""


@dataclass
class Attempt:
    """One request for an answer. Times are Unix seconds."""

    asked_at: float
    token_at: float | None = None
    clause_at: float | None = None
    is_heard: bool = False


@dataclass(frozen=True)
class Spoken:
    """A turn's user message."""

    ended_at: float
    """The caller's speech, or when the text came."""
    final_text_at: float | None
    end_of_turn_at: float | None


class TurnTimes:
    """Lives as long as one call. `number_of` tells the turn of a user message, committed or not."""

    def __init__(
        self, number_of: Callable[[str], int], *, now: Callable[[], float] = time.time
    ) -> None:
        self._number_of = number_of
        self._now = now
        self._attempts: dict[int, Attempt] = {}
        self._newest: Attempt | None = None
        self._spoken: dict[int, Spoken] = {}
        self._came: dict[str, float] = {}

    def typed(self, message_id: str) -> None:
        """A text came."""
        self._came[message_id] = self._now()

    def asked(self, message_id: str) -> Attempt:
        """An answer to this message is asked for."""
        turn = self._number_of(message_id)
        attempt = self._attempts.get(turn)
        if attempt is None or not attempt.is_heard:
            attempt = self._attempts[turn] = Attempt(self._now())
            _forget_old(self._attempts)
        self._newest = attempt
        return attempt

    def wrote(self, attempt: Attempt) -> None:
        """A piece of text came; the first one counts."""
        if attempt.token_at is None and not attempt.is_heard:
            attempt.token_at = self._now()

    async def to_voice(self, text: AsyncIterable[str]) -> AsyncIterator[str]:
        """What the voice is given, as it is."""
        async for piece in text:
            attempt = self._newest
            # One that has written nothing yet is not what is said: that is the rest of the answer
            # before it, or a line of June's own.
            if attempt is not None and attempt.token_at is not None and piece.strip():
                attempt.clause_at = attempt.clause_at or self._now()
            yield piece

    def heard(self) -> None:
        """June has begun to speak: an answer, or a line of her own while a model still thinks."""
        if self._newest is not None and self._newest.token_at is not None:
            self._newest.is_heard = True

    def committed(self, turn: int, item: llm.ChatMessage) -> None:
        """The turn's user message."""
        came_at = self._came.pop(item.id, None)
        measured = item.metrics
        ended_at = measured.get("stopped_speaking_at")
        if came_at is not None:
            self._spoken[turn] = Spoken(came_at, None, None)
        elif ended_at is not None:
            self._spoken[turn] = Spoken(
                ended_at,
                _after(ended_at, measured.get("transcription_delay")),
                _after(ended_at, measured.get("end_of_turn_delay")),
            )
        _forget_old(self._spoken)

    def stages(self, turn: int, reply: llm.ChatMessage | None) -> Stages | None:
        """Of a turn and its reply, if any; None where nobody knows when the caller had ended."""
        spoken = self._spoken.get(turn)
        if spoken is None:
            return None
        attempt = self._attempts.get(turn) or Attempt(spoken.ended_at)
        measured: llm.MetricsReport = {} if reply is None else reply.metrics
        clause_at = attempt.clause_at
        if (seconds := measured.get("llm_node_ttfs")) is not None and turn in self._attempts:
            clause_at = attempt.asked_at + seconds

        def since(at: float | None) -> float | None:
            return None if at is None else round(at - spoken.ended_at, 3)

        return Stages(
            final_text=since(spoken.final_text_at),
            end_of_turn=since(spoken.end_of_turn_at),
            first_token=since(attempt.token_at),
            first_clause=since(clause_at),
            first_audio=since(measured.get("started_speaking_at")),
        )


def _after(at: float, seconds: float | None) -> float | None:
    return None if seconds is None else at + seconds


def _forget_old(by_turn: dict[int, Attempt] | dict[int, Spoken]) -> None:
    while len(by_turn) > KEPT_TURNS:
        del by_turn[min(by_turn)]

"""Every fault that a provider may have during a call, as data, and what each call came to."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.config import STAGES, Stage
from bench.provider import (
    Answer,
    BreakOff,
    Empty,
    FinalTwice,
    Garbage,
    Hang,
    Hearing,
    NoFinal,
    OddBytes,
    Refusal,
    Silence,
    Speaking,
    WrongAnswer,
    WrongRate,
)
from room import hosted
from room.guard_turn import Turn

LONGEST_SILENCE_SECONDS = 4.0
ROUND_TRIP_SECONDS = 0.5
"""Of the room: a caller's sound to June, and hers to the caller."""

MOST_ATTEMPTS = 2
"""For one answer of the model, or one sentence of the voice."""
MOST_CONNECTIONS = 4
"""To the ears in a turn: as many for what was said, and to be there for what follows."""


@dataclass(frozen=True)
class Ailing:
    """A provider with one fault, which every request meets, also those that try again."""

    stage: Stage
    name: str
    take: Callable[[Any], Any] | None
    """What its script says to a request; None for a port at which nobody listens."""
    is_harmless: bool = False
    """The caller is answered all the same, without an apology."""

    def __str__(self) -> str:
        return f"{self.stage}: {self.name}"


def ailing(stage: Stage, name: str, fault: Any, **how: bool) -> Ailing:
    match stage:
        case "llm":
            return Ailing(stage, name, lambda asked: thinking(asked, fault=fault), **how)
        case "stt":
            return Ailing(stage, name, lambda _: Hearing(fault=fault), **how)
        case "tts":
            return Ailing(stage, name, lambda _: Speaking(fault=fault), **how)


def thinking(asked: Any, **how: Any) -> Answer:
    return replace(hosted.as_offline(asked), **how)


ANYWHERE: dict[str, Any] = {
    "hangs before headers": Hang(),
    "hangs after headers": Hang(after_seconds=0),
    "500": Refusal.server_error(),
    "503": Refusal.server_error(503),
    "429 with Retry-After": Refusal.rate_limited(5),
    "429 without Retry-After": Refusal.rate_limited(None),
    "401": Refusal.wrong_key(),
    "closed before headers": BreakOff(),
    "cut after nothing": BreakOff(after_seconds=0),
    "empty": Empty(),
    "garbage": Garbage(),
    "wrong content type": WrongAnswer(),
}

FAULTS: Sequence[Ailing] = (
    Ailing("llm", "none", hosted.as_offline, is_harmless=True),
    *(Ailing(stage, "refused connection", None) for stage in STAGES),
    *(ailing(stage, name, fault) for stage in STAGES for name, fault in ANYWHERE.items()),
    ailing("llm", "cut after 1 chunk", BreakOff(after_chunks=1)),
    ailing("llm", "cut after 10 chunks", BreakOff(after_chunks=10)),
    ailing("llm", "garbage after 10 chunks", Garbage(after_chunks=10)),
    Ailing(
        "llm",
        "first token after 2.5 s",
        lambda asked: thinking(asked, first_token_seconds=2.5),
        is_harmless=True,
    ),
    # People speak about four tokens in a second.
    Ailing("llm", "ten times too slow", lambda asked: thinking(asked, tokens_per_second=0.4)),
    ailing("tts", "cut after 1 chunk", BreakOff(after_chunks=1)),
    ailing("tts", "cut after 10 chunks", BreakOff(after_chunks=10)),
    ailing("tts", "silence", Silence()),
    ailing("tts", "half samples", OddBytes()),
    ailing("tts", "wrong rate", WrongRate()),
    Ailing("tts", "first sound after 2.5 s", lambda _: Speaking(first_audio_seconds=2.5)),
    Ailing("tts", "ten times too slow", lambda _: Speaking(times_realtime=0.1)),
    ailing("stt", "cut after 1 s", BreakOff(after_seconds=1.0)),
    ailing("stt", "cut after 10 s", BreakOff(after_seconds=10.0)),
    ailing("stt", "final twice", FinalTwice(), is_harmless=True),
    ailing("stt", "interims only", NoFinal()),
    Ailing("stt", "final never", lambda _: Hearing(interims=False, fault=NoFinal())),
    Ailing("stt", "final after 2.5 s", lambda _: Hearing(delay_seconds=2.5)),
    Ailing("stt", "ten times too slow", lambda _: Hearing(delay_seconds=10.0)),
)


@dataclass(frozen=True)
class Row:
    """One call: two turns under the fault, and one after it."""

    ailing: Ailing
    turns: Sequence[Turn]
    is_alive: bool
    """The call went on to the end of the last turn."""

    @property
    def recovery_turn(self) -> int | None:
        """The first, counted from 1, from which on every turn was answered."""
        answered = [turn.is_answered for turn in self.turns]
        return next((n for n in range(1, len(answered) + 1) if all(answered[n - 1 :])), None)


def table(rows: Iterable[Row]) -> str:
    """Silence and requests are of each turn."""
    head = f"{'fault':31}{'silence, s':>17}{'requests':>10}  alive  recovered  heard"
    return "\n".join([head, *map(_line, rows)])


def _line(row: Row) -> str:
    silence = " ".join(f"{turn.silence_seconds:5.2f}" for turn in row.turns)
    requests = " ".join(f"{turn.requests:2}" for turn in row.turns)
    heard = " | ".join(turn.heard[:50] or "-" for turn in row.turns)
    alive = "yes" if row.is_alive else "NO"
    turn = row.recovery_turn or "never"
    return f"{row.ailing!s:31}{silence:>17}{requests:>10}  {alive:5}  {turn!s:9}  {heard}"

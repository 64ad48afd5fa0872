"""A purse that remembers, and a way to end a task at any moment of its life."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from session.limits import ALLOWED, Decision
from session.usage import Held, ModelUsed, Usage

NO_MONEY = Decision(allowed=False, reason="out_of_budget")


@dataclass
class Settled:
    model: ModelUsed
    at_most: Usage
    used: Usage
    is_estimate: bool


@dataclass
class RecordingPurse:
    """Pays for so many requests; each reservation takes so many turns of the event loop."""

    pays_for: int = 1_000_000
    turns: int = 1
    asked: list[tuple[ModelUsed, Usage]] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    refused: int = 0
    _open: dict[str, tuple[ModelUsed, Usage]] = field(default_factory=dict)

    async def reserve(self, model: ModelUsed, at_most: Usage) -> Held:
        self.asked.append((model, at_most))
        for _ in range(self.turns):
            await asyncio.sleep(0)
        if self.pays_for == 0:
            self.refused += 1
            return Held(NO_MONEY, "", model)
        self.pays_for -= 1
        held = Held(ALLOWED, f"held {len(self.asked)}", model)
        self._open[held.id] = (model, at_most)
        return held

    def settle(self, held: Held, used: Usage, *, is_estimate: bool) -> None:
        model, at_most = self._open.pop(held.id)  # a second time is a KeyError
        self.settled.append(Settled(model, at_most, used, is_estimate))

    @property
    def left_open(self) -> int:
        """Reservations that nobody has settled."""
        return len(self._open)

    def only(self) -> tuple[Usage, bool]:
        """The one request, and whether its usage is an estimate; seconds to the microsecond."""
        (settled,) = self.settled
        assert not self.left_open
        seconds = round(settled.used.audio_seconds, 6)
        return replace(settled.used, audio_seconds=seconds), settled.is_estimate


async def cancelled_after(turns: int, work: Callable[[], Awaitable[object]]) -> bool:
    """Whether it ran to its end, in so many turns of the event loop."""
    task = asyncio.ensure_future(work())
    for _ in range(turns):
        if task.done():
            break
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return not task.cancelled()

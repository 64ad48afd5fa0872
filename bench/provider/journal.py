"""What the provider was asked, and how each answer ended."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from bench.provider.faults import Fault

Stage = Literal["llm", "stt", "tts", "voices", "models", "other"]


class Ending(StrEnum):
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    """The client left before the end."""
    FAULT = "fault"
    """The script's fault took effect."""
    REFUSED = "refused"
    """By the provider itself: a wrong key, an unknown model, a request that is none."""
    STOPPED = "stopped"
    """The provider was closed in the middle of it."""
    BROKEN = "broken"
    """The script, or a model behind the provider, raised an exception."""


@dataclass(eq=False)
class Asked:
    """One request, or one realtime connection. Times are monotonic seconds."""

    id: str
    """Sent to the client as `x-request-id`."""
    stage: Stage
    path: str
    at: float
    key: str | None
    """The bearer token of the request's headers."""
    body: Any = None
    """The JSON; the form's fields, without the sound; the realtime session as last configured."""
    text: str = ""
    """What was answered so far: the LLM's words that were sent, or the final words heard."""
    sound_seconds: float = 0.0
    """Sound that was heard, or sent."""
    first_at: float | None = None
    """When the first token, sound or word was sent."""
    fault: Fault | None = None
    """The fault that took effect."""
    answered: bool = False
    """All of the answer is said; that the client then leaves is no cancellation."""
    ending: Ending | None = None
    """None as long as it goes on."""
    ended_at: float | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def note_answer(self) -> None:
        if self.first_at is None:
            self.first_at = time.monotonic()

    def end(self, ending: Ending) -> None:
        if self.ending is not None:
            return  # the first end is the true one
        if self.fault is not None:
            ending = Ending.FAULT
        elif ending is Ending.CANCELLED and self.answered:
            ending = Ending.COMPLETED
        self.ending, self.ended_at = ending, time.monotonic()
        self._over.set()

    async def over(self) -> Ending:
        """How it ended, once it has."""
        await self._over.wait()
        assert self.ending is not None
        return self.ending


class Journal:
    """Lives as long as the provider."""

    def __init__(self) -> None:
        self.entries: list[Asked] = []
        self.closing = False
        self._grown = asyncio.Event()

    @contextmanager
    def entry(self, stage: Stage, path: str, key: str | None) -> Iterator[Asked]:
        asked = Asked(f"req_{len(self.entries) + 1}", stage, path, time.monotonic(), key)
        self.entries.append(asked)
        self._grown.set()
        self._grown = asyncio.Event()
        try:
            yield asked
        except (asyncio.CancelledError, ConnectionError):
            asked.end(Ending.STOPPED if self.closing else Ending.CANCELLED)
            raise
        except BaseException:
            asked.end(Ending.BROKEN)
            raise
        else:
            asked.end(Ending.COMPLETED)

    def of(self, stage: Stage) -> list[Asked]:
        return [asked for asked in self.entries if asked.stage == stage]

    async def wait_for(self, stage: Stage, count: int) -> Asked:
        """The request of that number, counted from 1, once it is there."""
        while len(self.of(stage)) < count:
            await self._grown.wait()
        return self.of(stage)[count - 1]

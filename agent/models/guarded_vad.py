"""A voice detector that is made anew when it dies, or says nothing of what it is given."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog
from livekit import rtc
from livekit.agents import vad

from agent.metrics import REBUILDS

log = structlog.get_logger(__name__)

DEAF_SECONDS = 2.5
"""Of sound of which it says nothing; it judges 30 windows in a second."""

MOMENT_SECONDS = 0.05
FAIR_MOMENTS = 10
"""Before it is held to be deaf: after a standstill of this process much sound comes at once. They
are counted one by one, so that another standstill takes one of them, and not all."""

PAUSE_SECONDS = 0.5
"""Before it is made anew."""


class GuardedVAD(vad.VAD):
    """To LiveKit it looks as `inner` does, which may be shared. Lives as long as one call."""

    def __init__(self, inner: vad.VAD) -> None:
        super().__init__(capabilities=inner.capabilities)
        self.inner = inner
        self._label = inner._label  # noqa: SLF001 (as LiveKit's adapters do)
        self.on_rebuilt: Callable[[], None] = lambda: None
        """Called each time; must not raise."""

    @property
    def model(self) -> str:
        return self.inner.model

    @property
    def provider(self) -> str:
        return self.inner.provider

    @property
    def min_silence_duration(self) -> float:
        """LiveKit's turn detector looks at it."""
        known: Any = self.inner
        return float(known.min_silence_duration)

    def stream(self) -> "GuardedVADStream":
        return GuardedVADStream(self)


class GuardedVADStream(vad.VADStream):
    """Ends when its input does, and never before."""

    def __init__(self, owner: GuardedVAD) -> None:
        self._owner = owner
        self._unjudged_seconds = 0.0
        self._newest: vad.VADEvent | None = None
        """While somebody is held to be speaking."""
        super().__init__(owner)

    async def _main_task(self) -> None:
        while not await self._made_and_judged():
            REBUILDS.labels(stage="vad").inc()
            log.warning("vad.rebuilt", unjudged_seconds=round(self._unjudged_seconds, 1))
            if self._newest is not None:
                # LiveKit would go on taking the caller for speaking.
                self._event_ch.send_nowait(
                    replace(self._newest, type=vad.VADEventType.END_OF_SPEECH, speaking=False)
                )
                self._newest = None
            self._owner.on_rebuilt()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _made_and_judged(self) -> bool:
        """Whether nothing is left to be judged."""
        self._unjudged_seconds = 0.0
        try:
            inner = self._owner.inner.stream()
        except Exception as error:  # noqa: BLE001  whatever it is, it is tried again
            log.warning("vad.failed", error=type(error).__name__)
            return self._input_ch.closed
        return await self._detect(inner)

    async def _detect(self, inner: vad.VADStream) -> bool:
        """Whether all is judged; else `inner` is of no more use."""
        giving = asyncio.create_task(self._give(inner), name="june.vad.give")
        taking = asyncio.create_task(self._take(inner), name="june.vad.take")
        try:
            await asyncio.wait({giving, taking}, return_when=asyncio.FIRST_COMPLETED)
            if not giving.done() or giving.exception() is not None or not giving.result():
                return False  # who pushes to one that has just died is told so
            await asyncio.wait({taking}, timeout=DEAF_SECONDS)
            return True
        finally:
            giving.cancel()
            taking.cancel()
            await asyncio.wait({giving, taking})
            if not taking.cancelled() and (error := taking.exception()) is not None:
                log.warning("vad.failed", error=type(error).__name__)
            with suppress(Exception):  # what has died need not close well
                await inner.aclose()

    async def _give(self, inner: vad.VADStream) -> bool:
        """Whether the input has ended; False where nothing was said of it for too long."""
        async for item in self._input_ch:
            if not isinstance(item, rtc.AudioFrame):
                inner.flush()
                continue
            inner.push_frame(item)
            self._unjudged_seconds += item.duration
            if self._unjudged_seconds > DEAF_SECONDS and not await self._says_something():
                return False
        with suppress(RuntimeError):  # it has died, with nothing left to judge
            inner.end_input()
        return True

    async def _says_something(self) -> bool:
        for _ in range(FAIR_MOMENTS):
            await asyncio.sleep(MOMENT_SECONDS)
            if self._unjudged_seconds <= DEAF_SECONDS:
                return True
        return False

    async def _take(self, inner: vad.VADStream) -> None:
        async for event in inner:
            self._unjudged_seconds = 0.0
            match event.type:
                case vad.VADEventType.START_OF_SPEECH:
                    self._newest = event
                case vad.VADEventType.END_OF_SPEECH:
                    self._newest = None
            self._event_ch.send_nowait(event)

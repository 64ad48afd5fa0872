"""One caller's sound becoming items of OpenAI's realtime protocol, by Moonshine and Silero."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Self

from livekit.agents import APIConnectOptions, stt

from agent.models.local.stt import LocalSTT
from bench.provider import realtime_events as events
from bench.provider.configuration import Configuration
from bench.provider.deltas import Deltas
from bench.provider.faults import FinalTwice, NoFinal
from bench.provider.journal import Asked
from bench.provider.script import Hearing
from bench.provider.sound import RATE, frame

END_SILENCE = bytes(2 * RATE)
"""A second of it, so that Silero finds the end of what was committed in the middle of a word."""

Send = Callable[[events.Event], Awaitable[None]]

item_numbers = itertools.count(1)


@dataclass
class Item:
    """One utterance on its way to words."""

    id: str = field(default_factory=lambda: f"item_{next(item_numbers)}")
    start_ms: int = 0
    finals: list[str] = field(default_factory=list)
    seconds: float = 0.0
    deltas: Deltas = field(default_factory=Deltas)

    def with_guess(self, guess: str) -> str:
        return " ".join([*self.finals, guess])


class Listening:
    """Lives as long as the connection.

    With server VAD an item is an utterance; without, it is what the client commits.
    """

    def __init__(
        self, ears: LocalSTT, take: Hearing, configuration: Configuration, asked: Asked, send: Send
    ) -> None:
        self._ears = ears
        self._take = take
        self._configuration = configuration
        self._asked = asked
        self._send = send
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[stt.RecognizeStream] = set()
        self._stream: stt.RecognizeStream | None = None
        self._following: asyncio.Task[None] | None = None
        self._item = Item()
        self._previous_id: str | None = None

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for task in self._tasks:
            task.cancel()
        try:
            # The group would wrap what ended this block into a group of exceptions of its own.
            await self._group.__aexit__(None, None, None)
        finally:
            await uninterrupted(self._close())

    def hear(self, pcm: bytes) -> None:
        if self._stream is None:
            self._stream = self._ears.stream(conn_options=APIConnectOptions(max_retry=0))
            self._open.add(self._stream)
            self._item = Item()
            self._following = self._start(self._follow(self._stream, self._item), "hearing")
        self._stream.push_frame(frame(pcm, RATE))

    async def commit(self) -> bool:
        """End the item here; false if there is no sound to end."""
        if self._stream is None:
            return False
        stream, self._stream = self._stream, None
        stream.push_frame(frame(END_SILENCE, RATE))
        stream.end_input()
        if not self._configuration.server_vad:
            await self._commit(self._item)
        return True

    def clear(self) -> None:
        """Forget the sound that is not committed."""
        if self._stream is not None and self._following is not None:
            self._stream = None
            self._following.cancel()

    async def _close(self) -> None:
        for stream in self._open:
            await stream.aclose()

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = self._group.create_task(work, name=f"bench.provider.{name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _follow(self, stream: stt.RecognizeStream, item: Item) -> None:
        server_vad = self._configuration.server_vad
        async for heard in stream:
            match heard.type:
                case stt.SpeechEventType.START_OF_SPEECH if server_vad:
                    padding = self._configuration.prefix_padding_ms
                    item = Item(start_ms=max(0, self._heard_ms - padding))
                    await self._send(events.speech_started(item.id, item.start_ms))
                case stt.SpeechEventType.INTERIM_TRANSCRIPT:
                    if self._take.interims:
                        guess = item.with_guess(heard.alternatives[0].text)
                        await self._tell(item, item.deltas.of_guess(guess))
                case stt.SpeechEventType.FINAL_TRANSCRIPT:
                    item.finals.append(heard.alternatives[0].text)
                case stt.SpeechEventType.RECOGNITION_USAGE if heard.recognition_usage:
                    item.seconds += heard.recognition_usage.audio_duration
                case stt.SpeechEventType.END_OF_SPEECH if server_vad:
                    end_ms = item.start_ms + round(item.seconds * 1000)
                    await self._send(events.speech_stopped(item.id, end_ms))
                    await self._commit(item)
                    self._start(self._complete(item), "completing")
        if not server_vad:
            await self._complete(item)
        await stream.aclose()
        self._open.discard(stream)

    async def _commit(self, item: Item) -> None:
        await self._send(events.committed(item.id, self._previous_id))
        self._previous_id = item.id

    async def _complete(self, item: Item) -> None:
        await asyncio.sleep(self._take.delay_seconds)
        fault = self._take.fault
        if isinstance(fault, NoFinal | FinalTwice):
            self._asked.fault = fault
        if isinstance(fault, NoFinal):
            return
        text = " ".join(item.finals)
        await self._tell(item, item.deltas.of_final(text))
        self._asked.note_answer()
        self._asked.text = f"{self._asked.text} {text}".strip()
        for _ in range(2 if isinstance(fault, FinalTwice) else 1):
            await self._send(events.completed(item.id, text, item.seconds))

    async def _tell(self, item: Item, text: str) -> None:
        if text:
            self._asked.note_answer()
            await self._send(events.delta(item.id, text))

    @property
    def _heard_ms(self) -> int:
        return round(self._asked.sound_seconds * 1000)


async def uninterrupted(work: Coroutine[Any, Any, None]) -> None:
    """Finish `work`, and only then be cancelled.

    A client that leaves cancels its request more than once, the second time while it cleans up.
    """
    task = asyncio.create_task(work, name="bench.provider.closing")
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled

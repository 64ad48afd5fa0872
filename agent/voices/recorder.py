"""The recorder: keeps what the caller says, in memory, while Mockingbird wants it.

Silence is not counted, and neither is what is heard while June speaks. Its clock is the sound
itself: whatever the machine does, eight seconds of speech are eight seconds.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from livekit import rtc
from livekit.agents import utils, vad

from agent.voices.quality import problem_of
from skills import VoiceTrouble
from skills.sound import Sound
from skills.voice import Why

LEAST_SECONDS = 4.0
WANTED_SECONDS = 8.0
MOST_SECONDS = 15.0
"""Of speech, in a sample."""

WAITING_SECONDS = 15.0
"""For the first word of a sample."""

HALTING_SECONDS = 5.0
"""Of silence, after which somebody who has said too little says no more."""

PAUSE_SECONDS = 0.6
"""Of silence, after which somebody who has said enough has finished a sentence."""

ENOUGH_PAUSE_SECONDS = 2.5
"""The same for somebody who has said the least that is needed, and may say more."""

LONGEST_SAID_SECONDS = 20.0
"""Of speech in one turn, that may be a sentence of consent. Who says more is not heard out."""

TURN_SECONDS = 6.0
"""For the words of a sample to be recognised, so that June does not answer them afterwards."""

STILL_SECONDS = 20.0
"""Without any sound, not even silence: the microphone is off, or the caller's network lost."""

SPEECH = 0.5
"""How sure the VAD is of speech; its own default."""

PADDING_SECONDS = 0.2
"""Between two words there is silence that belongs to them."""

QUIET_SECONDS = 2.0
"""Of what the room sounds like without the caller."""


class CallRecorder:
    """Lives as long as one call. It is shown every frame, and keeps some while it listens."""

    def __init__(
        self,
        detector: vad.VAD,
        *,
        is_june_speaking: Callable[[], bool],
        problem_of: Callable[[Sound, Sound | None], Why | None] = problem_of,
    ) -> None:
        """`problem_of` judges a sample, and the room around it; it may block."""
        self._detector = detector
        self._problem_of = problem_of
        self._is_june_speaking = is_june_speaking
        self._stream: vad.VADStream | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        """The one that keeps, and those that are ending."""
        self._changed = asyncio.Event()
        self._clear()

    def _clear(self) -> None:
        self._rate = 0
        self._longest_seconds = LONGEST_SAID_SECONDS
        self._speech = bytearray()
        self._gap = bytearray()
        """Silence since the last speech, as far as it may belong to words."""
        self._quiet = bytearray()
        self._silent_seconds = 0.0
        """Since the last speech, or since it listens."""
        self._is_turn_open = False
        """There was speech since the last turn."""
        self._is_by_turn = True
        """Whether what was said before the last turn is dropped."""

    def show(self, frame: rtc.AudioFrame) -> None:
        if self._stream is not None:
            self._stream.push_frame(frame)

    def listen(self) -> None:
        self.stop()
        self._clear()
        self._stream = self._detector.stream()
        task = asyncio.create_task(self._keep(self._stream), name="june.recorder")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        self._stream = None
        self._clear()
        for task in self._tasks:
            task.cancel()

    def end_turn(self) -> None:
        """What was said so far is a turn of the caller's; its words and its sound belong together.

        So what is said next is kept without it, unless a sample is taken.
        """
        self._is_turn_open = False
        self._changed.set()

    async def said(self) -> Sound:
        """Of the last turn, or of the one that is being said."""
        if not self._speech:
            raise VoiceTrouble(Why.SILENT)
        if self._seconds(self._speech) >= LONGEST_SAID_SECONDS:
            raise VoiceTrouble(Why.NOT_SPEECH)
        return Sound(bytes(self._speech), self._rate)

    async def sample(self) -> Sound:
        self.listen()
        self._longest_seconds, self._is_by_turn = MOST_SECONDS, False
        try:
            await self._until(self._is_enough)
            with suppress(TimeoutError, VoiceTrouble):
                async with asyncio.timeout(TURN_SECONDS):
                    await self._until(lambda: not self._is_turn_open)
            speech = Sound(bytes(self._speech), self._rate)
            silence = Sound(bytes(self._quiet), self._rate)
        finally:
            self.stop()
        if speech.seconds < LEAST_SECONDS:
            raise VoiceTrouble(Why.TOO_SHORT)
        problem = await asyncio.to_thread(self._problem_of, speech, silence)
        if problem is not None:
            raise VoiceTrouble(problem)
        return speech

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), STILL_SECONDS)
            except TimeoutError:
                raise VoiceTrouble(Why.SILENT) from None

    async def aclose(self) -> None:
        self.stop()
        await utils.aio.cancel_and_wait(*self._tasks)

    def _is_enough(self) -> bool:
        """Also where it will never be. Raises `VoiceTrouble` where nobody speaks."""
        spoken, silent = self._seconds(self._speech), self._silent_seconds
        if spoken == 0:
            if silent >= WAITING_SECONDS:
                raise VoiceTrouble(Why.SILENT)
            return False
        if spoken >= WANTED_SECONDS:
            return spoken >= MOST_SECONDS or silent >= PAUSE_SECONDS
        return silent >= (ENOUGH_PAUSE_SECONDS if spoken >= LEAST_SECONDS else HALTING_SECONDS)

    def _seconds(self, pcm: bytearray) -> float:
        return len(pcm) / 2 / self._rate if self._rate else 0.0

    async def _keep(self, stream: vad.VADStream) -> None:
        try:
            async for event in stream:
                if event.type == vad.VADEventType.INFERENCE_DONE and event.frames:
                    self._heard(utils.merge_frames(event.frames), event.probability >= SPEECH)
                    self._changed.set()
        finally:
            await stream.aclose()

    def _heard(self, window: rtc.AudioFrame, is_speech: bool) -> None:  # noqa: FBT001
        if self._is_june_speaking():
            return
        self._rate = window.sample_rate
        pcm = bytes(window.data.cast("b"))
        if not is_speech:
            self._silent_seconds += window.duration
            if self._seconds(self._gap) < PADDING_SECONDS:
                self._gap += pcm
            if self._seconds(self._quiet) < QUIET_SECONDS:
                self._quiet += pcm
            return
        if self._is_by_turn and not self._is_turn_open:
            self._speech.clear()
            self._gap.clear()
        self._silent_seconds, self._is_turn_open = 0.0, True
        if self._seconds(self._speech) < self._longest_seconds:
            if self._speech:
                self._speech += self._gap
            self._gap.clear()
            self._speech += pcm

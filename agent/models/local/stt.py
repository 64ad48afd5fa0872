"""Moonshine as LiveKit's STT: words while the caller speaks, and final ones soon after.

The model cannot stream, so an interim is the growing utterance transcribed again. At a pause the
words so far are transcribed at once, before it is known whether the caller goes on: when the pause
turns out to be the end, the final words are already there.
"""

import asyncio

from livekit import rtc
from livekit.agents import (
    APIConnectionError,
    APIConnectOptions,
    APIError,
    LanguageCode,
    stt,
    utils,
    vad,
)
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr

from agent.models.local.engine import HEARING_RATE, Speech
from agent.models.local.utterance import BYTES_PER_SECOND, Utterance

INTERIM_SECONDS = 0.5
"""New speech before the next interim is asked for."""

PAUSE_SECONDS = 0.2
"""Silence after which the words so far are transcribed in case the caller has finished."""

SURE_PROBABILITY = 0.7
SURE_SECONDS = 0.1
"""What the VAD must be sure of before an utterance counts as words. Moonshine turns a breath or a
click into "You"; the shortest real words tried (n = 20, four voices) had 0.13 s of sure speech."""

LANGUAGE = LanguageCode("en")


class LocalSTT(stt.STT[str]):
    """Lives as long as one call; `speech` and `vad` may be shared with others."""

    def __init__(self, speech: Speech, detector: vad.VAD) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self._speech = speech
        self._detector = detector

    @property
    def model(self) -> str:
        return "moonshine-tiny-en"

    @property
    def provider(self) -> str:
        return "local"

    async def _recognize_impl(
        self,
        buffer: utils.AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.SpeechEvent:
        frame = rtc.combine_audio_frames(buffer)
        if frame.sample_rate != HEARING_RATE or frame.num_channels != 1:
            raise ValueError(f"sound must be mono at {HEARING_RATE} Hz (got {frame.sample_rate})")
        text = await words(self._speech, bytes(frame.data), final=True)
        return event(stt.SpeechEventType.FINAL_TRANSCRIPT, text)

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> "LocalStream":
        return LocalStream(self, self._speech, self._detector, conn_options)


class LocalStream(stt.RecognizeStream):
    """One caller's speech becoming words. Lives as long as LiveKit listens to that caller."""

    def __init__(
        self, owner: LocalSTT, speech: Speech, detector: vad.VAD, conn_options: APIConnectOptions
    ) -> None:
        super().__init__(stt=owner, conn_options=conn_options, sample_rate=HEARING_RATE)
        self._speech = speech
        self._detector = detector
        self._utterance = Utterance()
        self._sure_seconds = 0.0
        self._interim: asyncio.Task[str] | None = None
        self._candidate: asyncio.Task[str] | None = None
        """The words up to the last pause, in case it is the end."""

    async def _run(self) -> None:
        detecting = self._detector.stream()
        feeding = asyncio.create_task(self._feed(detecting), name="june.stt.feed")
        try:
            async for happening in detecting:
                await self._hear(happening)
            await feeding
        except APIError:
            raise
        except Exception as error:
            raise APIConnectionError("the voice detection failed") from error
        finally:
            await utils.aio.cancel_and_wait(feeding, *self._requests())
            await detecting.aclose()

    async def _feed(self, detecting: vad.VADStream) -> None:
        try:
            async for item in self._input_ch:
                # A flush would make the VAD forget that somebody is speaking.
                if isinstance(item, rtc.AudioFrame):
                    detecting.push_frame(item)
        finally:
            detecting.end_input()

    async def _hear(self, happening: vad.VADEvent) -> None:
        match happening.type:
            case vad.VADEventType.START_OF_SPEECH:
                self._utterance = Utterance(happening.frames)
                self._utterance.mark_shown()
                self._sure_seconds = 0.0
                self._event_ch.send_nowait(stt.SpeechEvent(stt.SpeechEventType.START_OF_SPEECH))
            case vad.VADEventType.INFERENCE_DONE if happening.speaking:
                self._utterance.add(happening.frames)
                if happening.probability >= SURE_PROBABILITY:
                    self._sure_seconds += sum(frame.duration for frame in happening.frames)
                await self._follow(happening.raw_accumulated_silence)
            case vad.VADEventType.END_OF_SPEECH:
                if self._sure_seconds >= SURE_SECONDS:
                    asked = self._candidate or self._ask(self._utterance.pcm, final=True)
                    await self._finish(asked, self._utterance.seconds)
                else:
                    # No words, but an answer: whoever waits for one need not go on.
                    self._event_ch.send_nowait(usage(0.0))
                self._drop_requests()
                self._event_ch.send_nowait(stt.SpeechEvent(stt.SpeechEventType.END_OF_SPEECH))

    async def _follow(self, silence_seconds: float) -> None:
        """Show what has been said so far, and be ready for the end."""
        if silence_seconds >= PAUSE_SECONDS:
            if self._candidate is None:
                self._drop_requests()
                self._candidate = self._ask(self._utterance.pcm, final=True)
            return
        if self._candidate is not None and silence_seconds == 0:
            self._drop_requests()
        if early := self._utterance.split_if_long():
            await self._finish(self._ask(early, final=True), len(early) / BYTES_PER_SECOND)
        elif self._interim is None and self._utterance.seconds_since_shown >= INTERIM_SECONDS:
            self._utterance.mark_shown()
            self._interim = self._ask(self._utterance.pcm, final=False)
            self._interim.add_done_callback(self._show)

    def _ask(self, pcm: bytes, *, final: bool) -> asyncio.Task[str]:
        name = "june.stt.final" if final else "june.stt.interim"
        asked = asyncio.create_task(words(self._speech, pcm, final=final), name=name)
        # An answer that nobody needs any more may fail without a word.
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())
        return asked

    def _show(self, done: asyncio.Task[str]) -> None:
        if done is self._interim:
            self._interim = None
        if not done.cancelled() and done.exception() is None and done.result():
            self._event_ch.send_nowait(event(stt.SpeechEventType.INTERIM_TRANSCRIPT, done.result()))

    async def _finish(self, asked: asyncio.Task[str], seconds: float) -> None:
        if self._interim is not None:
            self._interim.cancel()
        self._candidate = asked
        text = await asked
        self._candidate = None
        if text:
            self._event_ch.send_nowait(event(stt.SpeechEventType.FINAL_TRANSCRIPT, text))
        self._event_ch.send_nowait(usage(seconds))

    def _requests(self) -> list[asyncio.Task[str]]:
        return [task for task in (self._interim, self._candidate) if task is not None]

    def _drop_requests(self) -> None:
        for task in self._requests():
            task.cancel()
        self._interim = self._candidate = None


def event(kind: stt.SpeechEventType, text: str) -> stt.SpeechEvent:
    return stt.SpeechEvent(kind, alternatives=[stt.SpeechData(language=LANGUAGE, text=text)])


def usage(seconds: float) -> stt.SpeechEvent:
    return stt.SpeechEvent(
        stt.SpeechEventType.RECOGNITION_USAGE,
        recognition_usage=stt.RecognitionUsage(audio_duration=seconds),
    )


async def words(speech: Speech, pcm: bytes, *, final: bool) -> str:
    """What was heard. Any fault becomes an `APIError`: LiveKit ends STT for good on others."""
    try:
        return await speech.transcribe(pcm, final=final)
    except Exception as error:
        raise APIConnectionError("the local speech model did not answer") from error

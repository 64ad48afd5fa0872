"""Any ears, whose work is paid for: by the minute of a call, or by the utterance."""

import asyncio
from collections.abc import AsyncIterable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectOptions, APIError, metrics, stt, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr
from livekit.agents.utils.audio import calculate_audio_duration
from livekit.agents.voice import ConversationItemAddedEvent

from agent.models.metered import Meter, reserve, settling
from agent.models.metered_minutes import Minutes
from session.usage import ModelUsed, Purse, Usage


class MeteredSTT(stt.STT[str]):
    """To LiveKit it looks as `inner` does. Lives as long as that, and closes it."""

    def __init__(self, inner: stt.STT[str], purse: Purse) -> None:
        super().__init__(capabilities=inner.capabilities)
        self._label = inner.label
        self._inner = inner
        self._purse = purse
        # `inner` measures its own work, and there is no other.
        self._recognize_metrics_needed = False
        inner.on("metrics_collected", self._pass_metrics_on)
        inner.on("error", self._pass_error_on)

    @property
    def model(self) -> str:
        return self._inner.model

    @property
    def provider(self) -> str:
        return self._inner.provider

    def _pass_metrics_on(self, measured: metrics.STTMetrics) -> None:
        self.emit("metrics_collected", measured)

    def _pass_error_on(self, error: stt.STTError) -> None:
        # The others come back as exceptions, and are told of here.
        if error.recoverable:
            self.emit("error", error)

    def _update_session_keyterms(self, keyterms: list[str]) -> None:
        self._inner._update_session_keyterms(keyterms)  # noqa: SLF001 (as LiveKit's adapters do)

    def _push_conversation_item(self, ev: ConversationItemAddedEvent) -> None:
        self._inner._push_conversation_item(ev)  # noqa: SLF001 (as LiveKit's adapters do)

    def update_options(self, **options: Any) -> None:
        """Those of `inner`, whatever they are; open streams change with it as they do there."""
        changeable: Any = self._inner
        changeable.update_options(**options)

    def prewarm(self) -> None:
        self._inner.prewarm()

    def used(self) -> ModelUsed:
        return ModelUsed("stt", self._inner.provider, self._inner.model)

    async def _recognize_impl(
        self,
        buffer: utils.AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.SpeechEvent:
        """One utterance, for each attempt at it. Raises `Refused` as well."""
        asked = Usage(audio_seconds=calculate_audio_duration(buffer))
        held = await reserve(self._purse, self.used(), asked)
        meter = Meter(asked)
        with settling(self._purse, held, meter):
            heard = await self._inner.recognize(
                buffer, language=language, conn_options=replace(conn_options, max_retry=0)
            )
            meter.counted = asked
        return heard

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> "MeteredEars":
        return MeteredEars(self, self._inner, self._purse, language, conn_options)

    async def aclose(self) -> None:
        self._inner.off("metrics_collected", self._pass_metrics_on)
        self._inner.off("error", self._pass_error_on)
        await self._inner.aclose()


class MeteredEars(stt.RecognizeStream):
    """One stream of sound. Its error may be `Refused`.

    Sound that waits for a connection stays in the inner stream, which tries again by itself: a
    second one would not know what was said to the first.
    """

    def __init__(
        self,
        owner: MeteredSTT,
        inner: stt.STT[str],
        purse: Purse,
        language: NotGivenOr[str],
        conn_options: APIConnectOptions,
    ) -> None:
        super().__init__(stt=owner, conn_options=replace(conn_options, max_retry=0))
        self._inner = inner
        self._minutes = Minutes(purse, owner.used)
        self._language = language
        self._inner_conn_options = conn_options

    async def _metrics_monitor_task(self, event_aiter: AsyncIterable[stt.SpeechEvent]) -> None:
        """Nothing: the inner stream is measured already."""
        async for _ in event_aiter:
            pass

    def _emit_error(self, api_error: Exception, recoverable: bool) -> None:  # noqa: FBT001 (LiveKit's own signature)
        # What ends the inner stream only counts its attempts; LiveKit tells of the last of them.
        last = api_error.__cause__
        super()._emit_error(last if isinstance(last, APIError) else api_error, recoverable)

    async def _run(self) -> None:
        first = await self._first_frame()
        if first is None:
            return
        with self._minutes.settling():
            await self._minutes.pay_for(first.duration)
            async with self._inner.stream(
                language=self._language, conn_options=self._inner_conn_options
            ) as ears:
                ears.start_time_offset = self.start_time_offset
                ears.push_frame(first)
                await self._listen(ears)

    async def _first_frame(self) -> rtc.AudioFrame | None:
        """Nothing is paid, and nobody asked, before there is something to hear."""
        async for item in self._input_ch:
            if isinstance(item, rtc.AudioFrame):
                return item
        return None

    async def _listen(self, ears: stt.RecognizeStream) -> None:
        """Until `ears` end, or the money does."""
        giving = asyncio.create_task(self._give(ears), name="june.metered.give")
        taking = asyncio.create_task(self._take(ears), name="june.metered.take")
        try:
            done, _ = await asyncio.wait({giving, taking}, return_when=asyncio.FIRST_COMPLETED)
            if giving in done:
                giving.result()
            await taking
        finally:
            giving.cancel()
            taking.cancel()
            await asyncio.gather(giving, taking, return_exceptions=True)

    async def _give(self, ears: stt.RecognizeStream) -> None:
        async for item in self._input_ch:
            if not isinstance(item, rtc.AudioFrame):
                give = ears.flush
            else:
                await self._minutes.pay_for(item.duration)
                give = partial(ears.push_frame, item)
            if not _is_taken(give):
                return
        _is_taken(ears.end_input)

    async def _take(self, ears: stt.RecognizeStream) -> None:
        async for event in ears:
            if event.recognition_usage is not None:
                self._minutes.note(event.recognition_usage)
            self._event_ch.send_nowait(event)


def _is_taken(give: Callable[[], None]) -> bool:
    try:
        give()
    except RuntimeError:
        return False  # the ears have ended; whoever takes their words is told why
    return True

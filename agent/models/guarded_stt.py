"""Ears, of which the next ones listen where some fail; what was said meanwhile is not lost."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from livekit.agents import APIConnectOptions, metrics, stt, utils, vad
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr
from livekit.agents.voice import ConversationItemAddedEvent

from agent.models.guard import Guard, Provider
from agent.models.guarded_ears import GuardedEars


class GuardedSTT(stt.STT[str]):
    """To LiveKit these are ears that never fail. Lives as long as one call; closes all."""

    def __init__(
        self, providers: Sequence[Provider[stt.STT[str]]], guard: Guard, detector: vad.VAD
    ) -> None:
        first = providers[0].model
        super().__init__(
            capabilities=stt.STTCapabilities(
                streaming=True, interim_results=first.capabilities.interim_results
            )
        )
        self._models = [provider.model for provider in providers]
        self.providers = [
            replace(provider, model=_streaming(provider.model, detector, self._found_no_words))
            for provider in providers
        ]
        self.guard = guard
        self.serving = first
        self._label = first.label
        self._recognize_metrics_needed = False
        self.ears: GuardedEars | None = None
        """Those that listen now."""
        for model in self._models:
            model.on("metrics_collected", self._pass_metrics_on)

    @property
    def model(self) -> str:
        return self.serving.model

    @property
    def provider(self) -> str:
        return self.serving.provider

    def _pass_metrics_on(self, measured: metrics.STTMetrics) -> None:
        self.emit("metrics_collected", measured)

    def _found_no_words(self) -> None:
        if self.ears is not None:
            self.ears.owed.tell(has_words=False)

    def _update_session_keyterms(self, keyterms: list[str]) -> None:
        for model in self._models:
            model._update_session_keyterms(keyterms)  # noqa: SLF001 (as LiveKit's adapters do)

    def _push_conversation_item(self, ev: ConversationItemAddedEvent) -> None:
        for model in self._models:
            model._push_conversation_item(ev)  # noqa: SLF001 (as LiveKit's adapters do)

    def update_options(self, **options: Any) -> None:
        """Those of the first, whatever they are."""
        changeable: Any = self._models[0]
        changeable.update_options(**options)

    def prewarm(self) -> None:
        self._models[0].prewarm()

    async def _recognize_impl(
        self,
        buffer: utils.AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.SpeechEvent:
        """By the first of them: a call listens to streams."""
        return await self._models[0].recognize(buffer, language=language, conn_options=conn_options)

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> GuardedEars:
        self.ears = GuardedEars(
            self, self.providers, self.guard, language, on_asked=self._note_serving
        )
        return self.ears

    def _note_serving(self, model: stt.STT[str]) -> None:
        self.serving = model

    async def aclose(self) -> None:
        async with AsyncExitStack() as closing:
            for model in self._models:
                model.off("metrics_collected", self._pass_metrics_on)
                closing.push_async_callback(model.aclose)


class Utterances(stt.STT[str]):
    """Ears that hear one utterance at a time. LiveKit's adapter tells of words only."""

    def __init__(self, inner: stt.STT[str], on_wordless: Callable[[], None]) -> None:
        super().__init__(capabilities=inner.capabilities)
        self._inner = inner
        self._on_wordless = on_wordless
        self._label = inner.label
        self._recognize_metrics_needed = False

    @property
    def model(self) -> str:
        return self._inner.model

    @property
    def provider(self) -> str:
        return self._inner.provider

    async def _recognize_impl(
        self,
        buffer: utils.AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.SpeechEvent:
        heard = await self._inner.recognize(buffer, language=language, conn_options=conn_options)
        if not any(one.text.strip() for one in heard.alternatives):
            self._on_wordless()
        return heard


def _streaming(
    model: stt.STT[str], detector: vad.VAD, on_wordless: Callable[[], None]
) -> stt.STT[str]:
    """A model that hears recordings only gets one for each utterance."""
    if model.capabilities.streaming:
        return model
    return stt.StreamAdapter(stt=Utterances(model, on_wordless), vad=detector)

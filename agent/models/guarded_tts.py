"""Voices, of which the next one speaks where one fails: sentence by sentence, and in time."""

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Any, ClassVar

from livekit import rtc
from livekit.agents import APIConnectOptions, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

from agent.models.audible import at_rate, audible, can_be_said, in_time
from agent.models.guard import Guard, Provider, Request
from agent.models.turn_clock import VOICE_SECONDS, TurnClock
from session.prices import LOCAL

ONCE = APIConnectOptions(max_retry=0)

FIRST_SOUND_SECONDS = 2.0

FAIR_SECONDS = 1.0
"""A voice that had less, because others had used up the turn's time, is not to blame."""

STALL_SECONDS = 1.5
"""How long the caller may wait for more of a sentence that has begun."""

LOCAL_PATIENCE = 4
"""So many times as long: what slows this machine down slows down everything on it, and a late
sentence in June's own voice is better than none."""

PAUSE_SECONDS = 0.05
"""For a text without a word in it: LiveKit takes no sound at all for a failure."""


class GuardedTTS(tts.TTS[str]):
    """One voice to LiveKit, with the first one's rate. Lives as long as one call; closes all.

    Takes whole texts only: LiveKit hands it one sentence after the other.
    """

    def __init__(
        self, providers: Sequence[Provider[tts.TTS[str]]], guard: Guard, clock: TurnClock
    ) -> None:
        first = providers[0].model
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False),
            sample_rate=first.sample_rate,
            num_channels=first.num_channels,
        )
        self.providers = providers
        self.guard = guard
        self.clock = clock
        self.serving = first
        self._label = first.label

    @property
    def model(self) -> str:
        return self.serving.model

    @property
    def provider(self) -> str:
        return self.serving.provider

    @property
    def markup(self) -> tts.TTS.Markup:
        return self.providers[0].model.markup

    def _set_expressive(self, enabled: bool) -> None:  # noqa: FBT001 (LiveKit's own signature)
        super()._set_expressive(enabled)
        for provider in self.providers:
            provider.model._set_expressive(enabled)  # noqa: SLF001 (as LiveKit's adapters do)

    def update_options(self, **options: Any) -> None:
        """Those of the first, whatever they are."""
        changeable: Any = self.providers[0].model
        changeable.update_options(**options)

    def prewarm(self) -> None:
        self.providers[0].model.prewarm()

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> "GuardedSpeech":
        return GuardedSpeech(self, text)

    async def aclose(self) -> None:
        async with AsyncExitStack() as closing:
            for provider in self.providers:
                closing.push_async_callback(provider.model.aclose)


class GuardedSpeech(tts.ChunkedStream):
    """One text becoming sound. Its error may be `Refused`, `Unanswered` or `BrokenOff`."""

    # The inner stream's spans are those of the request; this one only stands around them.
    _tts_request_span_name: ClassVar[str] = "tts_guarded"
    _tts_attempt_span_name: ClassVar[str | None] = None

    def __init__(self, owner: GuardedTTS, text: str) -> None:
        super().__init__(tts=owner, input_text=text, conn_options=ONCE)
        self._owner = owner
        self._emitter: tts.AudioEmitter | None = None
        self._has_begun = False

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        owner, self._emitter = self._owner, output_emitter
        output_emitter.initialize(
            request_id=utils.shortuuid(),
            sample_rate=owner.sample_rate,
            num_channels=owner.num_channels,
            mime_type="audio/pcm",
        )
        if not can_be_said(self.input_text):
            output_emitter.push(bytes(2 * int(owner.sample_rate * PAUSE_SECONDS)))
            return
        await owner.guard.answer(owner.providers, self._ask, has_begun=lambda: self._has_begun)

    async def _ask(self, model: tts.TTS[str], request: Request, /, *, has_other: bool) -> None:
        assert self._emitter is not None
        self._owner.serving = model
        patience = LOCAL_PATIENCE if model.provider == LOCAL else 1
        may_need = FIRST_SOUND_SECONDS * patience
        first_seconds = min(may_need, self._share_seconds(has_other))
        frames = in_time(
            audible(self._sound_of(model), self.input_text),
            first_seconds=first_seconds,
            stall_seconds=STALL_SECONDS * patience,
            is_fair=first_seconds >= min(may_need, FAIR_SECONDS),
        )
        async with aclosing(at_rate(frames, self._owner.sample_rate)) as sound:
            async for frame in sound:
                self._emitter.push_frame(frame)
                self._has_begun = True
                request.brings()

    def _share_seconds(self, has_other: bool) -> float:  # noqa: FBT001 (by its name)
        """Of the turn's time; where nobody waits in silence, there is enough of it."""
        left = self._owner.clock.left_seconds
        if not has_other or left == math.inf:
            return max(left, VOICE_SECONDS)
        return max(left - VOICE_SECONDS, left / 2)

    async def _sound_of(self, model: tts.TTS[str]) -> AsyncGenerator[rtc.AudioFrame, None]:
        speech = model.synthesize(self.input_text, conn_options=ONCE)
        async with self._owner.guard.closing(speech):
            async for sound in speech:
                yield sound.frame
        self._set_token_usage(
            input_tokens=speech._input_tokens,  # noqa: SLF001 (told nowhere else)
            output_tokens=speech._output_tokens,  # noqa: SLF001
        )

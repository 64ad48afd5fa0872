"""One stream of sound to whoever can hear it now, with what those before have not understood."""

import asyncio
from collections.abc import AsyncIterable, Callable, Sequence
from contextlib import suppress

import structlog
from livekit.agents import APIConnectionError, APIConnectOptions, APIError, APIStatusError, stt
from livekit.agents.types import NotGivenOr

from agent.metrics import REBUILDS
from agent.models.guard import Guard, Provider, Request, TooSlow, Unanswered, Useless
from agent.models.owed_speech import OwedSpeech
from agent.models.verdicts import verdict_of
from session.circuits import FAILURE, NOTHING

log = structlog.get_logger(__name__)

CONNECT = APIConnectOptions(max_retry=0, timeout=3.0)

PAUSES_SECONDS = (0.3, 1.0, 2.0, 5.0)
"""Between two rounds in which nobody could hear; the last one again and again."""

WORKED_SECONDS = 5.0
"""Ears that were there for so long worked, until they failed."""

RETURN_SECONDS = 30.0
"""After so long somebody who stands in lets the first ones try again, between two utterances."""


class GuardedEars(stt.RecognizeStream):
    """Lives as long as LiveKit listens. Ends with an error only where there is no money."""

    def __init__(
        self,
        owner: stt.STT[str],
        providers: Sequence[Provider[stt.STT[str]]],
        guard: Guard,
        language: NotGivenOr[str],
        *,
        on_asked: Callable[[stt.STT[str]], None],
    ) -> None:
        """`on_asked` gets those that listen from now on."""
        super().__init__(stt=owner, conn_options=CONNECT)
        self._on_asked = on_asked
        self._providers = providers
        self._guard = guard
        self._language = language
        self.owed = OwedSpeech()
        self._ears: stt.RecognizeStream | None = None
        self._is_over = False
        self._restart = asyncio.Event()
        self._wake = asyncio.Event()
        self._last_final = ""
        self._has_told = False
        """The newest utterance had words; what is counted of it says nothing more."""
        self.is_resting = False
        """Nobody can be asked now: what is said is kept, and is not understood soon."""

    @property
    def can_switch(self) -> bool:
        """Whether somebody else could listen."""
        return len(self._providers) > 1

    def begin_speech(self) -> None:
        """The call's own VAD hears somebody."""
        self.owed.begin()
        self._wake.set()

    def rebuild(self, *, forget: bool) -> None:
        """Listen anew, by others if there are: these have understood nothing.

        `forget` what was said so far; else it is heard again.
        """
        REBUILDS.labels(stage="stt").inc()
        if forget:
            self.owed.close()
        self._restart.set()

    async def _metrics_monitor_task(self, event_aiter: AsyncIterable[stt.SpeechEvent]) -> None:
        """Nothing: the inner streams are measured already."""
        async for _ in event_aiter:
            pass

    async def _run(self) -> None:
        feeding = asyncio.create_task(self._feed(), name="june.ears.feed")
        rounds = 0
        try:
            while not self._is_over:
                began_at = asyncio.get_running_loop().time()
                try:
                    await self._guard.answer(self._providers, self._hear, has_begun=lambda: False)
                except Unanswered:
                    if asyncio.get_running_loop().time() - began_at > PAUSES_SECONDS[-1]:
                        rounds = 0
                    await self._rest(PAUSES_SECONDS[min(rounds, len(PAUSES_SECONDS) - 1)])
                    rounds += 1
        finally:
            feeding.cancel()
            await asyncio.wait({feeding})

    async def _rest(self, seconds: float) -> None:
        self.is_resting = True
        self._wake.clear()
        if self._is_over:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self.is_resting = False

    async def _feed(self) -> None:
        async for item in self._input_ch:
            if isinstance(item, self._FlushSentinel):
                continue
            self.owed.kept.add(item)
            if self._ears is not None:
                # The ears may have ended; whoever takes their words is told why.
                with suppress(RuntimeError):
                    self._ears.push_frame(item)
        self._is_over = True
        self._wake.set()
        if self._ears is not None:
            with suppress(RuntimeError):
                self._ears.end_input()

    async def _hear(self, model: stt.STT[str], request: Request, /, *, has_other: bool) -> None:
        self._restart.clear()
        self._on_asked(model)
        loop = asyncio.get_running_loop()
        stands_in = model is not self._providers[0].model
        until = loop.time() + RETURN_SECONDS if stands_in else float("inf")
        began_at = loop.time()
        try:
            async with self._guard.closing(
                model.stream(language=self._language, conn_options=CONNECT)
            ) as ears:
                await self._listen(ears, request, until)
        except APIError as error:
            if verdict_of(error) == NOTHING and not has_other:
                # It would be wrong for them once more; it is owed an answer all the same.
                self.owed.kept.forget(self.owed.kept.all_seconds)
            if not _is_drop(error) or loop.time() < began_at + WORKED_SECONDS:
                raise
            # A line that drops is no reason to ask others before it was tried again. Servers close
            # lines that have nothing to do, too.
            log.warning("ears.dropped", error=type(error).__name__)
            request.judge(NOTHING if self.owed.answered.is_set() else FAILURE)

    async def _listen(self, ears: stt.RecognizeStream, request: Request, until: float) -> None:
        self._last_final, self._has_told = "", False
        ears.start_time_offset = self.start_time_offset
        for frame in self.owed.kept.frames:
            ears.push_frame(frame)
        self._ears = ears
        if self._is_over:
            ears.end_input()
        restarting = asyncio.create_task(self._restart.wait(), name="june.ears.restart")
        try:
            await self._take(ears, request, restarting, until)
        finally:
            self._ears = None
            restarting.cancel()

    async def _take(
        self,
        ears: stt.RecognizeStream,
        request: Request,
        restarting: "asyncio.Task[bool]",
        until: float,
    ) -> None:
        """Until they end, fail, are given up, or may give way to the first ones."""
        events = aiter(ears)
        while True:
            coming = asyncio.ensure_future(anext(events, None))
            try:
                await asyncio.wait({coming, restarting}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    raise TooSlow
                event = coming.result()
            finally:
                if not coming.done():
                    coming.cancel()
                elif not coming.cancelled():
                    coming.exception()  # nobody else looks at it where the call ends
            if event is None:
                if self._is_over:
                    request.judge(NOTHING)
                    return
                raise Useless("ears that end by themselves")
            self._pass_on(event, request)
            if self.owed.answered.is_set() and asyncio.get_running_loop().time() > until:
                return

    def _pass_on(self, event: stt.SpeechEvent, request: Request) -> None:
        has_words = any(one.text.strip() for one in event.alternatives)
        match event.type:
            case (
                stt.SpeechEventType.INTERIM_TRANSCRIPT | stt.SpeechEventType.PREFLIGHT_TRANSCRIPT
            ) if has_words:
                self.owed.note_words()
            case stt.SpeechEventType.FINAL_TRANSCRIPT:
                if event.request_id and event.request_id == self._last_final:
                    return  # a server that says it twice
                self._last_final = event.request_id
                self._has_told = True
                request.brings()
                self.owed.tell(has_words=has_words)
            case stt.SpeechEventType.RECOGNITION_USAGE:
                if not self._has_told:
                    self.owed.tell(has_words=False)
                self._has_told = False
        self._event_ch.send_nowait(event)


def _is_drop(error: APIError) -> bool:
    """The plugin gives the code with which a socket was closed as a status."""
    if isinstance(error, APIStatusError):
        return not 100 <= error.status_code < 600
    return isinstance(error, APIConnectionError) and not isinstance(error, TooSlow)

"""Carries out what Mockingbird wants, one thing after the other, with June's ports."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

import structlog

from skills.errors import VoiceTrouble
from skills.ports import Recorder, Speaker, VoiceCloner
from skills.sound import Sound
from skills.voice import (
    Consented,
    GiveVoiceBack,
    Listen,
    MakeVoice,
    News,
    Sampled,
    TakeConsent,
    TakeSample,
    TakesLong,
    VoiceFailed,
    VoiceIsOn,
    VoiceWish,
    Why,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long a caller waits for each."""

    consent_seconds: float = 10.0
    sample_seconds: float = 75.0
    """June's own sentence, the waiting, the speech and its pauses; also a network that is lost."""
    make_seconds: float = 60.0
    long_seconds: float = 10.0
    """After so long without a word they are told that it goes on."""
    discard_seconds: float = 15.0


class Studio:
    """Lives as long as one call, and has one thing under way at most.

    `tell` gets what came of each. What is given back tells nothing any more.
    """

    def __init__(
        self,
        recorder: Recorder,
        cloner: VoiceCloner,
        speaker: Speaker,
        tell: Callable[[News], Awaitable[None]],
        patience: Patience | None = None,
    ) -> None:
        self._recorder = recorder
        self._cloner = cloner
        self._speaker = speaker
        self._tell = tell
        self._patience = patience or Patience()
        self._sample: Sound | None = None
        self._phrases: list[str] = []
        """Those that are still to be said."""
        self._work: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        """Also those that still tell what came of them."""
        self._discarding: asyncio.Task[None] | None = None
        self._is_heard = asyncio.Event()
        """Cleared while what June says would reach nobody."""
        self._is_heard.set()

    def hold(self) -> None:
        """Tell nothing until `let_go`: the caller's network is lost. The work goes on."""
        self._is_heard.clear()

    def let_go(self) -> None:
        self._is_heard.set()

    @property
    def is_busy(self) -> bool:
        """Whether a silent caller is waiting for June."""
        return self._work is not None and not self._work.done()

    def do(self, wish: VoiceWish) -> None:
        """Begin it. What was under way is over."""
        self._cancel()
        patience = self._patience
        match wish:
            case Listen():
                self._speaker.take_off()
                self._recorder.listen()
            case TakeConsent():
                self._begin(self._consented(wish), patience.consent_seconds)
            case TakeSample():
                self._begin(self._sampled(), patience.sample_seconds)
            case MakeVoice():
                self._begin(self._made(), patience.make_seconds)
            case GiveVoiceBack():
                self._give_back()

    async def _consented(self, wish: TakeConsent) -> News:
        said = await self._recorder.said()
        if wish.asked in self._phrases:
            await self._cloner.phrase(said)
            self._phrases.remove(wish.asked)
        elif await self._cloner.consent(wish.asked, wish.heard, said):
            return self._put_on()
        else:
            self._phrases = list(self._cloner.phrases)
        return Consented(self._phrases[0] if self._phrases else "")

    async def _sampled(self) -> News:
        self._sample = await self._recorder.sample()
        return Sampled()

    async def _made(self) -> News:
        sample, self._sample = self._sample, None
        if sample is None:
            raise VoiceTrouble(Why.FAILED)
        making = asyncio.create_task(self._cloner.make(sample), name="june.mockingbird.make")
        try:
            wait_seconds = self._patience.long_seconds
            while not (await asyncio.wait({making}, timeout=wait_seconds))[0]:
                if self._is_heard.is_set():
                    await self._tell(TakesLong())
        finally:
            making.cancel()
            await asyncio.wait({making})
        making.result()
        return self._put_on()

    def _put_on(self) -> News:
        self._recorder.stop()
        self._speaker.put_on()
        return VoiceIsOn()

    def _begin(self, work: Coroutine[None, None, News], seconds: float) -> None:
        self._work = asyncio.create_task(self._finish(work, seconds), name="june.mockingbird")
        self._tasks.add(self._work)
        self._work.add_done_callback(self._tasks.discard)
        # Cancelled before it began, it would leave the work behind.
        self._work.add_done_callback(lambda _: work.close())

    async def _finish(self, work: Coroutine[None, None, News], seconds: float) -> None:
        if self._discarding is not None:
            await asyncio.wait({self._discarding}, timeout=self._patience.discard_seconds)
        try:
            async with asyncio.timeout(seconds):
                news = await work
        except VoiceTrouble as trouble:
            news = VoiceFailed(trouble.why)
        except TimeoutError:
            news = VoiceFailed(Why.FAILED)
        except Exception as error:  # noqa: BLE001  whatever it is, the call goes on
            log.warning("mockingbird.failed", error=type(error).__name__)
            news = VoiceFailed(Why.FAILED)
        await self._is_heard.wait()
        # It may want the next thing done, which must not cancel this telling.
        self._work = None
        await self._tell(news)

    def _give_back(self) -> None:
        self._recorder.stop()
        self._speaker.take_off()
        self._sample, self._phrases = None, []
        if self._discarding is None or self._discarding.done():
            self._discarding = asyncio.create_task(self._discard(), name="june.mockingbird.discard")

    async def _discard(self) -> None:
        try:
            async with asyncio.timeout(self._patience.discard_seconds):
                await self._cloner.discard()
        except TimeoutError:
            log.warning("mockingbird.not_discarded", why="it took too long; the clean-up does it")

    async def discarded(self, seconds: float) -> bool:
        """Whether what was given back is discarded, after so long at most."""
        if self._discarding is None:
            return True
        done, _ = await asyncio.wait({self._discarding}, timeout=seconds)
        return bool(done)

    def _cancel(self) -> None:
        if self._work is not None:
            self._work.cancel()
            self._work = None

    async def aclose(self) -> None:
        """The call is over: what is not finished is discarded, and the voice is June's."""
        self._cancel()
        self._give_back()
        if self._discarding is not None:
            await asyncio.wait({self._discarding})
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2.0)

"""What June says when her ears or her voice fail; for a mind that does, see `agent.reply`."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Callable
from typing import Protocol

import structlog
from livekit import rtc
from livekit.agents.types import NotGivenOr

from agent.apologies import Stage
from agent.lines import Lines
from agent.metrics import STAGE_FAILURES
from agent.spoken import SpokenLines, frames

log = structlog.get_logger(__name__)

TOO_MANY = 3
WITHIN_SECONDS = 60.0
"""So many failures of one stage in so short a time end the call, in words."""


class Saying(Protocol):
    """An AgentSession, as far as it is asked to say something."""

    def say(self, text: str, *, audio: NotGivenOr[AsyncIterable[rtc.AudioFrame]] = ...) -> object:
        """Raises `RuntimeError` while it is closing."""
        ...


class Trouble:
    """Lives as long as one call. `give_up` is called once a stage has failed too often, and
    `on_saying` with each apology and the stage that it is for.

    Nothing is said once the call `is_over`: it would stand where the goodbye should be.
    """

    def __init__(
        self,
        voice: Saying,
        spoken: SpokenLines,
        lines: Lines,
        *,
        is_over: Callable[[], bool],
        give_up: Callable[[], None],
        now: Callable[[], float],
        on_saying: Callable[[str, Stage], None] = lambda line, stage: None,
    ) -> None:
        self._voice = voice
        self._spoken = spoken
        self._lines = lines
        self._is_over = is_over
        self._give_up = give_up
        self._now = now
        self._on_saying = on_saying
        self._failures: dict[str, deque[float]] = {}
        self._saying: asyncio.Task[None] | None = None

    def on_mute(self) -> None:
        """Nothing could be said of a reply."""
        self._happened("tts", self._lines.trouble, only_if_spoken=True)

    def on_deaf(self, nobody_hears: bool) -> None:  # noqa: FBT001 (of one kind or the other)
        """Nothing was understood of what the caller said."""
        line = self._lines.cannot_hear if nobody_hears else self._lines.not_caught
        self._happened("stt", line, only_if_spoken=False)

    def on_wordless(self) -> None:
        """The ears work, and found no words: no failure, but no silence either."""
        if not self._is_over():
            self._begin_saying(self._lines.not_caught, None, only_if_spoken=False)

    def on_deaf_detector(self) -> None:
        """What the caller has just said, if anything, was not even noticed."""
        self._happened("vad", self._lines.cannot_hear, only_if_spoken=False)

    def _happened(self, stage: Stage, line: str, *, only_if_spoken: bool) -> None:
        if self._is_over():
            return
        log.warning("stage.failed", stage=stage)
        STAGE_FAILURES.labels(stage=stage).inc()
        if self._is_too_often(stage):
            self._give_up()
        else:
            self._begin_saying(line, stage, only_if_spoken=only_if_spoken)

    def _begin_saying(self, line: str, stage: Stage | None, *, only_if_spoken: bool) -> None:
        if self._saying is None or self._saying.done():
            self._saying = asyncio.create_task(
                self._say(line, stage, only_if_spoken=only_if_spoken), name="june.trouble"
            )

    def _is_too_often(self, stage: str) -> bool:
        failures = self._failures.setdefault(stage, deque(maxlen=TOO_MANY))
        failures.append(self._now())
        return len(failures) == TOO_MANY and failures[-1] - failures[0] < WITHIN_SECONDS

    async def _say(self, line: str, stage: Stage | None, *, only_if_spoken: bool) -> None:
        sound = await self._spoken.sound_of(line)
        if stage is not None and not (sound is None and only_if_spoken):
            self._on_saying(line, stage)
        try:
            if sound is not None:
                self._voice.say(line, audio=frames(sound))
            elif not only_if_spoken:
                self._voice.say(line)
        except RuntimeError as error:
            log.info("trouble.unsaid", error=str(error))  # the voice is closing

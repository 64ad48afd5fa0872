"""Whatever a call needs to be looked after: its length, and stages that fail."""

import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Self

from livekit.agents import AgentSession, AgentStateChangedEvent
from livekit.agents.voice import SpeechHandle

from agent.apologies import Apologies
from agent.config import Config
from agent.ears_watch import EarsWatch
from agent.ending import Ending
from agent.events import Tell
from agent.lines import Lines
from agent.longest import LongestCall
from agent.models.build import Models
from agent.models.guarded_vad import GuardedVAD
from agent.mouth import Mouth
from agent.spoken import SpokenLines
from agent.trouble import Trouble
from agent.turn_times import TurnTimes
from session import CloseReason


class Watch:
    """Lives as long as one call, from its greeting on."""

    def __init__(
        self,
        voice: AgentSession[None],
        models: Models,
        detector: GuardedVAD,
        *,
        spoken: SpokenLines,
        ending: Ending,
        lines: Lines,
        config: Config,
        say: Callable[[str], Awaitable[SpeechHandle]],
        is_own_voice: Callable[[], bool],
        times: TurnTimes,
        tell: Tell,
    ) -> None:
        self._voice = voice
        self._times = times
        self._clock = models.clock
        self._stack = ExitStack()

        def is_over() -> bool:
            return ending.reason is not None

        async def warn() -> None:
            if not is_over():
                await say(lines.one_minute_left)

        self._apologies = Apologies(lines, tell)
        trouble = Trouble(
            voice,
            spoken,
            lines,
            is_over=is_over,
            give_up=lambda: ending.begin(CloseReason.ERROR, lines.broken),
            now=time.monotonic,
            on_saying=self._apologies.begun,
        )
        self.mouth = Mouth(
            spoken,
            lines,
            is_own=is_own_voice,
            on_mute=trouble.on_mute,
            on_lost_words=lambda: self._apologies.apologised("tts"),
        )
        detector.on_rebuilt = trouble.on_deaf_detector
        self._longest = LongestCall(
            config.call.max_minutes * 60,
            warn=warn,
            end=lambda: ending.begin(CloseReason.TOO_LONG, lines.call_too_long),
        )
        self._ears = (
            None
            if models.stt is None
            else EarsWatch(voice, models.stt, trouble.on_deaf, trouble.on_wordless, is_over=is_over)
        )

    def __enter__(self) -> Self:
        self._stack.enter_context(self._longest)
        if self._ears is not None:
            self._stack.enter_context(self._ears)
        self._voice.on("conversation_item_added", self._apologies.commit)
        self._stack.callback(self._voice.off, "conversation_item_added", self._apologies.commit)
        self._voice.on("agent_state_changed", self._on_state)
        self._stack.callback(self._voice.off, "agent_state_changed", self._on_state)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def _on_state(self, event: AgentStateChangedEvent) -> None:
        match event.new_state:
            case "speaking":
                self._clock.heard()
                self._times.heard()
            case "listening":
                self._clock.pause()  # the turn was answered, or has come to nothing

"""Scripted ears, voice and VAD that satisfy the real interfaces, and a window that is wide."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from livekit import rtc
from livekit.agents import llm, vad

from agent.lines import ENGLISH
from agent.models.local.engine import HEARING_RATE
from agent.mouth import Mouth
from agent.spoken import SpokenLines
from agent.summary import Summary
from agent.summary_writers import by_rule
from agent.window import Window
from session.outcomes import Answered, Outcome, UseTool
from session.records import new_session

WINDOW_SECONDS = 0.032
WINDOW = int(HEARING_RATE * WINDOW_SECONDS)


def sound(seconds: float, level: int = 1000) -> rtc.AudioFrame:
    """Mono 16 kHz sound of one level, so that a test can tell pieces apart."""
    count = int(seconds * HEARING_RATE)
    return rtc.AudioFrame(level.to_bytes(2, "little") * count, HEARING_RATE, 1, count)


class ScriptedSpeech:
    """Hears "N words" in so many seconds; `hold` keeps interims waiting until it is set."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, bool]] = []
        """Seconds of sound, and whether the answer was to be final."""
        self.spoken: list[str] = []
        self.hears_nothing = False
        self.fail_with: Exception | None = None
        self.hold: asyncio.Event | None = None
        self.closed = False

    @property
    def speaking_rate(self) -> int:
        return 22_050

    async def transcribe(self, pcm: bytes, *, final: bool) -> str:
        seconds = round(len(pcm) / HEARING_RATE / 2, 2)
        self.asked.append((seconds, final))
        if self.hold is not None and not final:
            await self.hold.wait()
        if self.fail_with is not None:
            raise self.fail_with
        return "" if self.hears_nothing else f"{'final' if final else 'interim'} {seconds}"

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        self.spoken.append(text)
        if self.fail_with is not None:
            raise self.fail_with
        for sentence in text.split(". "):
            yield b"\x01\x00" * 2205 * len(sentence)

    async def aclose(self) -> None:
        self.closed = True


class ScriptedVAD(vad.VAD):
    """Every frame is one window; its level says how sure the VAD is of speech, in per mille."""

    def __init__(self, silence_seconds: float = 0.4) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=WINDOW_SECONDS))
        self.silence_seconds = silence_seconds

    def stream(self) -> "ScriptedVADStream":
        return ScriptedVADStream(self)


class ScriptedVADStream(vad.VADStream):
    def __init__(self, owner: ScriptedVAD) -> None:
        super().__init__(owner)
        self._owner = owner

    async def _main_task(self) -> None:
        speaking = False
        silence = 0.0
        async for frame in self._input_ch:
            if not isinstance(frame, rtc.AudioFrame):
                continue
            sure = int.from_bytes(bytes(frame.data.cast("b"))[:2], "little") / 1000
            silence = 0.0 if sure >= 0.5 else silence + frame.duration
            self._send(vad.VADEventType.INFERENCE_DONE, frame, sure, speaking, silence)
            if not speaking and sure >= 0.5:
                speaking = True
                self._send(vad.VADEventType.START_OF_SPEECH, frame, sure, True, 0.0)
            elif speaking and silence >= self._owner.silence_seconds:
                speaking = False
                self._send(vad.VADEventType.END_OF_SPEECH, frame, sure, False, silence)

    def _send(
        self,
        kind: vad.VADEventType,
        frame: rtc.AudioFrame,
        sure: float,
        speaking: bool,
        silence: float,
    ) -> None:
        self._event_ch.send_nowait(
            vad.VADEvent(
                type=kind,
                samples_index=0,
                timestamp=0.0,
                speech_duration=0.0,
                silence_duration=silence,
                frames=[frame],
                probability=sure,
                speaking=speaking,
                raw_accumulated_silence=silence,
            )
        )


class NoSkills:
    """Every turn is the model's."""

    tools: Sequence[llm.Tool] = ()

    def shown(self, tools: Sequence[llm.Tool]) -> list[llm.Tool]:
        return list(tools)

    def call(self, use: UseTool) -> llm.FunctionToolCall:
        raise AssertionError(f"there is no skill to use: {use}")

    async def outcome(self, _: llm.ChatContext, __: llm.ChatMessage) -> Outcome:
        return Answered()


def wide_window() -> Window:
    """Of a conversation that is too short to be summarised."""

    async def keep(summary: str, summarised: int) -> None:
        raise AssertionError("nothing has left the context")

    session = new_session("room", "ann", channel="room", language="en", now=1000.0)
    return Window(Summary(session, [], write=by_rule, keep=keep))


def own_mouth(folder: Path = Path("nowhere")) -> Mouth:
    """June's own voice, with no line of hers in the cache."""
    lines = SpokenLines(folder, voice="none")
    return Mouth(lines, ENGLISH, is_own=lambda: True, on_mute=lambda: None)

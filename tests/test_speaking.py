"""From a model's text to June's voice."""

import asyncio
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession, io, llm
from livekit.agents.voice.run_result import RunResult
from speech_fakes import NoSkills, ScriptedSpeech, own_mouth, wide_window

from agent.assistant import June
from agent.lines import ENGLISH
from agent.models.local.tts import LocalTTS
from agent.models.offline import OfflineLLM, OfflineReply
from agent.models.turn_clock import TurnClock
from agent.turn_times import TurnTimes
from agent.turns import TEXT_TRANSFORMS
from session import Decision


class OpenGate:
    times = TurnTimes(lambda _: 1)

    async def reserve(self, message: llm.ChatMessage) -> Decision:
        return Decision(allowed=True)


class Writer(OfflineLLM):
    """A model that answers with a script, as models do."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def chat(self, **request: Any) -> OfflineReply:
        return Written(
            self,
            tools=[],
            **{name: request[name] for name in ("chat_ctx", "conn_options")},
        )


class Written(OfflineReply):
    async def _run(self) -> None:
        assert isinstance(self._llm, Writer)
        delta = llm.ChoiceDelta(role="assistant", content=self._llm.text)
        self._event_ch.send_nowait(llm.ChatChunk(id="1", delta=delta))


class Loudspeaker(io.AudioOutput):
    """Plays everything at once."""

    def __init__(self) -> None:
        super().__init__(label="loudspeaker", capabilities=io.AudioOutputCapabilities(pause=False))
        self.seconds = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        if self.seconds == 0:
            self.on_playback_started(created_at=0.0)
        await super().capture_frame(frame)
        self.seconds += frame.duration

    def flush(self) -> None:
        super().flush()
        if self.seconds:
            self.on_playback_finished(playback_position=self.seconds, interrupted=False)
            self.seconds = 0.0

    def clear_buffer(self) -> None:
        """Nothing waits."""


async def spoken(text: str) -> str:
    """What the voice is given to say when the model writes `text`."""
    speech = ScriptedSpeech()
    voice: AgentSession[None] = AgentSession(
        llm=Writer(text),
        tts=LocalTTS(speech),
        vad=None,
        turn_handling={"turn_detection": None},
        tts_text_transforms=TEXT_TRANSFORMS,
    )
    voice.output.audio = Loudspeaker()
    june = June(
        OpenGate(),
        NoSkills(),
        ENGLISH,
        llm.ChatContext.empty(),
        wide_window(),
        instructions="You are June.",
        clock=TurnClock(),
        mouth=own_mouth(),
        hang_up=lambda *_: None,
    )
    await voice.start(june)
    result: RunResult[None] = voice.run(user_input="Hello")
    await asyncio.wait_for(result, 10)
    await voice.aclose()
    return " ".join(speech.spoken)


async def test_markdown_and_emoji_are_kept_out_of_speech() -> None:
    """A model writes them all the same; nobody wants to hear an asterisk."""
    said = await spoken(
        "# News\n\nThis is **very** good, see [here](https://example.org) \N{GRINNING FACE}."
    )
    assert not set(said) & set("*#[]()\N{GRINNING FACE}")
    assert "very good" in said


async def test_plain_words_are_said_as_they_are() -> None:
    """Sentence by sentence."""
    assert (
        await spoken("It is five past two. Anything else?") == "It is five past two. Anything else?"
    )

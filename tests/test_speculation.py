"""LiveKit asks on words that still change: nothing starts unasked, and nothing happens twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any, ClassVar

import pytest
from livekit import rtc
from livekit.agents import AgentSession, LanguageCode, llm, stt
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr
from livekit.agents.voice.io import AudioInput
from pydantic import BaseModel
from speech_fakes import own_mouth, wide_window

from agent.assistant import June
from agent.call_skills import CallSkills, Hands
from agent.gate import TurnGate
from agent.lines import ENGLISH
from agent.models.offline import OfflineLLM
from agent.models.turn_clock import TurnClock
from agent.notebook import Notebook
from session import SessionConfig, open_sessions
from session.alarms import KEPT_AS
from session.outcomes import CallCan
from session.patience import Patience
from skills import Alarm, Heard, Mode, Ports, Say, SetAlarm, Skill, Step, ability
from skills.registry import Registry

Event = stt.SpeechEventType


class Ears(stt.STT[str]):
    """Hears what a test says it hears."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.heard: asyncio.Queue[tuple[Event, str]] = asyncio.Queue()

    async def _recognize_impl(self, *_: Any, **__: Any) -> stt.SpeechEvent:
        raise AssertionError("a session asks ears that stream for a stream")

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: Any = DEFAULT_API_CONNECT_OPTIONS,
    ) -> "EarsStream":
        return EarsStream(stt=self, conn_options=conn_options, heard=self.heard)


class EarsStream(stt.RecognizeStream):
    def __init__(self, *, heard: asyncio.Queue[tuple[Event, str]], **options: Any) -> None:
        super().__init__(**options)
        self._heard = heard

    async def _run(self) -> None:
        while True:
            kind, text = await self._heard.get()
            words = [stt.SpeechData(language=LanguageCode("en"), text=text)] if text else []
            self._event_ch.send_nowait(stt.SpeechEvent(type=kind, alternatives=words))


class Silence(AudioInput):
    """A microphone whose sound does not matter."""

    def __init__(self) -> None:
        super().__init__(label="silence", source=None)

    async def __anext__(self) -> rtc.AudioFrame:
        await asyncio.sleep(0.02)
        return rtc.AudioFrame(bytes(640), 16_000, 1, 320)


class Laps(BaseModel):
    count: int = 0


class Running(Mode[Laps]):
    """Every lap sets an alarm."""

    name = "running"
    description = "Counts laps when the caller runs."
    triggers = ("start running",)
    state: ClassVar[type[BaseModel]] = Laps

    def begin(self, heard: Heard) -> Step[Laps]:
        return Step(Laps(), Say("Run."))

    def step(self, state: Laps, heard: Heard) -> Step[Laps]:
        alarm = Alarm(f"lap {state.count}", heard.now, "", "A lap.")
        return Step(Laps(count=state.count + 1), Say(f"Lap {state.count}."), (SetAlarm(alarm),))


thrown: list[int] = []


@ability(phrases=["throw {count} dice"])
async def throw(_ports: Ports, count: int) -> str:
    """Throw dice."""
    thrown.append(count)
    return f"{count} thrown."


class Spoken:
    """A caller who speaks, and all that came of it."""

    def __init__(self, ears: Ears, voice: AgentSession[None]) -> None:
        self.ears = ears
        self.kept: list[Any] = []
        self.alarms: list[Any] = []
        self.asked = 0
        self.voice = voice
        self.said: list[str] = []
        voice.on("conversation_item_added", self._on_item)

    def keep(self, skill: Any) -> None:
        """Apart from what is still to be heard."""
        bare = None if skill is None else skill.model_copy(update={"unheard": None})
        if self.kept[-1:] != [bare]:
            self.kept.append(bare)

    def _on_item(self, event: Any) -> None:
        if isinstance(event.item, llm.ChatMessage) and event.item.role == "assistant":
            self.said.append(event.item.text_content or "")

    async def says(self, *attempts: str, finally_: str) -> str:
        """Words that change, each of which June answers in advance; then the end of the turn."""
        before = len(self.said)
        self.ears.heard.put_nowait((Event.START_OF_SPEECH, ""))
        for attempt in attempts:
            self.ears.heard.put_nowait((Event.PREFLIGHT_TRANSCRIPT, attempt))
            await asyncio.sleep(0.1)
        self.ears.heard.put_nowait((Event.FINAL_TRANSCRIPT, finally_))
        self.ears.heard.put_nowait((Event.END_OF_SPEECH, ""))
        async with asyncio.timeout(10):
            while len(self.said) == before:
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)
        return " ".join(self.said[before:])


@asynccontextmanager
async def call() -> AsyncIterator[Spoken]:
    config = SessionConfig(Path("unused"), store_url="memory:")
    registry = Registry([Skill("sport", "sport.py", "run", (throw,), (Running(),))])
    async with open_sessions(config) as sessions:
        session = await sessions.get_or_create_for_room("room", "ann")
        ears = Ears()
        voice: AgentSession[None] = AgentSession(
            stt=ears,
            llm=OfflineLLM(),
            vad=None,
            turn_handling={
                "turn_detection": "stt",
                "endpointing": {"mode": "fixed", "min_delay": 0.1, "max_delay": 0.1},
                "preemptive_generation": {"enabled": True, "max_retries": 9},
            },
        )
        spoken = Spoken(ears, voice)
        async with Notebook(sessions) as notebook:
            gate = TurnGate(
                sessions,
                session,
                notebook,
                call_id="call",
                turns_before=0,
                longest_kept_characters=2_000,
                patience=Patience(),
                on_end=lambda _: None,
            )
            voice.on("conversation_item_added", gate.commit)

            async def say(text: str) -> Any:
                spoken.alarms.append(text)
                return voice.say(text)

            skills = CallSkills(
                registry,
                sessions,
                session,
                voice,
                gate,
                hands=Hands(
                    say=say,
                    hang_up=lambda _: None,
                    is_over=lambda: False,
                    speak_in=lambda _: None,
                    keep=spoken.keep,
                    lines=ENGLISH,
                ),
                can=CallCan(has_model=False),
                zone=UTC,
            )
            async with skills:
                june = June(
                    gate,
                    skills,
                    ENGLISH,
                    llm.ChatContext.empty(),
                    wide_window(),
                    instructions="",
                    clock=TurnClock(),
                    mouth=own_mouth(),
                    hang_up=lambda *_: None,
                )
                voice.input.audio = Silence()
                await voice.start(june)
                yield spoken
                await voice.aclose()
            kept = await sessions.memory_of(session, KEPT_AS).all()
            spoken.alarms.extend(kept.values())


@pytest.fixture(autouse=True)
def no_dice() -> None:
    thrown.clear()


async def test_a_caller_who_changes_the_sentence_starts_nothing() -> None:
    """What was asked for first was never said to its end."""
    async with call() as ann:
        await ann.says("start running", "throw 3 dice", finally_="start running tomorrow")
        assert (ann.kept, thrown) == ([], [])
        assert await ann.says("who are", finally_="throw 2 dice") == "2 thrown."
        assert thrown == [2]


async def test_what_was_asked_for_early_happens_once() -> None:
    """The attempt that was right is the one that is taken."""
    async with call() as ann:
        assert await ann.says("throw 3 dice", finally_="throw 3 dice") == "3 thrown."
        assert thrown == [3]
        await ann.says("start", "start running", finally_="start running")
        assert [skill.name for skill in ann.kept] == ["running"]


async def test_a_step_is_taken_once_however_often_it_is_considered() -> None:
    """And its effects are carried out once."""
    async with call() as ann:
        await ann.says(finally_="start running")
        await ann.says("go", "go on", "stop", finally_="go on and on")
        await ann.says("again", "again", finally_="again")
        assert [skill.state for skill in ann.kept] == [{"count": n} for n in range(3)]
        await ann.says("stop", finally_="stop by tomorrow")
        assert ann.kept[-1].state == {"count": 3}
        await ann.says("stop by", finally_="stop")
        assert ann.kept[-1] is None
    assert len(ann.alarms) == 3

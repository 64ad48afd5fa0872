"""The gate: every turn passes it, however it was said, and it takes effect once."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from livekit.agents import AgentSession, ConversationItemAddedEvent, llm
from livekit.agents.voice.run_result import RunResult
from speech_fakes import NoSkills, own_mouth, wide_window

from agent.assistant import June
from agent.events import Event, EventType
from agent.gate import TurnGate
from agent.lines import ENGLISH
from agent.models.offline import OfflineLLM
from agent.models.turn_clock import TurnClock
from agent.notebook import Notebook
from agent.remembered import Memory, chat_context, recall
from session import (
    Decision,
    LimitConfig,
    Session,
    SessionConfig,
    SessionService,
    open_sessions,
)
from session.patience import Patience
from session.records import Stages

ANN: Any = {"room": "room", "user": "ann", "channel": "room", "language": "en"}

LIMITS = LimitConfig(max_input_characters=100, turns_per_minute=5)

CONFIG = SessionConfig(Path("unused"), store_url="memory:", limits=LIMITS)


class Conversation:
    """June with her real gate, notebook and offline brain, and no sound at all."""

    def __init__(
        self,
        sessions: SessionService,
        memory: Memory,
        notebook: Notebook,
        *,
        on_end: Callable[[Decision], None] | None = None,
    ) -> None:
        self.ended: list[Decision] = []
        self.told: list[Event] = []
        self.timed: list[Event] = []
        self.sessions = sessions
        self.memory = memory
        self.gate = TurnGate(
            sessions,
            memory.session,
            notebook,
            call_id="call",
            turns_before=memory.turns_before,
            longest_kept_characters=100,
            patience=Patience(),
            on_end=self.ended.append if on_end is None else on_end,
            tell=self._tell,
            now=lambda: 1000.0,
        )
        self.brain = OfflineLLM()
        self.voice: AgentSession[None] = AgentSession(
            llm=self.brain, vad=None, turn_handling={"turn_detection": None}
        )
        self.voice.on("conversation_item_added", self.gate.commit)

    def _tell(self, event: Event) -> None:
        (self.timed if event.type is EventType.TURN_TIMED else self.told).append(event)

    async def begin(self) -> None:
        june = June(
            self.gate,
            NoSkills(),
            ENGLISH,
            chat_context(self.memory.context),
            wide_window(),
            instructions="You are June.",
            clock=TurnClock(),
            mouth=own_mouth(),
            hang_up=lambda *_: None,
        )
        await self.voice.start(june)

    async def says(self, text: str) -> str:
        """June's reply."""
        result: RunResult[None] = await self.voice.run(user_input=text)
        (reply,) = [event.item for event in result.events if event.type == "message"][-1:]
        return reply.text_content or ""


@pytest.fixture
async def sessions() -> AsyncIterator[SessionService]:
    async with open_sessions(CONFIG, now=lambda: 1000.0) as opened:
        yield opened


@pytest.fixture
async def talk(sessions: SessionService) -> AsyncIterator[Conversation]:
    memory = await recall(sessions, **ANN)
    async with Notebook(sessions) as notebook:
        conversation = Conversation(sessions, memory, notebook)
        await conversation.begin()
        yield conversation
        await conversation.voice.aclose()


async def written(talk: Conversation, count: int) -> list[tuple[str, int, str]]:
    """What the notebook wrote, once it has written so much."""
    while len(history := await talk.sessions.history(talk.memory.session.session_id)) < count:
        await asyncio.sleep(0)
    return [(message.role, message.turn, message.said) for message in history]


async def test_a_turn_is_answered_and_written_down(talk: Conversation) -> None:
    """In order, under one turn number."""
    reply = await talk.says("Who are you?")
    assert "June" in reply
    assert await written(talk, 2) == [("user", 1, "Who are you?"), ("assistant", 1, reply)]
    assert (talk.gate.turns, talk.gate.refused) == (1, 0)


async def test_a_refused_turn_is_answered_in_words_without_the_model(talk: Conversation) -> None:
    """Too long is said to be too long; the model is not asked, and never sees it later."""
    asked: list[object] = []
    talk.brain.on("metrics_collected", asked.append)
    assert await talk.says("so " * 50) == ENGLISH.input_too_long
    assert asked == []
    assert talk.gate.refused == 1
    assert await talk.says("What did I just say?") == f"You said: {('so ' * 50)[:100]}…"


async def test_turns_are_counted_by_commit_and_not_by_attempt(talk: Conversation) -> None:
    """Attempts have ids of their own, and reserve the same turn until one is committed."""
    attempts = [llm.ChatMessage(role="user", content=["Hello"]) for _ in range(3)]
    assert [talk.gate.number_of(attempt.id) for attempt in attempts] == [1, 1, 1]
    talk.gate.commit(ConversationItemAddedEvent(item=attempts[1]))
    assert talk.gate.number_of(attempts[1].id) == 1
    assert talk.gate.number_of(llm.ChatMessage(role="user", content=["Next"]).id) == 2
    decision = await talk.sessions.reserve_turn(talk.memory.session, 1, "Hello")
    assert decision.allowed


async def test_who_is_near_a_limit_is_warned_once(talk: Conversation) -> None:
    """After the answer; and beyond the limit refused, in words."""
    said = [await talk.says("Who are you?") for _ in range(7)]
    warned = [ENGLISH.near_limit in reply for reply in said]
    assert warned == [False, False, False, True, False, False, False]
    assert said[5:] == [ENGLISH.too_many_turns] * 2
    assert talk.ended == []


async def test_a_block_ends_the_call_once_its_turn_is_taken(talk: Conversation) -> None:
    """And June's model is not asked; the goodbye is said by whoever ends the call."""
    for _ in range(7):
        await talk.says("Who are you?")
    attempt = llm.ChatMessage(role="user", content=["Hello?"])
    assert (await talk.gate.reserve(attempt)).reason == "blocked"
    assert talk.ended == [], "an attempt may be heard by nobody"
    talk.gate.commit(ConversationItemAddedEvent(item=attempt))
    (decision,) = talk.ended
    assert (decision.reason, decision.retry_after_seconds) == ("blocked", 900.0)


async def test_a_turn_that_was_taken_first_ends_the_call_as_well(talk: Conversation) -> None:
    """LiveKit may commit a message before the model is asked."""
    await talk.sessions.money.pause()
    message = llm.ChatMessage(role="user", content=["Hello?"])
    talk.gate.commit(ConversationItemAddedEvent(item=message))
    assert talk.ended == []
    assert (await talk.gate.reserve(message)).reason == "paused"
    assert [decision.reason for decision in talk.ended] == ["paused"]


async def test_the_callers_page_is_told_of_limits_once_a_turn_is_taken(talk: Conversation) -> None:
    """Of an attempt nothing; of what ends the call whoever ends it tells."""
    for _ in range(3):
        await talk.says("Who are you?")
    attempt = llm.ChatMessage(role="user", content=["Hello?"])
    assert (await talk.gate.reserve(attempt)).near == "too_many_turns"
    assert talk.told == []
    talk.gate.commit(ConversationItemAddedEvent(item=attempt))
    assert talk.told == [Event(EventType.LIMIT_NEAR, reason="too_many_turns")]
    await talk.gate.reserve(attempt)
    assert len(talk.told) == 1, "a further step of the same turn"
    for _ in range(3):
        await talk.says("Who are you?")
    refused = Event(EventType.LIMIT_REFUSED, reason="too_many_turns", retry_after_seconds=60.0)
    assert talk.told[1:] == [refused, refused]
    attempt = llm.ChatMessage(role="user", content=["Hello?"])
    assert (await talk.gate.reserve(attempt)).reason == "blocked"
    talk.gate.commit(ConversationItemAddedEvent(item=attempt))
    assert len(talk.told) == 3
    assert len(talk.ended) == 1


async def test_a_reply_that_was_cut_off_is_kept_as_heard(talk: Conversation) -> None:
    """What June was kept from saying is not recorded as said."""
    talk.gate.commit(
        ConversationItemAddedEvent(
            item=llm.ChatMessage(role="assistant", content=["I can tell"], interrupted=True)
        )
    )
    await written(talk, 1)
    (message,) = await talk.sessions.history(talk.memory.session.session_id)
    assert message.heard_text == "I can tell"


async def test_the_figures_of_a_turn_are_kept_and_told_once(talk: Conversation) -> None:
    """By its first reply; where it was refused, by which limit."""
    session_id = talk.memory.session.session_id
    question = llm.ChatMessage(
        role="user",
        content=["Well?"],
        metrics={
            "stopped_speaking_at": 990.0,
            "transcription_delay": 0.2,
            "end_of_turn_delay": 0.5,
        },
    )
    attempt = talk.gate.times.asked(question.id)
    talk.gate.times.wrote(attempt)
    talk.gate.commit(ConversationItemAddedEvent(item=question))
    own = llm.ChatMessage(
        role="assistant", content=[ENGLISH.still_there], metrics={"started_speaking_at": 990.7}
    )
    talk.gate.commit(ConversationItemAddedEvent(item=own))
    assert talk.timed == [], "a line of June's own answers nobody"
    for text in ("One moment.", "Yes."):
        reply = llm.ChatMessage(
            role="assistant",
            content=[text],
            metrics={"started_speaking_at": 991.0, "llm_node_ttft": 0.1},
            interrupted=True,
        )
        talk.gate.commit(ConversationItemAddedEvent(item=reply))
    assert talk.told == [
        Event(EventType.REPLY_CUT, turn=1, heard_characters=count) for count in (11, 4)
    ]
    await written(talk, 4)
    (kept,) = await talk.sessions.turn_metrics(session_id)
    assert kept.stages == Stages(final_text=0.2, end_of_turn=0.5, first_token=10.0, first_audio=1.0)
    assert (kept.is_interrupted, kept.heard_characters) == (True, 11)
    (told,) = talk.timed
    assert json.loads(told.as_json()) == {
        "type": "turn.timed",
        "turn": 1,
        "is_typed": False,
        "stages": kept.stages.model_dump(exclude_none=True),
        "is_interrupted": True,
        "heard_characters": 11,
    }
    for _ in range(6):
        await talk.says("Who are you?")
    await written(talk, 16)
    *_, last = await talk.sessions.turn_metrics(session_id)
    assert last.refused == "too_many_turns"
    assert talk.timed[-1].refused == "too_many_turns"


async def test_a_turn_without_an_answer_is_kept_too(talk: Conversation) -> None:
    """Once the caller speaks again, or the call ends; and told as any other."""

    def asks(ended_at: float) -> None:
        measured: llm.MetricsReport = {
            "stopped_speaking_at": ended_at,
            "transcription_delay": 0.25,
            "end_of_turn_delay": 0.5,
        }
        question = llm.ChatMessage(role="user", content=["And?"], metrics=measured)
        talk.gate.commit(ConversationItemAddedEvent(item=question))

    asks(990.0)
    assert talk.timed == []
    asks(995.0)
    assert [event.turn for event in talk.timed] == [1]
    for _ in range(2):
        talk.gate.close()
    assert [event.turn for event in talk.timed] == [1, 2]
    await talk.says("Who are you?")
    talk.gate.close()
    await written(talk, 4)
    first, second, answered = await talk.sessions.turn_metrics(talk.memory.session.session_id)
    assert first.stages == second.stages == Stages(final_text=0.25, end_of_turn=0.5)
    assert (first.reply_seconds, answered.turn) == (None, 3)


async def test_the_first_sound_is_the_reply(talk: Conversation) -> None:
    """LiveKit measures it from the same two moments."""
    spoken: llm.MetricsReport = {"stopped_speaking_at": 990.125}
    question = llm.ChatMessage(role="user", content=["Well?"], metrics=spoken)
    talk.gate.commit(ConversationItemAddedEvent(item=question))
    reply = llm.ChatMessage(
        role="assistant",
        content=["Yes."],
        metrics={
            "started_speaking_at": 991.5,
            "e2e_latency": 991.5 - 990.125,
            "llm_node_ttft": 0.1,
        },
    )
    talk.gate.commit(ConversationItemAddedEvent(item=reply))
    await written(talk, 2)
    (kept,) = await talk.sessions.turn_metrics(talk.memory.session.session_id)
    assert kept.stages is not None
    assert kept.stages.first_audio == kept.reply_seconds == 1.375


async def test_the_wait_for_a_greeting_is_kept(talk: Conversation) -> None:
    talk.gate.greeted(1.25)
    await talk.says("Who are you?")
    await written(talk, 2)
    first, _ = await talk.sessions.turn_metrics(talk.memory.session.session_id)
    assert (first.turn, first.first_word_seconds) == (0, 1.25)


async def test_what_is_typed_is_known_to_be_typed(talk: Conversation) -> None:
    """By the id that the message was given."""
    message = llm.ChatMessage(role="user", content=["hello"])
    talk.gate.is_typed(message)
    talk.gate.commit(ConversationItemAddedEvent(item=message))
    await written(talk, 1)
    (kept,) = await talk.sessions.history(talk.memory.session.session_id)
    assert kept.source == "text"


async def test_a_resumed_conversation_goes_on_counting(sessions: SessionService) -> None:
    """And its last words are the model's context."""
    for expected in (1, 2):
        memory = await recall(sessions, **ANN)
        async with Notebook(sessions) as notebook:
            talk = Conversation(sessions, memory, notebook)
            await talk.begin()
            await talk.says(f"This is number {expected}")
            assert (await written(talk, expected * 2))[-1][1] == expected
            await talk.voice.aclose()
    again = await recall(sessions, **ANN)
    assert again.is_resumed
    assert [message.said for message in again.context if message.role == "user"] == [
        "This is number 1",
        "This is number 2",
    ]


async def test_with_the_store_away_turns_are_answered(sessions: SessionService) -> None:
    """Silence would be worse."""

    class Away(SessionService):
        async def reserve_turn(self, session: Session, turn: int, text: str) -> Decision:
            from session import StoreError

            raise StoreError("away", retryable=True)

    memory = await recall(sessions, **ANN)
    async with Notebook(sessions) as notebook:
        talk = Conversation(Away(CONFIG), memory, notebook)
        decision = await talk.gate.reserve(llm.ChatMessage(role="user", content=["hi"]))
    assert decision.allowed

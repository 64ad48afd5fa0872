"""June's own events: to one participant, in order, and at nobody's cost."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from livekit import rtc
from livekit.rtc.participant import PublishDataError
from structlog.testing import capture_logs
from test_caller import Person, Room

import agent.caller_events
from agent.caller_events import LONGEST_QUEUE, CallerEvents
from agent.events import TOPIC, Event, EventType, refused, voice_changed
from agent.refusals import ABOUT_MONEY, ENDS_THE_CALL
from agent.skill_events import SkillEvents
from session import Decision, SkillSession, rules
from skills import Skill
from skills.loading import load_skills


@dataclass
class Sender:
    """June as a participant; `fails` with this, or `hangs`."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    fails: Exception | None = None
    hangs: bool = False

    async def publish_data(
        self, payload: str, *, destination_identities: list[str], topic: str
    ) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails is not None:
            raise self.fails
        assert (destination_identities, topic) == (["ann"], TOPIC)
        await asyncio.sleep(0)
        self.sent.append(json.loads(payload))


class June(Room):
    """A room with June in it."""

    def __init__(self) -> None:
        super().__init__(Person("ann"), Person("bob"))
        self.local_participant = Sender()


def used(skill: str) -> Event:
    return Event(EventType.SKILL_USED, skill=skill)


def skills_of(room: June) -> list[str]:
    return [event["skill"] for event in room.local_participant.sent]


@pytest.fixture
def room() -> June:
    return June()


@pytest.fixture
def events(room: June) -> CallerEvents:
    return CallerEvents(cast(rtc.Room, room))


async def test_events_come_in_order_and_before_the_end(room: June, events: CallerEvents) -> None:
    """Also those that were told before anybody was there; closing twice does no harm."""
    events.tell(used("one"))
    events.begin("ann")
    events.tell(used("two"))
    events.tell(used("three"))
    await events.aclose()
    await events.aclose()
    assert skills_of(room) == ["one", "two", "three"]


async def test_a_call_that_nobody_joined_ends_at_once(room: June, events: CallerEvents) -> None:
    """There was nobody to tell."""
    events.tell(used("one"))
    await events.aclose()
    assert room.local_participant.sent == []


@pytest.mark.parametrize(
    "error", [PublishDataError("engine is closed"), RuntimeError("no room"), Exception("whatever")]
)
async def test_what_cannot_be_sent_is_logged_once_and_costs_nothing(
    room: June, events: CallerEvents, error: Exception
) -> None:
    """What comes when it works again is sent."""
    room.local_participant.fails = error
    with capture_logs() as logs:
        events.begin("ann")
        events.tell(used("one"))
        events.tell(used("two"))
        await asyncio.sleep(0.01)
        room.local_participant.fails = None
        events.tell(used("three"))
        await asyncio.sleep(0.01)
    assert [entry["event"] for entry in logs] == ["event.unsent"]
    assert skills_of(room) == ["three"]
    await events.aclose()


async def test_what_hangs_is_left_and_keeps_no_call_from_its_end(
    room: June, events: CallerEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the middle nor at the end."""
    monkeypatch.setattr(agent.caller_events, "SEND_SECONDS", 0.05)
    monkeypatch.setattr(agent.caller_events, "CLOSE_SECONDS", 0.05)
    room.local_participant.hangs = True
    events.begin("ann")
    events.tell(used("one"))
    await asyncio.sleep(0.1)
    room.local_participant.hangs = False
    events.tell(used("two"))
    await asyncio.sleep(0.01)
    assert skills_of(room) == ["two"]
    room.local_participant.hangs = True
    events.tell(used("three"))
    await asyncio.wait_for(events.aclose(), 1)
    assert skills_of(room) == ["two"]


async def test_the_queue_is_bounded(room: June, events: CallerEvents) -> None:
    """The newest say how things are."""
    for number in range(LONGEST_QUEUE + 5):
        events.tell(used(str(number)))
    events.begin("ann")
    await events.aclose()
    assert skills_of(room) == [str(number) for number in range(5, LONGEST_QUEUE + 5)]


async def test_who_comes_back_is_told_what_holds(room: June, events: CallerEvents) -> None:
    """The newest of each subject, once; others who come are nothing to it."""
    events.begin("ann")
    events.tell(Event(EventType.SKILL_BEGAN, skill="storyteller"))
    events.tell(used("clock"))
    events.tell(Event(EventType.SKILL_ENDED, skill="storyteller"))
    events.tell(voice_changed(is_cloned=True))
    await asyncio.sleep(0.01)
    room.local_participant.sent.clear()
    room.join(Person("carl"))
    room.join(Person("ann"))
    await events.aclose()
    assert room.local_participant.sent == [
        {"type": "skill.ended", "skill": "storyteller"},
        {"type": "voice.cloned"},
    ]
    room.join(Person("ann"))


@pytest.mark.parametrize("reason", sorted(ABOUT_MONEY))
def test_refused_money_is_told_as_such(reason: str) -> None:
    """With the time that it takes, where it is known."""
    event = refused(Decision(allowed=False, reason=reason, retry_after_seconds=59.96))
    assert json.loads(event.as_json()) == {
        "type": "budget.refused",
        "reason": reason,
        "retry_after_seconds": 60.0,
    }


def test_other_refusals_are_limits() -> None:
    """And waiting does not help against each."""
    event = refused(Decision(allowed=False, reason="too_long"))
    assert json.loads(event.as_json()) == {
        "type": "limit.refused",
        "reason": "too_long",
        "retry_after_seconds": 0.0,
    }


def test_the_page_is_told_which_skill_has_the_conversation() -> None:
    """From its beginning, not from its question; once each; also of one that June has no more."""
    told: list[tuple[str, str | None]] = []
    registry = load_skills(["*"], None, lambda file, problem: None)
    shown = SkillEvents(registry, lambda event: told.append((event.type.value, event.skill)))

    def session(name: str, **fields: Any) -> SkillSession:
        return SkillSession(name=name, version=1, state={}, started_at=0.0, **fields)

    story = session("storyteller")
    shown.show(None)
    shown.show(session("storyteller", stage="confirming"))
    assert told == []
    shown.show(story)
    shown.show(story.model_copy(update={"turns": 1}))
    shown.show(session("translator", stage="confirming", under=story))
    assert told == [("skill.began", "storyteller")]
    shown.show(session("translator"))
    shown.show(session("gone"))
    shown.show(None)
    assert told[1:] == [
        ("skill.ended", "storyteller"),
        ("skill.began", "translator"),
        ("skill.ended", "translator"),
        ("skill.began", "gone"),
        ("skill.ended", "gone"),
    ]
    shown.used(Skill(name="clock", file="?", help="tell the time"))
    assert told[-1] == ("skill.used", "clock")


DOCS = (Path(__file__).parent.parent / "docs" / "events.md").read_text()


def test_every_event_is_documented_with_its_fields() -> None:
    """And no other."""
    rows = re.findall(r"^\| `(\S+)` \| (.*?) \|", DOCS, re.MULTILINE)
    assert {name: set(re.findall(r"`(\w+)`", fields)) for name, fields in rows} == {
        EventType.LIMIT_NEAR: {"reason"},
        EventType.LIMIT_REFUSED: {"reason", "retry_after_seconds"},
        EventType.BUDGET_REFUSED: {"reason", "retry_after_seconds"},
        EventType.SKILL_USED: {"skill"},
        EventType.SKILL_BEGAN: {"skill"},
        EventType.SKILL_ENDED: {"skill"},
        EventType.VOICE_CLONED: set(),
        EventType.VOICE_OWN: set(),
        EventType.TURN_TIMED: {
            "turn",
            "is_typed",
            "stages",
            "is_interrupted",
            "heard_characters",
            "refused",
        },
        EventType.REPLY_CUT: {"turn", "heard_characters"},
        EventType.TROUBLE: {"stage"},
        EventType.CALL_ENDED: {"reason"},
    }
    assert {name for name, _ in rows} == set(EventType)
    assert f'"{TOPIC}"' in DOCS


def test_every_reason_is_documented() -> None:
    """Those of limits and those of money."""
    _, _, reasons = DOCS.partition("\n## Reasons\n")
    named = set(re.findall(r"^- `(\w+)`", reasons, re.MULTILINE))
    assert named == ENDS_THE_CALL | {rules.TOO_LONG, rules.TOO_MANY_TURNS}

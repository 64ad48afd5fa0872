"""Timers, alarms and reminders: what is set, what rings, what is left, and all that cannot be."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from skill_fakes import FakePorts

import skills.timers as module
from skills import SkillError
from skills.collecting import skill_of_module
from skills.registry import Registry, Use
from skills.timer_setting import (
    LONGEST_NAME_CHARACTERS,
    MOST,
    NAME_TOO_LONG,
    NOT_UNDERSTOOD,
    TOO_LONG,
    TOO_MANY,
    TOO_SHORT,
    WHEN,
)
from skills.timers import (
    HOW_LONG,
    LEFT_ALONE,
    NOTHING_SET,
    REMIND_OF,
    REMIND_WHEN,
    cancel_timer,
    list_timers,
    set_alarm,
    set_reminder,
    set_timer,
)
from skills.times import ANOTHER_DAY, day_in, next_time
from skills.words import words_of

REGISTRY = Registry([skill_of_module(module, "timers")])
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 4, 15, 5, 30, tzinfo=NEW_YORK)


async def say(ports: FakePorts, text: str) -> str:
    """What June answers."""
    found = REGISTRY.find(words_of(text))
    assert isinstance(found, Use), text
    arguments = found.ability.arguments.model_validate(dict(found.slots))
    return await found.ability.use(ports, arguments)


async def told(*texts: str, answers: tuple[str, ...] = ()) -> str:
    """What June answers to the last of them, said in one minute."""
    ports = FakePorts(NOW, answers=answers)
    return [await say(ports, text) for text in texts][-1]


def rings(ports: FakePorts) -> list[tuple[float, str]]:
    """In how many seconds, and what June says then; the next one first."""
    alarms = sorted(ports.alarms.by_key.values(), key=lambda alarm: alarm.due_at)
    return [((alarm.due_at - ports.now()).total_seconds(), alarm.text) for alarm in alarms]


TIMERS: list[tuple[str, float, str, str]] = [
    ("set a timer for 5 minutes", 300, "5 minute", "Your 5 minute timer is set."),
    ("June, could you set a timer for five minutes, please?", 300, "5 minute", ""),
    ("set a pasta timer for 10 minutes", 600, "pasta", "Your pasta timer is set for 10 minutes."),
    ("set an egg timer for three minutes", 180, "egg", ""),
    ("set the oven timer for an hour and a half", 5_400, "oven", ""),
    ("set a timer for 90 seconds called toast", 90, "toast", ""),
    ("set a timer called toast for 90 seconds", 90, "toast", ""),
    ("set a timer for the pasta for ten minutes", 600, "pasta", ""),
    ("set a ten minute timer for the eggs", 600, "eggs", ""),
    ("set a three minute egg timer", 180, "egg", ""),
    ("start a 20-minute timer", 1_200, "20 minute", ""),
    ("I need a timer for 2 minutes", 120, "2 minute", ""),
    ("I'd like a timer for 2 minutes, please", 120, "2 minute", ""),
    ("I want a pasta timer for 8 minutes", 480, "pasta", ""),
    ("I need a timer for an hour and a half, call it laundry.", 5_400, "laundry", ""),
    ("5 minute timer", 300, "5 minute", ""),
    ("ten minutes timer please", 600, "10 minute", ""),
    ("half an hour timer", 1_800, "30 minute", ""),
    ("timer for 20 seconds", 20, "20 second", ""),
    ("set timer 5 minutes", 300, "5 minute", ""),
    ("set another timer for 3 minutes", 180, "3 minute", ""),
    ("set a second timer for 3 minutes", 180, "3 minute", ""),
    ("set a new timer for 3 minutes", 180, "3 minute", ""),
    ("put five minutes on the timer", 300, "5 minute", ""),
    ("Put forty five minutes on for the roast, would you?", 2_700, "roast", ""),
    ("count down from 30 seconds", 30, "30 second", ""),
    ("time me for two minutes", 120, "2 minute", ""),
    ("let me know in ten minutes", 600, "10 minute", ""),
    ("tell me when 5 minutes are up", 300, "5 minute", ""),
    ("wake me up in half an hour", 1_800, "30 minute", ""),
    ("remind me in 20 minutes", 1_200, "20 minute", ""),
    ("set an alarm in 20 minutes", 1_200, "20 minute", ""),
    ("set a timer for one second", 1, "1 second", "Your 1 second timer is set."),
    ("set a timer for 24 hours", 86_400, "24 hour", "Your 24 hour timer is set."),
]


@pytest.mark.parametrize(("text", "seconds", "name", "answer"), TIMERS)
async def test_a_timer_is_set(text: str, seconds: float, name: str, answer: str) -> None:
    """With a name, or known by its length."""
    ports = FakePorts(NOW)
    said = await say(ports, text)
    assert rings(ports) == [(seconds, f"Your {name} timer is done.")]
    assert said == answer if answer else name in said


ALARMS = [
    ("set an alarm for 7 30", 19, 30, "Your alarm is set for 7:30 p.m."),
    ("set an alarm for half past 6 in the evening", 18, 30, "Your alarm is set for 6:30 p.m."),
    ("set an alarm for noon", 12, 0, "Your alarm is set for tomorrow at 12:00 p.m."),
    ("set an alarm for 6 p.m.", 18, 0, "Your alarm is set for 6:00 p.m."),
    ("wake me at six thirty tomorrow morning", 6, 30, ""),
    ("Wake me up tomorrow at 7.", 7, 0, "Your alarm is set for tomorrow at 7:00 a.m."),
    ("set my alarm for quarter past seven", 19, 15, ""),
    ("alarm for 7 a.m.", 7, 0, ""),
    ("set a 7 a.m. alarm", 7, 0, ""),
    ("I need an alarm at 5", 17, 0, ""),
    ("set a timer for 6 p.m.", 18, 0, ""),
    ("set a timer until six pm", 18, 0, ""),
]


@pytest.mark.parametrize(("text", "hour", "minute", "answer"), ALARMS)
async def test_an_alarm_is_set(text: str, hour: int, minute: int, answer: str) -> None:
    """For the next time that the clock shows it."""
    ports = FakePorts(NOW)
    said = await say(ports, text)
    (alarm,) = ports.alarms.by_key.values()
    assert (alarm.due_at.hour, alarm.due_at.minute, alarm.due_at.second) == (hour, minute, 0)
    assert NOW < alarm.due_at <= NOW + timedelta(days=1)
    assert alarm.text.startswith("This is your alarm for ")
    assert said == answer or not answer


async def test_an_alarm_may_have_a_name() -> None:
    """It is told when it rings."""
    ports = FakePorts(NOW)
    assert await say(ports, "set a gym alarm for 7 am") == (
        "Your gym alarm is set for tomorrow at 7:00 a.m."
    )
    assert rings(ports)[0][1] == "This is your gym alarm for 7:00 a.m."


REMINDERS = [
    (
        "remind me in 20 minutes to call Bob",
        "Time to call Bob.",
        "I'll remind you in 20 minutes to call Bob.",
    ),
    (
        "Remind me to call my mother in two hours.",
        "Time to call your mother.",
        "I'll remind you in 2 hours to call your mother.",
    ),
    (
        "remind me to take out the trash at 7 p.m.",
        "Time to take out the trash.",
        "I'll remind you at 7:00 p.m. to take out the trash.",
    ),
    ("remind me at noon to eat", "Time to eat.", "I'll remind you tomorrow at 12:00 p.m. to eat."),
    ("in ten minutes remind me to check the oven", "Time to check the oven.", ""),
    (
        "remind me about the laundry in an hour",
        "This is your reminder about the laundry.",
        "I'll remind you in 1 hour about the laundry.",
    ),
    (
        "remind me to call Bob tomorrow at nine",
        "Time to call Bob.",
        "I'll remind you tomorrow at 9:00 a.m. to call Bob.",
    ),
    ("remind me to look at the oven at 5", "Time to look at the oven.", ""),
]


@pytest.mark.parametrize(("text", "rung", "answer"), REMINDERS)
async def test_a_reminder_says_what_it_is_about(text: str, rung: str, answer: str) -> None:
    """What is the caller's is called theirs."""
    ports = FakePorts(NOW)
    said = await say(ports, text)
    assert [told for _, told in rings(ports)] == [rung]
    assert said == answer or not answer


@pytest.mark.parametrize(
    ("text", "asked", "answers", "rung"),
    [
        ("set a timer", [HOW_LONG], ["Five minutes, please."], "Your 5 minute timer is done."),
        ("start a tea timer", [HOW_LONG], ["make it four minutes"], "Your tea timer is done."),
        ("set a timer for tea", [HOW_LONG], ["for 4 minutes"], "Your tea timer is done."),
        (
            "set a timer for ten to 15 minutes",
            [HOW_LONG],
            ["12 minutes"],
            "Your 12 minute timer is done.",
        ),
        (
            "set a timer for 5 minutes no 6",
            [HOW_LONG],
            ["6 minutes"],
            "Your 6 minute timer is done.",
        ),
        ("set an alarm", [WHEN], ["at 6 p.m."], "This is your alarm for 6:00 p.m."),
        ("set an alarm for tomorrow", [WHEN], ["seven"], "This is your alarm for 7:00 a.m."),
        ("wake me up", [WHEN], ["in an hour"], "This is your alarm for 4:05 p.m."),
        ("remind me to call Bob", [REMIND_WHEN], ["in ten minutes"], "Time to call Bob."),
        ("remind me to call Bob tonight", [REMIND_WHEN], ["at nine"], "Time to call Bob."),
        ("set a reminder", [REMIND_OF, REMIND_WHEN], ["to eat", "at 4"], "Time to eat."),
    ],
)
async def test_june_asks_for_what_is_missing(
    text: str, asked: list[str], answers: list[str], rung: str
) -> None:
    """Once each."""
    ports = FakePorts(NOW, answers=answers)
    await say(ports, text)
    assert ports.asked == asked
    assert [told for _, told in rings(ports)] == [rung]


@pytest.mark.parametrize("text", ["set a timer", "set an alarm", "remind me to call Bob"])
@pytest.mark.parametrize("answer", ["never mind", "", "I don't know", "when it is done"])
async def test_an_answer_that_is_no_time_sets_nothing(text: str, answer: str) -> None:
    """And is not asked about again."""
    ports = FakePorts(NOW, answers=[answer])
    assert await say(ports, text) == NOT_UNDERSTOOD
    assert not ports.alarms.by_key


REFUSED = [
    ("set a timer for zero seconds", TOO_SHORT),
    ("set a timer for 0 minutes", TOO_SHORT),
    ("set a timer for half a second", TOO_SHORT),
    ("set a timer for minus five minutes", TOO_SHORT),
    ("set a timer for a year", TOO_LONG),
    ("set a timer for 25 hours", TOO_LONG),
    ("set a tea timer for two days", TOO_LONG),
    ("remind me in a week to call Bob", TOO_LONG),
    ("set a timer for 31 February", "There is no 31st of February."),
    ("set a timer for the 31st of February", "There is no 31st of February."),
    ("set an alarm for the thirty first of February", "There is no 31st of February."),
    ("set an alarm for June 31", "There is no 31st of June."),
    ("set an alarm for February 29", ANOTHER_DAY),
    ("set an alarm for Monday at 7", ANOTHER_DAY),
    ("remind me to call Bob on Friday at 9", ANOTHER_DAY),
    ("remind me next week to call Bob", ANOTHER_DAY),
    ("remind me every day at 6 to eat", ANOTHER_DAY),
    ("set an alarm for 6 every morning", ANOTHER_DAY),
    ("set an alarm for tomorrow at 8 p.m.", TOO_LONG),
]


@pytest.mark.parametrize(("text", "answer"), REFUSED)
async def test_what_cannot_be_is_refused_in_a_sentence(text: str, answer: str) -> None:
    """And nothing is set."""
    ports = FakePorts(NOW)
    assert await say(ports, text) == answer
    assert not ports.alarms.by_key


async def test_one_is_set_once_however_often_it_is_carried_out() -> None:
    """Its key says what it is."""
    ports = FakePorts(NOW)
    for text in ("set a tea timer for 5 minutes", "set an alarm for noon"):
        assert await say(ports, text) == await say(ports, text)
    assert len(ports.alarms.by_key) == 2


async def test_two_of_one_name_are_refused() -> None:
    """Nobody could tell them apart; once the first is over there may be another."""
    ports = FakePorts(NOW)
    await say(ports, "set a tea timer for 5 minutes")
    ports.pass_time(60)
    assert await say(ports, "start the tea timer for 3 minutes") == (
        "Your tea timer has 4 minutes left. Give the new one another name."
    )
    assert len(ports.alarms.by_key) == 1
    ports.pass_time(300)
    assert await say(ports, "set a tea timer for 3 minutes") == (
        "Your tea timer is set for 3 minutes."
    )


async def test_a_timer_a_reminder_and_two_alarms_may_go_by_one_name() -> None:
    """One may be woken twice, and reminded of the same twice."""
    ports = FakePorts(NOW)
    for text in (
        *("set a tea timer for 5 minutes", "set a tea alarm for 6 p.m."),
        *("set an alarm for 7 p.m.", "set an alarm for 7:30 p.m."),
        *("remind me to drink tea at 6 p.m.", "remind me to drink tea at 8 p.m."),
    ):
        assert "set for" in await say(ports, text) or "I'll remind you" in await say(ports, text)
    assert len(ports.alarms.by_key) == 6


async def test_there_are_twenty_at_most() -> None:
    """Carrying the twentieth out again is fine."""
    ports = FakePorts(NOW)
    for minutes in range(1, MOST + 1):
        assert await say(ports, f"set a timer for {minutes} minutes") != TOO_MANY
    assert await say(ports, f"set a timer for {MOST} minutes") != TOO_MANY
    assert await say(ports, "set a timer for 55 minutes") == TOO_MANY
    assert len(ports.alarms.by_key) == MOST


THREE = ("set a tea timer for 5 minutes", "set a timer for 90 minutes", "set an alarm for 6 p.m.")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("how much time is left on the tea timer", "Your tea timer has 5 minutes left."),
        ("how long is left on the tea timer?", "Your tea timer has 5 minutes left."),
        ("how is my tea timer doing", "Your tea timer has 5 minutes left."),
        ("how long until the tea is done", "Your tea timer has 5 minutes left."),
        ("is the tea timer still running", "Your tea timer has 5 minutes left."),
        (
            "how much time is left on the 90 minute timer",
            "Your 1 hour and 30 minute timer has 1 hour and 30 minutes left.",
        ),
        (
            "which timers are running",
            "You have 2: your tea timer has 5 minutes left and your 1 hour and 30 minute timer "
            "has 1 hour and 30 minutes left.",
        ),
        ("what are my alarms", "Your 6:00 p.m. alarm has 2 hours and 54 minutes left."),
        (
            "how much time is left on the egg timer",
            "You have no egg timer, but your tea timer has 5 minutes left, your 1 hour and 30 "
            "minute timer has 1 hour and 30 minutes left, and your 6:00 p.m. alarm has 2 hours "
            "and 54 minutes left.",
        ),
    ],
)
async def test_june_says_how_much_time_is_left(text: str, answer: str) -> None:
    """Of the one that was named, of one kind, or of all of them."""
    ports = FakePorts(NOW.replace(second=0))
    for one in THREE:
        await say(ports, one)
    ports.pass_time(60)
    said = await say(ports, text)
    assert said == answer.replace("5 minutes left", "4 minutes left").replace(
        "1 hour and 30 minutes left", "1 hour and 29 minutes left"
    )


@pytest.mark.parametrize(
    "text",
    ["how much time is left", "what timers do I have", "any timers running?", "list my timers"],
)
async def test_without_timers_june_says_so(text: str) -> None:
    """Kindly."""
    assert await told(text) == "You have no timers."


async def test_of_many_only_the_next_are_told() -> None:
    """And how many more there are."""
    said = await told(*(f"set a timer for {n} minutes" for n in range(1, 9)), "list my timers")
    assert said.startswith("You have 8: your 1 minute timer has 1 minute left, ")
    assert said.endswith("your 5 minute timer has 5 minutes left, and 3 more.")


async def test_hours_are_told_without_seconds() -> None:
    """And what is over is not told with a negative time."""
    ports = FakePorts(NOW)
    await say(ports, "set a timer for 2 hours")
    ports.pass_time(13)
    assert await say(ports, "how much time is left") == ("Your 2 hour timer has 2 hours left.")
    ports.pass_time(7_180)
    assert await say(ports, "how much time is left") == "Your 2 hour timer has 7 seconds left."


@pytest.mark.parametrize(
    ("text", "canceled"),
    [
        ("cancel the tea timer", "your tea timer"),
        ("Please stop my tea timer.", "your tea timer"),
        ("cancel the timer for the tea", "your tea timer"),
        ("I don't need the tea timer anymore", "your tea timer"),
        ("turn the tea timer off", "your tea timer"),
        ("cancel the 90 minute timer", "your 1 hour and 30 minute timer"),
        ("turn off the alarm", "your 6:00 p.m. alarm"),
        ("cancel the 6 p.m. alarm", "your 6:00 p.m. alarm"),
        ("cancel the alarm for six", "your 6:00 p.m. alarm"),
        ("cancel the alarm at eighteen hundred", "your 6:00 p.m. alarm"),
        ("cancel all my alarms", "your 6:00 p.m. alarm"),
        ("cancel all timers", "your tea timer and your 1 hour and 30 minute timer"),
        ("delete both timers", "your tea timer and your 1 hour and 30 minute timer"),
        (
            "cancel all of them",
            "your tea timer, your 1 hour and 30 minute timer, and your 6:00 p.m. alarm",
        ),
    ],
)
async def test_one_is_canceled_by_what_it_is_called(text: str, canceled: str) -> None:
    """Name, length, time of day or kind."""
    assert await told(*THREE, text) == f"I canceled {canceled}."


async def test_what_is_not_there_is_not_canceled() -> None:
    """June says what is."""
    assert await told("cancel the timer") == "You have no timer."
    assert await told("cancel all my alarms") == "You have no alarms."
    assert await told("set a tea timer for 5 minutes", "cancel the egg timer") == (
        "You have no egg timer. There is your tea timer."
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("the tea one", "I canceled your tea timer."),
        ("tea", "I canceled your tea timer."),
        ("The tea timer, please.", "I canceled your tea timer."),
        ("um the one for the tea I think", "I canceled your tea timer."),
        ("the ninety minute one", "I canceled your 1 hour and 30 minute timer."),
        ("the first one", "I canceled your tea timer."),
        ("the last", "I canceled your 1 hour and 30 minute timer."),
        ("both", "I canceled your tea timer and your 1 hour and 30 minute timer."),
        ("never mind", LEFT_ALONE),
        ("", LEFT_ALONE),
    ],
)
async def test_of_several_june_asks_which(answer: str, said: str) -> None:
    """And leaves them alone if she does not understand."""
    ports = FakePorts(NOW, answers=[answer])
    for text in THREE:
        await say(ports, text)
    assert await say(ports, "cancel the timer") == said
    assert ports.asked == ["Which one: your tea timer or your 1 hour and 30 minute timer?"]


class Thoughtful(FakePorts):
    """A caller who thinks for a while before they answer."""

    async def ask(self, question: str) -> str:
        self.pass_time(600)
        return await super().ask(question)


async def test_a_timer_that_rings_just_then_is_too_late_to_cancel() -> None:
    """It is not said to be canceled."""
    ports = Thoughtful(NOW, answers=["tea"])
    for text in THREE:
        await say(ports, text)
    assert await say(ports, "cancel the timer") == "Too late: your tea timer has rung."


@pytest.mark.parametrize(
    "text",
    [
        *("My timer broke last week.", "the timer on the bomb stopped", "I bought an egg timer"),
        *("what is a timer", "time flies", "two timer", "he has a 5 minute temper", "timer"),
        *("that reminds me of my mother", "remind me of my mother", "you remind me of Bob"),
        *("false alarm", "alarm clocks are loud", "the fire alarm went off at six"),
        *("cancel my subscription", "cancel the meeting at six", "stop the car", "cancel"),
        *("how much", "how much do I have", "he set a timer for ten minutes", "how long"),
        *("my oven has a timer for 90 minutes", "she needs a timer for 5 minutes", "egg timer"),
        *("how long is the Nile", "how much time did it take", "how long until Christmas"),
        *("wake me up before you go go", "wake me up when september ends", "I set the table"),
        *("five minutes ago I was asleep", "give me five minutes", "wait 5 minutes", ""),
        *("tell me about the battle at 7 hills", "I don't need this", "remind me", "start over"),
    ],
)
def test_other_talk_sets_and_cancels_nothing(text: str) -> None:
    """Though it speaks of timers and of times."""
    assert REGISTRY.find(words_of(text)) is None


async def test_summer_time_makes_no_timer_longer() -> None:
    """Eight hours are eight hours, also in the night in which one of them is left out."""
    evening = datetime(2026, 3, 7, 22, 0, tzinfo=NEW_YORK)
    ports = FakePorts(evening)
    await say(ports, "set a timer for 8 hours")
    (alarm,) = ports.alarms.by_key.values()
    assert alarm.due_at.astimezone(UTC) - evening.astimezone(UTC) == timedelta(hours=8)
    assert await say(ports, "how much time is left") == "Your 8 hour timer has 8 hours left."


async def test_without_a_store_the_caller_is_told() -> None:
    """The sentence is the port's."""
    ports = FakePorts(NOW)
    ports.alarms.is_away = True
    for text in (*THREE, "cancel the timer", "cancel all timers", "list my timers"):
        with pytest.raises(SkillError, match="can't reach"):
            await say(ports, text)


@pytest.mark.parametrize(
    "arguments",
    [{"seconds": "soon"}, {"seconds": [5]}, {"name": 7}, {"minutes": 5}, {"seconds": {}}],
)
def test_arguments_of_the_wrong_type_are_refused(arguments: dict[str, Any]) -> None:
    """Before anything is set."""
    with pytest.raises(ValidationError):
        set_timer.arguments.model_validate(arguments)


@pytest.mark.parametrize(
    ("seconds", "answer"),
    [
        (float("nan"), TOO_SHORT),
        (float("-inf"), TOO_SHORT),
        (-5, TOO_SHORT),
        (0.99, TOO_SHORT),
        (float("inf"), TOO_LONG),
        (1e300, TOO_LONG),
        (86_401, TOO_LONG),
    ],
)
async def test_a_models_number_may_be_out_of_range(seconds: float, answer: str) -> None:
    """It reads why, in a sentence."""
    ports = FakePorts(NOW)
    for ability, further in ((set_timer, {}), (set_reminder, {"what": "eat"})):
        arguments = ability.arguments.model_validate({"seconds": seconds} | further)
        assert await ability.use(ports, arguments) == answer
    assert not ports.alarms.by_key


async def test_a_models_texts_may_be_anything() -> None:
    """A name of a page, a time that is none, and a name that is a verb."""
    ports = FakePorts(NOW, answers=["what?"])
    long = "x" * (LONGEST_NAME_CHARACTERS + 1)
    arguments = set_timer.arguments.model_validate({"seconds": 60, "name": long})
    assert await set_timer.use(ports, arguments) == NAME_TOO_LONG
    arguments = set_alarm.arguments.model_validate({"at": "99:99; drop table"})
    assert await set_alarm.use(ports, arguments) == NOT_UNDERSTOOD
    arguments = set_reminder.arguments.model_validate({"what": "call Bob.", "at": "6 p.m."})
    assert await set_reminder.use(ports, arguments) == ("I'll remind you at 6:00 p.m. to call Bob.")


@pytest.mark.parametrize("answer", ["never mind", "", "...", "cancel"])
async def test_a_reminder_of_nothing_is_none(answer: str) -> None:
    """After June has asked."""
    ports = FakePorts(NOW, answers=[answer])
    assert await say(ports, "set a reminder") == NOTHING_SET
    assert not ports.alarms.by_key


@given(text=st.text(max_size=30) | st.from_regex(r"[0-9a-z]{1,4}( [0-9a-z]{1,9}){0,3}"))
async def test_whatever_a_model_says_is_answered_in_a_sentence(text: str) -> None:
    """Never an exception, and never more alarms than were asked for."""
    ports = FakePorts(NOW, answers=["half past six"] * 9)
    for ability, arguments in (
        (set_timer, {"name": text, "seconds": 60}),
        (set_timer, {"name": text}),
        (set_alarm, {"at": text, "name": text}),
        (set_reminder, {"what": text, "at": text}),
        (set_reminder, {"about": text, "seconds": 60}),
        (list_timers, {"name": text}),
        (cancel_timer, {"name": text}),
    ):
        given_all = ability.arguments.model_validate(arguments)
        assert (await ability.use(ports, given_all))[-1] in ".?"
    assert len(ports.alarms.by_key) <= 5


@pytest.mark.parametrize(
    ("said", "hour", "minute"),
    [
        *(("7 30", 19, 30), ("7:05", 19, 5), ("six oh five", 18, 5), ("1830", 18, 30)),
        *(("half past six", 18, 30), ("a quarter to nine tonight", 20, 45), ("noon", 12, 0)),
        *(("five to midnight", 23, 55), ("ten to noon", 11, 50), ("12 tonight", 0, 0)),
        *(("seven o'clock sharp", 19, 0), ("2 at night", 2, 0), ("11 at night", 23, 0)),
        *(("6 a.m.", 6, 0), ("6 a m", 6, 0), ("six in the morning", 6, 0), ("15 05", 15, 5)),
        *(("twenty past 3", 15, 20), ("at 3 this afternoon", 15, 0), ("0 15", 0, 15)),
    ],
)
def test_a_time_of_day_is_the_next_of_its_kind(said: str, hour: int, minute: int) -> None:
    """In words, in digits, and by its part of the day."""
    moment = next_time(said, NOW)
    assert moment is not None
    assert (moment.hour, moment.minute, moment.second) == (hour, minute, 0)
    assert NOW < moment <= NOW + timedelta(days=1)


@pytest.mark.parametrize("said", ["", "tea", "25", "7 75", "99 past 3", "tomorrow", "-", "12345"])
def test_what_is_no_time_of_day_is_none(said: str) -> None:
    """Never an exception."""
    assert next_time(said, NOW) is None


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("call Bob tomorrow", "tomorrow"),
        ("eat this evening.", "this evening"),
        ("tomorrow morning", "tomorrow morning"),
        ("tomorrow never dies", ""),
        ("", ""),
    ],
)
def test_a_day_at_the_end_belongs_to_the_time(said: str, day: str) -> None:
    """And to nothing else."""
    assert day_in(said) == day

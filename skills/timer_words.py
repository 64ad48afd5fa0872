"""Timers, alarms and reminders as they are called, for the ear."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from skills.alarm import Alarm
from skills.clock import clock_time
from skills.durations import duration_of, spoken
from skills.times import minutes_in
from skills.words import words_of

Kind = Literal["timer", "alarm", "reminder"]

MOST_TOLD = 5
"""More than that nobody keeps in mind."""

_AN_HOUR = 3_600
_NOT_NAMES = frozenset(
    (
        "a",
        "an",
        "the",
        "my",
        "another",
        "other",
        "new",
        "second",
        "quick",
        "short",
        "little",
        "next",
    )
)
_KINDS = frozenset({"timer", "alarm", "reminder", "clock", "1", "please"})
_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
_VAGUE = frozenset({"while", "bit", "moment", "few minutes", "some time", "me", "now", "later"})
_CALLERS_OWN = {
    "my": "your",
    "i": "you",
    "i'm": "you're",
    "me": "you",
    "mine": "yours",
    "myself": "yourself",
}


def kind_of(alarm: Alarm) -> str:
    """What stands first in its key."""
    return alarm.key.partition(" ")[0]


def name_in(said: str) -> str:
    """The name alone: "pasta" of "my pasta timer"; empty if there is none."""
    words = words_of(said).plain.split()
    while words and words[0] in _NOT_NAMES:
        words = words[1:]
    while words and words[-1] in _KINDS:
        words = words[:-1]
    name = " ".join(words)
    return "" if name in _VAGUE else name


def length_in(name: str) -> tuple[float | None, str]:
    """The seconds that a name begins with, and the rest: "3 minute egg" is 180 and "egg"."""
    words = name.split()
    for end in range(len(words), 0, -1):
        if (seconds := duration_of(" ".join(words[:end]))) is not None:
            return seconds, " ".join(words[end:])
    return None, name


def length_name(seconds: float) -> str:
    """By which a timer is known that has no other name: "5 minute"."""
    told = "24 hours" if round(seconds) == 86_400 else spoken(seconds)
    return " ".join(word.removesuffix("s") for word in told.split())


def called(alarms: Sequence[Alarm], said: str) -> list[Alarm]:
    """Those that may be meant: by name, length or time of day, or else by a part of the name."""
    wanted = name_in(said)
    if not wanted:
        return list(alarms)
    exact = [one for one in alarms if _is_called(one, wanted)]
    words = _stems(wanted)
    return exact or [one for one in alarms if words <= _stems(one.name)]


def chosen(alarms: Sequence[Alarm], answer: str) -> list[Alarm]:
    """Those that the answer to "which one?" names."""
    words = words_of(answer).plain.split()
    if {"all", "both", "everything"}.intersection(words):
        return list(alarms)
    if name_in(answer) and (found := called(alarms, answer)):
        return found
    if found := [one for one in alarms if one.name and _stems(one.name) <= _stems(answer)]:
        return found
    place = next((place for word, place in _PLACES.items() if word in words), None)
    return list(alarms[place : place + 1 or None]) if place is not None else []


def _is_called(alarm: Alarm, wanted: str) -> bool:
    name = name_in(alarm.name)
    if name == wanted:
        return True
    if (seconds := duration_of(wanted)) is not None:
        return duration_of(name) == seconds
    minute = 60 * alarm.due_at.hour + alarm.due_at.minute
    return kind_of(alarm) != "timer" and minute in minutes_in(wanted)


def _stems(said: str) -> set[str]:
    """Its words, whether of one egg or of several."""
    return {word.removesuffix("s") for word in words_of(said).plain.split()}


def label(alarm: Alarm) -> str:
    """As in "your tea timer" and "your 6:00 p.m. alarm"."""
    match kind_of(alarm):
        case "alarm":
            return f"your {f'{alarm.name} ' if alarm.name else ''}{clock_time(alarm.due_at)} alarm"
        case "reminder":
            return f"your {clock_time(alarm.due_at)} reminder {callers_own(alarm.name)}"
        case _:
            return f"your {alarm.name} timer"


def with_rest(alarm: Alarm, now: datetime) -> str:
    """It, and how long it still takes."""
    if (rest := seconds_until(alarm.due_at, now)) < 1:
        return f"{label(alarm)} is done"
    if rest > _AN_HOUR:
        # Of hours nobody wants to hear the seconds.
        rest = 60 * round(rest / 60)
    return f"{label(alarm)} has {spoken(rest)} left"


def when(due_at: datetime, now: datetime, at: str = "at ") -> str:
    """As in "at 7:00 p.m." and "tomorrow at 7:00 a.m."; it ends a sentence as well."""
    return f"{at if due_at.date() == now.date() else 'tomorrow at '}{clock_time(due_at)}"


def after(now: datetime, seconds: float) -> datetime:
    """In the same zone, by the sun and not by the clock on the wall: summer time may begin."""
    return (now.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(now.tzinfo)


def seconds_until(due_at: datetime, now: datetime) -> float:
    """By the sun as well."""
    return (due_at.astimezone(UTC) - now.astimezone(UTC)).total_seconds()


def callers_own(what: str) -> str:
    """What the caller calls theirs is the caller's."""
    return " ".join(_CALLERS_OWN.get(word.casefold(), word) for word in what.split())


def listed(labels: Sequence[str], last: Literal["and", "or"] = "and") -> str:
    """As people say a list; of many only the first, and how many more."""
    if (more := len(labels) - MOST_TOLD) > 0:
        labels = [*labels[:MOST_TOLD], f"{more} more"]
        last = "and"
    if len(labels) < 3:
        return f" {last} ".join(labels)
    return f"{', '.join(labels[:-1])}, {last} {labels[-1]}"

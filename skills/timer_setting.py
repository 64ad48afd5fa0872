"""Setting an alarm: when that is, whether it can be, and only once."""

import re
from datetime import UTC, datetime, timedelta

from skills.alarm import Alarm
from skills.clock import clock_time
from skills.durations import EXPRESSION, duration_of
from skills.ports import Ports
from skills.timer_words import Kind, after, callers_own, kind_of, name_in, when, with_rest
from skills.times import date_in, day_in, minutes_in, next_time
from skills.words import words_of

LONGEST_SECONDS = 86_400
LONGEST_NAME_CHARACTERS = 200
MOST = 20

TOO_SHORT = "A timer needs at least a second."
TOO_LONG = "I can set timers for up to 24 hours."
TOO_MANY = f"You have {MOST} timers already. Cancel one of them first."
NAME_TOO_LONG = "That is too long for a name. Say it in a few words, please."
WHEN = "For what time?"
NOT_UNDERSTOOD = "I didn't understand that time. Nothing is set."

_LENGTH = re.compile(
    r"(?:(?:for|in|after|about|make|it|set|let us|say|just|maybe|please|ok|well) )*"
    rf"(?P<length>{EXPRESSION})(?: (?:from now|please|timer|thanks|thank you|june))*"
)


def length_said(answer: str) -> float | None:
    """In seconds; None if it is no length of time."""
    found = _LENGTH.fullmatch(words_of(answer).plain)
    return None if found is None else duration_of(found["length"])


def moment_after(seconds: float, now: datetime) -> datetime | str:
    """When that is, or in a sentence why it cannot be. Nothing is sure of a model's number."""
    if not seconds >= 1:
        return TOO_SHORT
    return TOO_LONG if seconds > LONGEST_SECONDS else after(now, seconds)


async def moment_asked(ports: Ports, said: str, question: str) -> datetime | str:
    """When that is, or why it cannot be; the caller is asked once if it is not clear."""
    moment = _moment(said, ports.now())
    if moment == NOT_UNDERSTOOD:
        answer = await ports.ask(question)
        # "Tomorrow", and then "at nine".
        known = f" {day_in(said)}" if not day_in(answer) else ""
        moment = _moment(f"{answer}{known}", ports.now())
    return moment


def _moment(said: str, now: datetime) -> datetime | str:
    if (seconds := length_said(said)) is not None:
        return moment_after(seconds, now)
    if (wrong := date_in(said)) is not None:
        return wrong
    moment = next_time(said, now)
    if moment is None:
        return NOT_UNDERSTOOD
    return TOO_LONG if moment - now > timedelta(days=1) else moment


async def set_once(ports: Ports, kind: Kind, due_at: datetime, name: str, text: str) -> str | None:
    """None if it is set, or was already; else why it cannot be, in a sentence."""
    if len(name) > LONGEST_NAME_CHARACTERS:
        return NAME_TOO_LONG
    # By what it is: carried out twice it is set once.
    key = f"{kind} {due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S} {name.casefold()}"
    others = [one for one in await ports.alarms.all() if one.key != key]
    if len(others) >= MOST:
        return TOO_MANY
    now = ports.now()
    same = [
        one
        for one in others
        if kind_of(one) == kind and name_in(one.name) == name_in(name) and one.due_at > now
    ]
    # One may be reminded of the same twice, and woken twice.
    if same and name and kind != "reminder":
        told = with_rest(same[0], now)
        return f"{told[0].upper()}{told[1:]}. Give the new one another name."
    await ports.alarms.set(Alarm(key, due_at, name, text))
    return None


async def set_alarm_at(ports: Ports, at: str, name: str) -> str:
    """At a time of day, as it was said; what June says to it."""
    due_at = await moment_asked(ports, at, WHEN)
    if isinstance(due_at, str):
        return due_at
    shown = f"{callers_own(name)} " if name else ""
    text = f"This is your {shown}alarm for {clock_time(due_at)}"
    refusal = await set_once(ports, "alarm", due_at, name, text)
    return refusal or f"Your {shown}alarm is set for {when(due_at, ports.now(), '')}"


def parted(what: str, at: str) -> tuple[str, str]:
    """With all that is said about the time in `at`: "call Bob tomorrow", "9" and the like."""
    before, _, last = at.rpartition(" at ")
    if what and before and not minutes_in(at) and date_in(at) is None:
        # "Remind me to look at the oven at 5": the last of them is the time.
        what, at = f"{what} at {before}", last
    if day := day_in(what):
        what, at = what[: -len(day)].rstrip(), f"{at} {day}".strip()
    return what, at

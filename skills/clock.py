"""The clock: what time and what day it is, here and elsewhere."""

from datetime import datetime

from skills.ability import ability
from skills.errors import SkillError
from skills.places import has_several_zones, named, zone_of
from skills.ports import Ports

HELP = "tell the time"

LONGEST_PLACE_CHARACTERS = 60

_NOW = "(right now|now|currently|at the moment|today)"
_IN = "(in|over in|out in|down in)"
_TELL = "(tell me|give me|say|do you know|do you happen to know|may i ask|let me know)"
_WEEKDAY = "(monday|tuesday|wednesday|thursday|friday|saturday|sunday)"


@ability(
    phrases=[
        f"what time is it [exactly|here] [{_NOW}]",
        f"what time is it {_NOW} {_IN} {{place}}",
        f"what time is it {_IN} {{place}} [{_NOW}]",
        f"what is the [exact|current|local|correct] time [here|please] [{_NOW}]",
        f"what is the [exact|current|local] time [{_NOW}] {_IN} {{place}} [{_NOW}]",
        f"what time (would it be|do they have|do we have|do you have) {_IN} {{place}} [{_NOW}]",
        f"{_TELL} the [exact|current|local|correct] time [here] [{_NOW}]",
        f"{_TELL} the [exact|current|local] time {_IN} {{place}} [{_NOW}]",
        f"{_TELL} what [the] time it is [here] [{_NOW}]",
        f"{_TELL} what time it is [{_NOW}] {_IN} {{place}} [{_NOW}]",
        f"{_TELL} what the [exact|current] time is [{_NOW}]",
        f"{_TELL} what the [current|local] time is {_IN} {{place}}",
        "(do you have|have you got|got|have you) the time",
        f"(how late|what hour) is it [{_NOW}]",
        f"(how late|what hour) is it {_IN} {{place}}",
        "what time (do you|do we) have",
        "what time have (you|we) got",
        "[the] time please",
        "[the] current time",
        "the time",
        "time check",
    ]
)
async def tell_time(ports: Ports, place: str = "") -> str:
    """Tell the time of day, where the caller is or in another place."""
    here = ports.now()
    if not named(place):
        return f"It's {clock_time(here)}"
    zone = zone_of(place)
    if zone is None:
        return _unknown(place)
    there = here.astimezone(zone)
    other_day = _OTHER_DAY.get((there.date() - here.date()).days)
    # "8:12 a.m." ends a sentence as it is.
    return f"In {named(place)} it's {clock_time(there)}{f', {other_day}.' if other_day else ''}"


@ability(
    phrases=[
        f"what (day|date|weekday|day of the week) is it [{_NOW}]",
        f"what (day|date) is it [{_NOW}] {_IN} {{place}} [{_NOW}]",
        "(what|which) (day|date|day of the week|day of the month|weekday) is [it] today",
        "which (day|date) is it",
        "what day of the (week|month) is it",
        f"what is [the|today's] [current] date [{_NOW}]",
        f"what is [the|today's] date [{_NOW}] {_IN} {{place}} [{_NOW}]",
        "what is (the day|the day today|today's day|the date of today|today|the day of the week)",
        "(what|which) (month|year) is it [now|right now]",
        "which (month|year|day) (are we in|is this|do we have)",
        f"is it {_WEEKDAY} [or {_WEEKDAY}] [today|already]",
        f"is today [a] {_WEEKDAY} [or {_WEEKDAY}]",
        f"{_TELL} [the|today's|the current] date [today]",
        f"{_TELL} (the day|what day of the week it is|the day of the week) [today]",
        f"{_TELL} what (day|date) (it is|today is|is today) [today]",
        f"{_TELL} what (the|today's) date is [today]",
        "(today's|the) date please",
        "today's date",
    ],
    heard_as=["what is the date (to day|of day)"],
)
async def tell_date(ports: Ports, place: str = "") -> str:
    """Tell the day of the week and the date, where the caller is or in another place."""
    here = ports.now()
    if not named(place):
        return f"Today is {_date(here)}."
    zone = zone_of(place)
    if zone is None:
        return _unknown(place)
    return f"In {named(place)} it's {_date(here.astimezone(zone))}."


def clock_time(moment: datetime) -> str:
    """As people say it: "5:07 p.m.", which ends a sentence as well."""
    half = "a.m." if moment.hour < 12 else "p.m."
    return f"{moment.hour % 12 or 12}:{moment.minute:02} {half}"


_OTHER_DAY = {1: "tomorrow", -1: "yesterday"}


def _unknown(place: str) -> str:
    if len(place) > LONGEST_PLACE_CHARACTERS:
        raise SkillError("I don't know that place.")
    if has_several_zones(place):
        return f"There is more than one time zone in {named(place)}. Name a city, please."
    return f"I don't know what time it is in {named(place)}."


def _date(moment: datetime) -> str:
    return f"{moment:%A}, {moment:%B} {moment.day}, {moment.year}"

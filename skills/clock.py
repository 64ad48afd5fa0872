"""The clock: what time and what day it is, here and elsewhere."""

from datetime import datetime

from skills.ability import ability
from skills.places import zones_of
from skills.ports import Ports

HELP = "tell the time"

_IN = "(in|at|over in|for)"


@ability(
    phrases=[
        "what time is it [right now|exactly|over there|here|there]",
        "what is the [exact|current|local] time [right now|here]",
        "(tell|give) me (the|the current|the exact) time",
        "(do you have|have you got|do you know|got) the time",
        "(do you know|tell me|can you tell me) what time it is",
        "how late is it",
        "what time do you have",
        "what time do we have",
        "time check",
        f"what time is it [right now|now|currently] {_IN} {{place}}",
        f"what is the [current|local] time [right now|now] {_IN} {{place}}",
        f"(tell|give) me the [current|local] time {_IN} {{place}}",
        f"(do you know|tell me|can you tell me) what time it is {_IN} {{place}}",
        "how late is it in {place}",
    ]
)
async def tell_time(ports: Ports, place: str = "") -> str:
    """Tell the time of day, where the caller is or in another place."""
    here = ports.now()
    if not place:
        return f"It's {clock_time(here)}"
    zones = zones_of(place)
    if not zones:
        return f"I don't know what time it is in {place.rstrip('.?!')}."
    if len(zones) > 1:
        return f"There is more than one time zone in {place.rstrip('.?!')}. Name a city, please."
    there = here.astimezone(zones[0])
    return f"In {place.rstrip('.?!')} it's {clock_time(there)}{_other_day(here, there)}"


@ability(
    phrases=[
        "what (day|date) is it [today|right now]",
        "what day [of the week|of the month] is (it|today)",
        "what is [the|today's] (date|day) [today|right now]",
        "what is today",
        "which day is (it|today)",
        "what is the day today",
        "(tell|give) me [the|today's] date",
        "(tell|give) me the (date|day) today",
        "(do you know|tell me|can you tell me) what (day|date) (it|today) is [today]",
        "(do you know|tell me) (the|today's) date",
        "what (month|year) is it",
        "what is the date of today",
    ]
)
async def tell_date(ports: Ports) -> str:
    """Tell the day of the week and the date, where the caller is."""
    today = ports.now()
    return f"Today is {today:%A}, {today:%B} {today.day}, {today.year}."


def clock_time(moment: datetime) -> str:
    """As people say it: "5:07 p.m.", which ends a sentence as well."""
    half = "a.m." if moment.hour < 12 else "p.m."
    return f"{moment.hour % 12 or 12}:{moment.minute:02} {half}"


def _other_day(here: datetime, there: datetime) -> str:
    days = (there.date() - here.date()).days
    return {1: " tomorrow.", -1: " yesterday."}.get(days, "")

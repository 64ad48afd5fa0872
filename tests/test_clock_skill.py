"""The clock: what time and what day it is, where the caller is and elsewhere."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from skill_fakes import FakePorts

import skills.clock
from skills import Ability
from skills.clock import LONGEST_PLACE_CHARACTERS, tell_date, tell_time
from skills.collecting import skill_of_module
from skills.errors import SkillError
from skills.places import OTHER_PLACES, SEVERAL_ZONES, has_several_zones, named, zone_of
from skills.registry import Registry, Use
from skills.words import words_of

REGISTRY = Registry([skill_of_module(skills.clock)])
NOON = datetime(2026, 11, 25, 12, 5, tzinfo=ZoneInfo("Europe/Berlin"))

TIME = [
    *("What time is it?", "what's the time", "do you have the time", "tell me the time, please"),
    *("June, could you tell me what time it is?", "got the time?", "what time is it right now"),
    *("what is the current time", "how late is it", "The time, please.", "time please"),
    *("do you know what time it is", "what time is it at the moment", "may I ask what time it is"),
    *("hey what's the time", "what hour is it", "what time have you got", "um, what time is it"),
]
DATE = [
    *("What day is it?", "what's the date today", "what is today's date", "which day is today"),
    *("tell me the date", "what day of the week is it", "what is the date", "today's date please"),
    *("what month is it", "what year is it", "can you tell me what day it is", "what date is it"),
    *("which day of the week is it today", "do you know what the date is", "is it Monday today?"),
]
NEITHER = [
    *("what time does the train leave", "time flies", "what time is dinner", "a waste of time"),
    *("what's the best time to visit Tokyo", "every time I call, my sister laughs", "last time"),
    *("what a day", "what day does Christmas fall on", "give me the time of your life", "time out"),
    *("what is the time complexity of quicksort", "tell me the date of the moon landing", "time"),
    *("what year is it set in", "the time in Tokyo was fun", "I have no time", "have a nice day"),
    *("what can you say about the time", "what time is it when the big hand is on twelve"),
]
ELSEWHERE = {
    "what time is it in Tokyo": "In Tokyo it's 8:05 p.m.",
    "What's the time in New York right now?": "In New York it's 6:05 a.m.",
    "what time is it right now in London": "In London it's 11:05 a.m.",
    "June, can you tell me what time it is in Buenos Aires, please?": (
        "In Buenos Aires it's 8:05 a.m."
    ),
    "what's the local time in the Netherlands": "In the Netherlands it's 12:05 p.m.",
    "what time would it be in Mumbai": "In Mumbai it's 4:35 p.m.",
    "what time is it in San Francisco": "In San Francisco it's 3:05 a.m.",
    "what time is it over in Germany": "In Germany it's 12:05 p.m.",
    "what time is it in Berlin, Germany": "In Berlin, Germany it's 12:05 p.m.",
    "what time is it in S\u00e3o Paulo": "In S\u00e3o Paulo it's 8:05 a.m.",
    "what time is it in Auckland": "In Auckland it's 12:05 a.m., tomorrow.",
    "what time is it in the UK": "In the UK it's 11:05 a.m.",
    "what time is it in Atlantis": "I don't know what time it is in Atlantis.",
    "what time is it in Australia": (
        "There is more than one time zone in Australia. Name a city, please."
    ),
    "what's the date in Sydney": "In Sydney it's Wednesday, November 25, 2026.",
    "what day is it in Auckland now": "In Auckland it's Thursday, November 26, 2026.",
    "what day is it in Russia": "There is more than one time zone in Russia. Name a city, please.",
}


async def answered(text: str, now: datetime = NOON) -> str | None:
    """What June says to it; None if it is not for the clock."""
    found = REGISTRY.find(words_of(text))
    if not isinstance(found, Use):
        return None
    return await used(found.ability, FakePorts(now), **found.slots)


async def used(ability: Ability, ports: FakePorts, **arguments: Any) -> str:
    return await ability.use(ports, ability.arguments.model_validate(arguments))


@pytest.mark.parametrize("text", TIME)
async def test_the_time_is_told(text: str) -> None:
    """Where the caller is."""
    assert await answered(text) == "It's 12:05 p.m."


@pytest.mark.parametrize("text", DATE)
async def test_the_date_is_told_with_its_weekday(text: str) -> None:
    """A date is spoken whole."""
    assert await answered(text) == "Today is Wednesday, November 25, 2026."


@pytest.mark.parametrize("text", NEITHER)
async def test_what_is_not_about_the_clock_is_left_alone(text: str) -> None:
    """Though it speaks of times and days."""
    assert await answered(text) is None


@pytest.mark.parametrize(
    ("hour", "minute", "spoken"),
    [(0, 0, "12:00 a.m."), (12, 5, "12:05 p.m."), (13, 59, "1:59 p.m."), (9, 7, "9:07 a.m.")],
)
async def test_the_time_is_told_as_people_say_it(hour: int, minute: int, spoken: str) -> None:
    """Twelve-hour clock, with its half."""
    now = NOON.replace(hour=hour, minute=minute)
    assert await answered("What time is it?", now) == f"It's {spoken}"


@pytest.mark.parametrize(("text", "told"), ELSEWHERE.items())
async def test_elsewhere_it_is_another_time(text: str, told: str) -> None:
    """Of a city or a country; who is not sure says so."""
    assert await answered(text) == told


async def test_elsewhere_it_may_still_be_yesterday() -> None:
    """Which is said, because it surprises."""
    early = NOON.replace(hour=3)
    told = await answered("what time is it in Honolulu", early)
    assert told == "In Honolulu it's 4:05 p.m., yesterday."


async def test_summer_time_counts() -> None:
    """Six hours between Berlin and New York, but five for some weeks of the year."""
    between = datetime(2026, 10, 28, 11, 0, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
    assert await answered("what time is it in New York", between) == "In New York it's 7:00 a.m."


@pytest.mark.parametrize("ability", [tell_time, tell_date])
@pytest.mark.parametrize("place", ["", "  ", "?!", ","])
async def test_a_place_without_a_name_is_here(ability: Ability, place: str) -> None:
    """A model may fill in anything."""
    ports = FakePorts(NOON)
    assert await used(ability, ports, place=place) == await used(ability, ports)


@pytest.mark.parametrize("ability", [tell_time, tell_date])
async def test_a_place_from_a_model_may_be_anything(ability: Ability) -> None:
    """It is not read back as a whole, and opens no file."""
    ports = FakePorts(NOON)
    assert "don't know" in await used(ability, ports, place="../../etc/passwd")
    assert "don't know" in await used(ability, ports, place="Europe/Berlin\0")
    with pytest.raises(SkillError, match="don't know that place"):
        await used(ability, ports, place="x" * (LONGEST_PLACE_CHARACTERS + 1))


@pytest.mark.parametrize("arguments", [{"place": 7}, {"place": None}, {"city": "Rome"}])
def test_arguments_of_the_wrong_type_are_refused(arguments: dict[str, Any]) -> None:
    """Before the skill is used."""
    for ability in (tell_time, tell_date):
        with pytest.raises(ValidationError):
            ability.arguments.model_validate(arguments)


def test_every_place_has_a_zone() -> None:
    """The table is right, and nothing stands in it twice."""
    places = [place for places in OTHER_PLACES.values() for place in places.split(", ")]
    assert len(set(places)) == len(places)
    assert all(zone_of(place) is not None for place in places)
    assert not set(places) & set(SEVERAL_ZONES)
    assert all(has_several_zones(place) and zone_of(place) is None for place in SEVERAL_ZONES)


@pytest.mark.parametrize("place", ["Tokyo", "tokyo.", "  Tokyo right  now?", "Tokyo, please"])
def test_a_place_is_known_by_its_name_alone(place: str) -> None:
    """Whatever is said behind it."""
    assert zone_of(place) == ZoneInfo("Asia/Tokyo")
    assert named(place).casefold() == "tokyo"

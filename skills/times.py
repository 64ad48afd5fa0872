"""Times of day in words: "half past six in the evening" is the next 6:30 p.m."""

import re
from calendar import day_name, month_name, monthrange
from datetime import datetime, timedelta

from skills.words import words_of

_MONTHS = "|".join(name.casefold() for name in month_name if name)
_WEEKDAYS = "|".join(name.casefold() for name in day_name)
_DAY_PARTS = "morning|afternoon|evening|tonight|night"

MAY_BE_TIME = (
    rf"^(?!.*\b(when|if|because|while|where)\b).*(\d|\b(noon|midday|midnight|tomorrow|today|{_DAY_PARTS}|daily|every|{_WEEKDAYS}|{_MONTHS}"
    r"|(next|this) (week|month|year))\b)"
)
"""A regular expression that finds something in all times and dates, and in much else."""

_HALVES = (
    ("am", r"\b(am|a m|in the morning|this morning|morning|early)\b"),
    ("pm", r"\b(pm|p m|in the (afternoon|evening)|this (afternoon|evening)|afternoon|evening)\b"),
    ("night", r"\b(tonight|at night|night|this night)\b"),
)
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2}?)(?: ?(?P<minute>[0-5]\d)| (?:oh |o )?(?P<digit>\d))?(?: o'clock)?"
    r"|(?P<past>half|a quarter|quarter|\d{1,2})(?: minutes?)? (?P<side>past|after|to|before|till)"
    r" (?P<of>\d{1,2})(?: o'clock)?"
)
_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    *("tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth"),
    *("seventeenth", "eighteenth", "nineteenth", "twentieth"),
)
_DAYS = {name: day for day, name in enumerate(_ORDINALS, start=1)} | {"thirtieth": 30}
_DATE = re.compile(
    rf"\b(?P<day>\d{{1,2}})(?: of)? (?P<month>{_MONTHS})\b"
    rf"|\b(?P<month_first>{_MONTHS})(?: the)? (?P<day_last>\d{{1,2}})\b"
)
_DAY_AT_END = re.compile(
    r"(?:^|\s)(?:tomorrow(?: morning| afternoon| evening| night)?|today|tonight"
    rf"|this (?:morning|afternoon|evening)|next (?:week|month|year)|(?:on )?(?:{_WEEKDAYS}))$",
    re.IGNORECASE,
)
_OTHER_DAY = re.compile(
    rf"\b({_WEEKDAYS}|(next|in a) (week|month|year)|day after tomorrow|daily|weekdays|weekends"
    r"|(every|each) (single )?(day|morning|afternoon|evening|night|weekday|week|month))\b"
)
_ENDINGS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
_LEAP_YEAR = 2024

ANOTHER_DAY = "I can set one only for the next 24 hours."


def next_time(said: str, now: datetime) -> datetime | None:
    """The next moment with this time of day, in the zone of `now`; None for what is none.

    Without "a.m." or "p.m." it is whichever of the two comes first.
    """
    is_tomorrow = re.search(r"\btomorrow\b", words_of(said).plain) is not None
    day = now + timedelta(days=int(is_tomorrow))
    moments = [
        day.replace(hour=minutes // 60, minute=minutes % 60, second=0, microsecond=0)
        for minutes in minutes_in(said)
    ]
    later = [moment if moment > now else moment + timedelta(days=1) for moment in moments]
    return min(later, default=None)


def minutes_in(said: str) -> list[int]:
    """Every time of day that it may be, in minutes since midnight; none for what is no time."""
    words = re.sub(r"\b(12 )?(noon|midday)\b", "12 pm", words_of(said).plain)
    words = re.sub(r"\b(12 )?midnight\b", "12 am", words)
    half = next((name for name, sign in _HALVES if re.search(sign, words)), None)
    for sign in (*(sign for _, sign in _HALVES), r"\b(tomorrow|today|at|by|on|exactly|sharp)\b"):
        words = re.sub(sign, " ", words)
    return _minutes_of_day(" ".join(words.split()), half)


def day_in(said: str) -> str:
    """The day or the part of it at the end of what is said, such as "tomorrow morning"."""
    found = _DAY_AT_END.search(said.rstrip(" .!?"))
    return "" if found is None else found[0].strip()


def _minutes_of_day(words: str, half: str | None) -> list[int]:
    clock = _CLOCK.fullmatch(words)
    if clock is None:
        return []
    hour = int(clock["hour"] or clock["of"])
    if clock["of"] is None:
        minutes = int(clock["minute"] or clock["digit"] or 0)
    else:
        named = {"half": 30, "quarter": 15, "a quarter": 15}
        minutes = named[clock["past"]] if clock["past"] in named else int(clock["past"])
        minutes = minutes if clock["side"] in ("past", "after") else -minutes
    if hour > 23 or abs(minutes) > 59:
        return []
    return [(60 * one + minutes) % (24 * 60) for one in _hours(hour, half)]


def _hours(hour: int, half: str | None) -> list[int]:
    if hour > 12 or hour == 0:
        return [hour]
    morning, evening = hour % 12, hour % 12 + 12
    match half:
        case "am":
            return [morning]
        case "pm":
            return [evening]
        case "night":
            return [morning if morning < 5 else evening]
        case _:
            return [morning, evening]


def date_in(said: str) -> str | None:
    """What is wrong with a date for a timer, in a sentence; None where there is no date."""
    words = _with_day_numbers(words_of(said).plain)
    date = _DATE.search(words)
    if date is not None:
        day = int(date["day"] or date["day_last"])
        month = (date["month"] or date["month_first"]).capitalize()
        if not 1 <= day <= monthrange(_LEAP_YEAR, list(month_name).index(month))[1]:
            return f"There is no {day}{_ENDINGS.get(day, 'th')} of {month}."
    elif _OTHER_DAY.search(words) is None:
        return None
    return ANOTHER_DAY


def _with_day_numbers(words: str) -> str:
    """Without words for them: "the 30 first of may" is "the 31 of may"."""
    tens = rf"\b(20|30) ({'|'.join(_ORDINALS[:9])})\b"
    words = re.sub(tens, lambda day: str(int(day[1]) + _DAYS[day[2]]), words)
    words = re.sub(rf"\b({'|'.join(_DAYS)})\b", lambda day: str(_DAYS[day[1]]), words)
    return re.sub(r"\b(\d{1,2}) (?:st|nd|rd|th)\b", r"\1", words)

"""Times of day in words: "half past six in the evening" is the next 6:30 p.m."""

import re
from calendar import month_name, monthrange
from datetime import datetime, timedelta

from skills.words import words_of

_HALVES = {
    "am": r"\b(am|in the morning|this morning|tomorrow morning|early)\b",
    "pm": r"\b(pm|in the afternoon|in the evening|this afternoon|this evening|tonight|at night)\b",
}
_CLOCK = re.compile(
    r"(?:(?P<hour>\d{1,2})(?: (?P<minute>[0-5]?\d))?(?: o'clock)?"
    r"|(?P<past>half|quarter|a quarter|\d{1,2})(?: minutes)? (?P<side>past|after|to|before) "
    r"(?P<of>\d{1,2})(?: o'clock)?)"
)
_MONTHS = "|".join(name.casefold() for name in month_name if name)
_DATE = re.compile(
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<month>{_MONTHS})\b"
    rf"|(?P<month_first>{_MONTHS}) (?:the )?(?P<day_last>\d{{1,2}})"
)
_ORDINALS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


def next_time(said: str, now: datetime) -> datetime | None:
    """The next moment with this time of day, in the zone of `now`; None for what is none."""
    words = words_of(said).plain
    is_tomorrow = re.search(r"\btomorrow\b", words) is not None
    half = next((name for name, sign in _HALVES.items() if re.search(sign, words)), None)
    for sign in (*_HALVES.values(), r"\b(tomorrow|today|at|by|on|exactly|sharp)\b"):
        words = re.sub(sign, " ", words)
    words = " ".join(words.split())
    fixed = {"noon": (12, 0), "midday": (12, 0), "midnight": (0, 0)}.get(words)
    times = [fixed] if fixed else _times(words, half)
    day = now + timedelta(days=int(is_tomorrow))
    moments = [
        day.replace(hour=hour, minute=minute, second=0, microsecond=0) for hour, minute in times
    ]
    later = [moment if moment > now else moment + timedelta(days=1) for moment in moments]
    return min(later, default=None)


def _times(words: str, half: str | None) -> list[tuple[int, int]]:
    """Every time of day that it may be, as hours and minutes."""
    clock = _CLOCK.fullmatch(words)
    if clock is None:
        return []
    if clock["hour"] is not None:
        hour, minute = int(clock["hour"]), int(clock["minute"] or 0)
    else:
        minutes = {"half": 30, "quarter": 15, "a quarter": 15}.get(clock["past"])
        minutes = int(clock["past"]) if minutes is None else minutes
        hour, minute = int(clock["of"]), minutes
        if clock["side"] in ("to", "before"):
            hour, minute = (hour - 1) % 24 or 12, 60 - minutes
    if hour > 23 or not 0 <= minute < 60:
        return []
    if hour > 12 or hour == 0:
        return [(hour, minute)]
    halves = {"am": [hour % 12], "pm": [hour % 12 + 12]}
    hours = [hour % 12, hour % 12 + 12] if half is None else halves[half]
    return [(one, minute) for one in hours]


def date_in(said: str) -> str | None:
    """What is wrong with a date for a timer, in a sentence; None where there is no date."""
    date = _DATE.search(words_of(said).plain)
    if date is None:
        return None
    day = int(date["day"] or date["day_last"])
    month = (date["month"] or date["month_first"]).capitalize()
    number = list(month_name).index(month)
    if not 1 <= day <= monthrange(2024, number)[1]:
        return f"There is no {day}{_ORDINALS.get(day, 'th')} of {month}."
    return "I can't remind you of a date. I can set timers for up to 24 hours."

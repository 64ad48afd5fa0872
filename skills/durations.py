"""Durations as people say them: "an hour and a half" is 5,400 seconds."""

import re
from typing import Annotated, get_args

from pydantic import Field

Duration = Annotated[float, Field(description="A duration in seconds")]
"""As the type of an ability's argument: its slot takes a duration in words."""

IN_SECONDS = get_args(Duration)[1]
"""By which a duration with further limits is known too."""

SECONDS = {
    "second": 1,
    "sec": 1,
    "minute": 60,
    "min": 60,
    "hour": 3_600,
    "hr": 3_600,
    "day": 86_400,
    "week": 604_800,
    "fortnight": 1_209_600,
    "month": 2_592_000,
    "year": 31_536_000,
}
_UNIT = "|".join(SECONDS)
_AMOUNT = (
    r"(?P<number>\d+(?:\.\d+)?)(?P<and_half> and a half)?|(?P<half>(?:a |1 )?half(?: an?)?)"
    r"|(?P<quarters>3 quarters of an?)|(?P<quarter>(?:an? |1 )?quarter of an?)"
    r"|(?P<couple>(?:a )?couple(?: of)?)|(?P<one>an?)"
)
_PART = re.compile(rf"(?:{_AMOUNT}) (?P<unit>{_UNIT})s?(?P<more> and a (?:half|quarter))?")
_UNNAMED = re.sub(r"\(\?P<\w+>", "(?:", _PART.pattern)
EXPRESSION = rf"{_UNNAMED}(?: (?:and )?{_UNNAMED})*"
"""Matches all that is a duration, and little else."""
_MORE = {None: 0.0, " and a half": 0.5, " and a quarter": 0.25}
_LONGEST_WORDS = 20


def duration_of(words: str) -> float | None:
    """In seconds, of normalised words; None for what is no duration."""
    if words.count(" ") >= _LONGEST_WORDS:
        return None
    seconds, place, last = 0.0, 0, float("inf")
    while place < len(words):
        part = _PART.match(words, place)
        if part is None or SECONDS[part["unit"]] >= last:
            return None
        last = SECONDS[part["unit"]]
        seconds += last * (_amount(part) + _MORE[part["more"]])
        place = part.end()
        if place < len(words):
            between = re.compile(r" and | ").match(words, place)
            if between is None:
                return None
            place = between.end()
    return seconds if words else None


def _amount(part: re.Match[str]) -> float:
    if part["number"] is not None:
        return float(part["number"]) + 0.5 * (part["and_half"] is not None)
    for name, amount in (("half", 0.5), ("quarters", 0.75), ("quarter", 0.25), ("couple", 2.0)):
        if part[name] is not None:
            return amount
    return 1.0


def spoken(seconds: float) -> str:
    """For the ear: "1 hour and 30 minutes". No parts of a second, and nothing below 0."""
    left = max(0, round(seconds))
    parts = []
    for unit in ("day", "hour", "minute", "second"):
        count, left = divmod(left, SECONDS[unit])
        if count:
            parts.append(f"{count} {unit}{'s' * (count > 1)}")
    if len(parts) < 2:
        return parts[0] if parts else "0 seconds"
    return f"{', '.join(parts[:-1])} and {parts[-1]}"

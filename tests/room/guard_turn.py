"""One question asked aloud in a call whose providers may ail, and what the caller has of it."""

import asyncio
import itertools
import re
import time
from collections import Counter
from dataclasses import dataclass

from livekit import rtc

from agent.config import Stage
from agent.lines import ENGLISH
from agent.models.local.engine import HEARING_RATE
from bench.provider import ScriptedProvider
from room.caller import Caller
from room.ears import WINDOW, loud_windows
from room.voices import heard_at_once, synthetic
from room.worker import Worker

PATIENCE_SECONDS = 12.0
"""So long a caller waits for June's first sound; a silence that lasts longer is given as this."""

ANSWERED = re.compile("assistant|language model|computer|program")
"""Words of every healthy answer, and of no line that June has for trouble."""
APOLOGIES = (
    ENGLISH.trouble,
    ENGLISH.lost_words,
    ENGLISH.not_understood,
    ENGLISH.cannot_hear,
    ENGLISH.broken,
)


@dataclass(frozen=True)
class Turn:
    """What a caller had of one question."""

    silence_seconds: float
    """From the end of speech to June's first sound, less the end-of-turn delay that she logged."""
    heard: str
    """As the caller's ears understood it."""
    wrote: str
    """What June said, as the room shows it."""
    requests: int
    """Made of the ailing provider."""
    most_attempts: int
    """Of these, for one and the same text or conversation."""

    @property
    def is_answered(self) -> bool:
        apologised = any(line in self.wrote for line in APOLOGIES)
        return ANSWERED.search(self.heard.lower()) is not None and not apologised

    @property
    def says_something_twice(self) -> bool:
        sentences = [one for one in re.split(r"(?<=[.?!…])\s+", self.wrote.strip()) if one]
        return any(one == other for one, other in itertools.pairwise(sentences))


async def turn(
    june: Worker, provider: ScriptedProvider, stage: Stage, caller: Caller, question: str
) -> Turn:
    """Ask aloud when June is quiet, and hear to its end what she says."""
    await until_quiet(caller, 1.0, at_most_seconds=8.0)
    logged, asked = len(began(june, caller)), len(provider.asked(stage))
    sound = await synthetic(question)
    started, sent = await caller.say(sound)
    ended = sent - quiet_end_seconds(sound)
    first = await first_sound(caller, ended)
    heard, silence = "", PATIENCE_SECONDS
    if first is not None:
        last = await until_quiet(caller, 1.0, at_most_seconds=25.0)
        heard = await caller.understood(first, last)
        delays = [one["end_of_turn_delay_seconds"] for one in began(june, caller)[logged:]]
        silence = max(0.0, first - ended - sum(delays[:1]))
    requests = provider.asked(stage)[asked:]
    texts = Counter(str((one.body or {}).get("input", "")) for one in requests)
    return Turn(
        silence_seconds=silence,
        heard=heard,
        wrote=caller.june_wrote(started) if caller.june() else "",
        requests=len(requests),
        most_attempts=max(texts.values(), default=0),
    )


def began(june: Worker, caller: Caller) -> list[dict[str, float]]:
    return june.events("turn.began", room=caller.room_name)


def quiet_end_seconds(sound: rtc.AudioFrame) -> float:
    """What flite adds after the last word."""
    loud = loud_windows(heard_at_once(sound))
    return int(loud[::-1].argmax()) * WINDOW / HEARING_RATE


async def first_sound(caller: Caller, since: float) -> float | None:
    """When June began to be heard after it."""
    while time.monotonic() < since + PATIENCE_SECONDS:
        if began := [start for start, end in caller.speech() if end > since]:
            return float(max(began[0], since))
        await asyncio.sleep(0.1)
    return None


async def until_quiet(caller: Caller, seconds: float, at_most_seconds: float) -> float:
    """When she has nothing to say for so long, and is not about to; it gives when she ended."""
    limit = time.monotonic() + at_most_seconds
    while True:
        ended = float(max((end for _, end in caller.speech()), default=0.0))
        is_quiet = time.monotonic() - ended > seconds
        is_done = caller.state_of_june not in ("thinking", "speaking")
        if (is_quiet and is_done) or time.monotonic() > limit:
            return ended
        await asyncio.sleep(0.1)

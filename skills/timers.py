"""Timers, alarms and reminders: they ring in the call, or are told at the next one."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from skills.ability import ability
from skills.alarm import Alarm
from skills.clock import clock_time
from skills.durations import Duration, spoken
from skills.ports import Ports
from skills.times import date_in, next_time
from skills.words import words_of

HELP = "set timers"

LONGEST_SECONDS = 86_400
MOST = 20

NONE = "You have no timer."
TOO_SHORT = "A timer needs at least a second."
TOO_LONG = "I can set timers for up to 24 hours."
TOO_MANY = f"You have {MOST} timers already. Cancel one of them first."

_SET = "(set|set me|start|make|make me|create|give me|put on|begin|add|set up|i need|i want)"
_TELL = "(remind me|tell me|ping me|let me know|give me a reminder|set a reminder)"
_CANCEL = "(cancel|delete|remove|stop|clear|end|kill|turn off|switch off|get rid of)"


@ability(
    phrases=[
        f"{_SET} [a|the|my|another] timer (for|of) {{seconds}} "
        "[(called|named|for|for the) {name}]",
        f"{_SET} [a|an|the|my|another] {{name}} timer (for|of|to) {{seconds}}",
        f"{_SET} [a|an|the|another] {{seconds}} timer [(called|named|for|for the) {{name}}]",
        "[a] timer for {seconds}",
        "[a] {seconds} timer",
        "timer {seconds}",
        "time {seconds} [for me]",
        "(count down|countdown) [from|for] {seconds}",
        "(wake me|wake me up|alert me|remind me|ping me) (in|after) {seconds}",
        "(let me know|tell me|alert me) (in|after) {seconds}",
        "(let me know|tell me) when {seconds} (is|are|have) (up|over|passed)",
        "{seconds} on the (timer|clock)",
        f"{_SET} [a|another] timer {{seconds}} [(for|for the) {{name}}]",
        "put {seconds} on [the (timer|clock)] [(for|for the) {name}]",
    ]
)
async def set_timer(ports: Ports, seconds: Duration, name: str = "") -> str:
    """Set a timer that rings in the call after `seconds`. Name it if the caller says what for."""
    if seconds < 1:
        return TOO_SHORT
    if seconds > LONGEST_SECONDS:
        return TOO_LONG
    due_at = ports.now() + timedelta(seconds=seconds)
    length = _length(seconds)
    label = _plain(name) or length
    text = f"Your {label} timer is done."
    refusal = await _set(ports, "timer", Alarm("", due_at, label, text), is_named=bool(name))
    return refusal or f"Your {label} timer is set{f' for {spoken(seconds)}' if name else ''}."


@ability(
    phrases=[
        f"{_SET} [a|an|the|my] (alarm|alarm clock|timer) (for|at|to|on) {{at}}",
        "wake me [up] (at|by) {at}",
        "set (an|the|my) alarm clock (for|at|to) {at}",
    ]
)
async def set_alarm(ports: Ports, at: str, name: str = "") -> str:
    """Set an alarm that rings at a time of day within 24 hours, such as "6:30 p.m."."""
    due_at, wrong = _moment(at, ports.now())
    if due_at is None:
        return wrong
    label = _plain(name) or clock_time(due_at)
    text = f"It's {clock_time(due_at)} Your {_plain(name)} alarm is ringing.".replace("  ", " ")
    refusal = await _set(ports, "alarm", Alarm("", due_at, label, text), is_named=bool(name))
    return refusal or f"Your alarm is set for {clock_time(due_at)}"


@ability(
    phrases=[
        f"{_TELL} in {{seconds}} (to|that i have to|that i should|about|of) {{what}}",
        f"{_TELL} (to|that i have to|that i should|about|of) {{what}} in {{seconds}}",
        f"{_TELL} at {{at}} (to|that i have to|that i should|about) {{what}}",
        f"{_TELL} (to|that i have to|that i should|about) {{what}} at {{at}}",
        "in {seconds} remind me to {what}",
        "at {at} remind me to {what}",
    ]
)
async def set_reminder(ports: Ports, what: str, seconds: Duration = 0, at: str = "") -> str:
    """Remind the caller to do something: after `seconds`, or `at` a time of day."""
    now = ports.now()
    if at:
        due_at, wrong = _moment(at, now)
        if due_at is None:
            return wrong
    elif seconds < 1:
        return TOO_SHORT
    elif seconds > LONGEST_SECONDS:
        return TOO_LONG
    else:
        due_at = now + timedelta(seconds=seconds)
    label = what.strip(" .!?")
    alarm = Alarm("", due_at, label, f"Time to {_for_caller(label)}.")
    refusal = await _set(ports, "reminder", alarm, is_named=True)
    when = f"at {clock_time(due_at)}" if at else f"in {spoken(seconds)}."
    return refusal or f"I'll remind you {when}"


@ability(
    phrases=[
        "(what|which) (timers|alarms|reminders) (do i have|are set|are running|are there)",
        "(list|tell me|show me|read|read me) [all] my (timers|alarms|reminders)",
        "(do i have|are there) (any|a) (timers|timer|alarms|alarm|reminders) [running|set]",
        "how (much time|much longer|long|many minutes) (is|are) [there] left [on (the|my) timer]",
        "how (much time|long|many minutes) do i have [left] [on (the|my) timer]",
        "how (much longer|long|much time) [left|to go]",
        "how (much time|long|much longer|many minutes) (is|are) left on (the|my) {name} timer",
        "how (much time|long) (does|has) (the|my) {name} timer (have|got) [left]",
        "how is (the|my) [{name}] timer doing",
        "how (long|much longer) (till|until|before) (the|my) {name} (is done|is ready|done|ready)",
        "check (the|my) (timer|timers)",
        "when (does|will|is) (the|my) (timer|alarm) (go off|ring|end|be done|done|over)",
    ]
)
async def list_timers(ports: Ports, name: str = "") -> str:
    """Say which timers, alarms and reminders are running, and how much time is left."""
    alarms = await ports.alarms.all()
    if name:
        alarms = _called(alarms, name)
    if not alarms:
        return f"You have no {_plain(name)} timer." if name else NONE
    now = ports.now()
    told = [f"{_label(one)}, with {spoken((one.due_at - now).total_seconds())}" for one in alarms]
    if len(told) == 1:
        return f"There is {told[0]} left."
    return f"You have {len(told)}: {'; '.join(told)} left."


@ability(
    phrases=[
        f"{_CANCEL} (the|my|that|this) (timer|alarm|reminder)",
        f"{_CANCEL} (the|my|that) {{name}} (timer|alarm|reminder)",
        f"{_CANCEL} (timer|alarm) {{name}}",
        f"{_CANCEL} (the|my) (timer|alarm) (for|called|named|at) [the|my] {{name}}",
        f"{_CANCEL} (the|my) reminder to {{name}}",
        "i (do not|don't) need (the|that|my) (timer|alarm) [anymore|any longer]",
        "i (do not|don't) need (the|that|my) {name} (timer|alarm) [anymore|any longer]",
    ]
)
async def cancel_timer(ports: Ports, name: str = "") -> str:
    """Cancel a timer, alarm or reminder: the one of this name, or the only one."""
    alarms = await ports.alarms.all()
    if not alarms:
        return NONE
    meant = _called(alarms, name) if name else alarms
    if not meant:
        return f"There is no {_plain(name)} timer. {_choice(alarms)}"
    if len(meant) > 1:
        return f"Which one? {_choice(meant)}"
    if not await ports.alarms.cancel(meant[0].key):
        return f"{_label(meant[0]).capitalize()} has just rung."
    return f"I canceled {_label(meant[0])}."


@ability(
    phrases=[
        f"{_CANCEL} (all|both|every one of|all of) [the|my] (timers|alarms|reminders|of them)",
        f"{_CANCEL} [the|my] (timers|alarms|reminders)",
        f"{_CANCEL} every (timer|alarm|reminder)",
    ]
)
async def cancel_timers(ports: Ports) -> str:
    """Cancel all timers, alarms and reminders."""
    canceled = [await ports.alarms.cancel(one.key) for one in await ports.alarms.all()]
    count = sum(canceled)
    if not count:
        return NONE
    return "I canceled your timer." if count == 1 else f"I canceled all {count} of them."


async def _set(ports: Ports, kind: str, alarm: Alarm, *, is_named: bool) -> str | None:
    """Why it could not be set, in a sentence."""
    alarms = await ports.alarms.all()
    # By what it is: carried out twice it is set once.
    key = f"{kind} {alarm.due_at:%Y-%m-%d %H:%M:%S} {alarm.name.casefold()}"
    others = [one for one in alarms if one.key != key]
    if len(others) >= MOST:
        return TOO_MANY
    same = [one for one in others if _plain(one.name) == _plain(alarm.name)]
    if is_named and same:
        left = spoken((same[0].due_at - ports.now()).total_seconds())
        return f"You already have {_label(same[0])}, with {left} left."
    await ports.alarms.set(Alarm(key, alarm.due_at, alarm.name, alarm.text))
    return None


def _moment(at: str, now: datetime) -> tuple[datetime | None, str]:
    """When that is, or what is wrong with it."""
    if (wrong := date_in(at)) is not None:
        return None, wrong
    due_at = next_time(at, now)
    if due_at is None:
        return None, "I did not understand that time. Say, for example, half past six."
    return (None, TOO_LONG) if due_at - now > timedelta(days=1) else (due_at, "")


def _called(alarms: Sequence[Alarm], name: str) -> list[Alarm]:
    wanted = _plain(name)
    exact = [one for one in alarms if _plain(one.name) == wanted]
    return exact or [one for one in alarms if wanted in _plain(one.name)]


def _label(alarm: Alarm) -> str:
    match alarm.key.partition(" ")[0]:
        case "alarm":
            return f"the alarm for {clock_time(alarm.due_at).removesuffix('.')}"
        case "reminder":
            return f"the reminder to {_for_caller(alarm.name)}"
        case _:
            return f"the {alarm.name} timer"


def _choice(alarms: Sequence[Alarm]) -> str:
    labels = [_label(one) for one in alarms]
    together = labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])}, and {labels[-1]}"
    return f"There is {together}."


def _length(seconds: float) -> str:
    """As it stands before "timer": "5 minute"."""
    return (
        spoken(seconds)
        .replace("minutes", "minute")
        .replace("seconds", "second")
        .replace("hours", "hour")
    )


def _plain(name: str) -> str:
    return words_of(name).plain.removeprefix("the ").removesuffix(" timer")


def _for_caller(what: str) -> str:
    """What the caller calls theirs is the caller's."""
    swapped = {"my": "your", "i": "you", "me": "you", "mine": "yours", "myself": "yourself"}
    return " ".join(swapped.get(word.casefold(), word) for word in what.split())

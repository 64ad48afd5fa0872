"""Timers, alarms and reminders: they ring in the call, or are told at the next one."""

from typing import Annotated, Literal

from pydantic import Field

from skills.ability import ability
from skills.durations import Duration, spoken
from skills.exits import is_exit
from skills.ports import Ports
from skills.slots import Saying
from skills.timer_setting import (
    NOT_UNDERSTOOD,
    TOO_SHORT,
    length_said,
    moment_after,
    moment_asked,
    parted,
    set_alarm_at,
    set_once,
)
from skills.timer_words import (
    Kind,
    called,
    callers_own,
    chosen,
    kind_of,
    label,
    length_in,
    length_name,
    listed,
    name_in,
    when,
    with_rest,
)
from skills.times import MAY_BE_TIME, date_in, minutes_in
from skills.words import words_of

HELP = "set timers"

HOW_LONG = "For how long?"
REMIND_OF = "What should I remind you of?"
REMIND_WHEN = "When should I remind you?"
NOTHING_SET = "All right, nothing is set."
NEGATIVE = ("minus ", "negative ")
LEFT_ALONE = "I left them as they are."

At = Annotated[
    str,
    Saying(MAY_BE_TIME),
    Field(description='A time of day in the next 24 hours, such as "6:30 p.m." or "noon"'),
]

Kinds = Literal["timers", "alarms", "reminders"]

_SET = "(set|set me|set up|start|make|create|give me|i need|i want|i would like)"
_A = "[a|an|the|my|another]"
_NAMED = "(called|named|for|for the|call it)"
_REMIND = "(remind me|set a reminder|give me a reminder|set me a reminder|create a reminder)"
_TO = "(to|that i have to|that i should|that i need to)"
_ONE = "(timer|alarm|reminder)"
_MY = "(the|my|that|this)"
_LEFT = "(much time|much longer|long|many minutes|much)"
_CANCEL = "(cancel|delete|remove|stop|clear|end|kill|turn off|switch off|get rid of|forget)"


@ability(
    phrases=[
        f"{_SET} {_A} timer [for|of|in|to ring in] {{seconds}} [from now]",
        f"{_SET} {_A} {{name}} timer [for|of|to|in] {{seconds}}",
        f"{_SET} {_A} timer [for|of] {{seconds}} {_NAMED} {{name}}",
        f"{_SET} {_A} timer {_NAMED} {{name}} (for|of|with) {{seconds}}",
        f"{_SET} {_A} {{seconds}} timer [{_NAMED} {{name}}]",
        f"{_SET} [a|an|another] (alarm|countdown) (for|in) {{seconds}} [from now]",
        "put a timer on for {seconds}",
        "[a|an] timer for {seconds}",
        "[a] {seconds} timer [for {name}]",
        "timer {seconds}",
        "time [me for] {seconds}",
        "(count down|countdown) [from|for] {seconds}",
        "(wake me|wake me up|alert me|remind me|ping me|let me know|tell me) (in|after) {seconds}",
        "(let me know|tell me) when {seconds} (is|are|have) (up|over|passed)",
        "{seconds} on the (timer|clock)",
        "put {seconds} on the (timer|clock) [(for|for the) {name}]",
        "put {seconds} on (for|for the) {name}",
        "(set|start|i need|give me|set me|create) [a|the|my|another] timer",
        "(set|start) (a|an|the|my|another) {name} timer",
        "(set|start) [a|the|my] timer (called|named|for|for the|at|to|on|until) {name}",
    ],
    heard_as=[
        "(set|said|start|star) (a|the) (timer for|time [worth|where|were] for|time before) "
        "{seconds} [called {name}]",
        "set a [{name}] time (worth for|where for|were for|or 4) {seconds}",
        "said a {seconds} timer",
    ],
)
async def set_timer(ports: Ports, seconds: Duration | None = None, name: str = "") -> str:
    """Set a timer that rings in the call after `seconds`. Name it if the caller says what for.

    Of two timers of one name nobody would know which is which: the first goes on, and the caller
    is told so. Without a name a timer is known by its length.
    """
    if seconds is None and (minutes_in(name) or date_in(name) is not None):
        return await set_alarm_at(ports, name, "")
    called_so = name_in(name)
    if seconds is None:
        seconds, called_so = length_in(called_so)
        if any(map(str.isdigit, called_so)):
            # "Ten to fifteen minutes", "5 minutes, no, 6": neither a name nor a length.
            seconds, called_so = None, called_so if called_so.startswith(NEGATIVE) else ""
    if seconds is None and called_so.startswith(NEGATIVE):
        return TOO_SHORT
    if seconds is None and (seconds := length_said(await ports.ask(HOW_LONG))) is None:
        return NOT_UNDERSTOOD
    now = ports.now()
    due_at = moment_after(seconds, now)
    if isinstance(due_at, str):
        return due_at
    name = called_so or length_name(seconds)
    text = f"Your {callers_own(name)} timer is done."
    refusal = await set_once(ports, "timer", due_at, name, text)
    told = f" for {spoken(seconds)}" if called_so else ""
    return refusal or f"Your {callers_own(name)} timer is set{told}."


@ability(
    phrases=[
        f"{_SET} [an|a|the|my|another] (alarm|alarm clock) (for|at|to|on) {{at}}",
        f"{_SET} {_A} {{at}} alarm",
        f"{_SET} {_A} alarm (for|at) {{at}} (called|named) {{name}}",
        f"{_SET} {_A} alarm (called|named) {{name}} (for|at) {{at}}",
        f"{_SET} {_A} {{name}} alarm (for|at|to) {{at}}",
        "wake me [up] [at|by] {at}",
        "[an] alarm (for|at) {at}",
        f"{_SET} [an|the|my|another] (alarm|alarm clock)",
        "wake me up",
    ],
    heard_as=["said (an|in|anne) (alarm|alarmed) for {at}"],
)
async def set_alarm(ports: Ports, at: At = "", name: str = "") -> str:
    """Set an alarm that rings at a time of day within the next 24 hours."""
    return await set_alarm_at(ports, at, name_in(name))


@ability(
    phrases=[
        f"{_REMIND} in {{seconds}} {_TO} {{what}}",
        f"(tell me|let me know|ping me) in {{seconds}} {_TO} {{what}}",
        f"{_REMIND} (in|for) {{seconds}} (about|of) {{about}}",
        f"{_REMIND} {_TO} {{what}} (in|after) {{seconds}}",
        f"{_REMIND} (about|of) {{about}} in {{seconds}}",
        f"{_REMIND} [at|by|for] {{at}} {_TO} {{what}}",
        f"{_REMIND} [at|by|for] {{at}} (about|of) {{about}}",
        f"{_REMIND} {_TO} {{what}} (at|by) {{at}}",
        f"{_REMIND} (about|of) {{about}} (at|by) {{at}}",
        "in {seconds} remind me to {what}",
        "at {at} remind me to {what}",
        f"{_REMIND} to {{what}}",
        f"{_REMIND} about (the|my) {{about}}",
        "(set|create|give me|set me) a reminder",
    ],
    heard_as=["(green mind|bring mine) me in {seconds} to {what}"],
)
async def set_reminder(
    ports: Ports, what: str = "", about: str = "", seconds: Duration | None = None, at: At = ""
) -> str:
    """Remind the caller to do something (`what`, a verb first) or about something (`about`), after
    `seconds` or `at` a time of day.
    """
    what, about, at = what.strip(" .!?"), about.strip(" .!?"), at.strip()
    if not what and not about:
        what = (await ports.ask(REMIND_OF)).strip(" .!?").removeprefix("to ")
        if is_exit(words_of(what)) or not any(map(str.isalnum, what)):
            return NOTHING_SET
    what, at = parted(what, at)
    if seconds is None:
        due_at = await moment_asked(ports, at, REMIND_WHEN)
    else:
        due_at = moment_after(seconds, ports.now())
    if isinstance(due_at, str):
        return due_at
    name = f"to {what}" if what else f"about {about}"
    shown = callers_own(name)
    text = f"Time {shown}." if what else f"This is your reminder {shown}."
    refusal = await set_once(ports, "reminder", due_at, name, text)
    told = f"in {spoken(seconds)}" if seconds is not None else when(due_at, ports.now())
    return refusal or f"I'll remind you {told} {shown}."


@ability(
    phrases=[
        "(what|which) {kinds} (do i have|have i got|are set|are [still] running|are there)",
        "(list|tell me|show me|read|read me|check|what are) [all] [of] my {kinds}",
        "(do i have|have i got|are there) any {kinds} [running|set]",
        f"(do i have|have i got|is there) (any|a) {_ONE} [running|set]",
        "any {kinds} [running|set]",
        "how many {kinds} (do i have|are there|are running|are set)",
        f"how {_LEFT} (is|are) [there] left [on (the|my) {_ONE}]",
        f"how {_LEFT} (do i have|have i got|is there) left [on (the|my) timer]",
        f"how {_LEFT} (do i have|have i got|is there) on (the|my) timer",
        f"how {_LEFT} (left|to go) [on (the|my) timer]",
        "how much longer [on (the|my) timer]",
        f"how {_LEFT} (is|are) [there] left (on|for) (the|my) {{name}} timer",
        f"how {_LEFT} (does|has) (the|my) {{name}} timer (have|got) [left]",
        f"how {_LEFT} [left] (on|for) (the|my) {{name}} timer",
        f"how {_LEFT} (till|until|before) (the|my) [{{name}}] (timer|alarm) "
        "(is done|goes off|rings|is over|ends|is up)",
        "how (long|much longer) (till|until|before) (the|my) {name} (is done|is ready|done|ready)",
        "how is (the|my) [{name}] timer doing",
        "(what is left on|what is on|check) (the|my) [{name}] timer",
        f"is (the|my|a) [{{name}}] {_ONE} [still] (running|on|done|set)",
        f"when (does|will) (the|my) [next|{{name}}] {_ONE} (go off|ring|end)",
        f"when is (the|my) [next|{{name}}] {_ONE} [done|over|set for]",
    ],
    heard_as=["how much time has left", "which (timeers are|time or so) running"],
)
async def list_timers(ports: Ports, name: str = "", kinds: Kinds | None = None) -> str:
    """Say which timers, alarms and reminders are running, and how much time is left."""
    now = ports.now()
    alarms = await ports.alarms.all()
    if not alarms:
        return f"You have no {kinds or 'timers'}."
    meant = [one for one in called(alarms, name) if kinds in (None, f"{kind_of(one)}s")]
    if not meant:
        others = listed([with_rest(one, now) for one in alarms])
        return f"You have no {f'{name_in(name)} timer' if name else kinds}, but {others}."
    told = listed([with_rest(one, now) for one in meant])
    return f"You have {len(meant)}: {told}." if len(meant) > 1 else f"{told[0].upper()}{told[1:]}."


@ability(
    phrases=[
        f"{_CANCEL} [the|my|that|this] {{kind}}",
        f"{_CANCEL} [the|my|that|this] {{name}} {_ONE}",
        f"{_CANCEL} [the|my] {{kind}} (for|called|named|at|to|about) [the|my] {{name}}",
        "(turn|switch) (the|my|that) [{name}] (timer|alarm) off",
        f"never mind {_MY} {_ONE}",
        f"i (don't|do not) need {_MY} [{{name}}] {_ONE} [anymore|any longer]",
    ],
    heard_as=["(canceled|can't solve) the timer"],
    last_words=True,
)
async def cancel_timer(ports: Ports, name: str = "", kind: Kind | None = None) -> str:
    """Cancel a timer, alarm or reminder: the one of this name, or the only one."""
    alarms = await ports.alarms.all()
    meant = called(alarms, name)
    # People call an alarm a timer too: the kind only decides between several.
    meant = [one for one in meant if kind_of(one) == kind] or meant
    if not meant:
        there = f" There is {listed([label(one) for one in alarms])}." if alarms else ""
        return f"You have no {f'{name_in(name)} '.lstrip()}{kind or 'timer'}.{there}"
    if len(meant) > 1:
        choice = listed([label(one) for one in meant], "or")
        meant = chosen(meant, await ports.ask(f"Which one: {choice}?"))
    if not meant:
        return LEFT_ALONE
    canceled = [one for one in meant if await ports.alarms.cancel(one.key)]
    if not canceled:
        return f"Too late: {label(meant[0])} has rung."
    return f"I canceled {listed([label(one) for one in canceled])}."


@ability(
    phrases=[
        f"{_CANCEL} (all|both|every one of|all of|both of) [the|my] {{kinds}}",
        f"{_CANCEL} [the|my|these|those] {{kinds}}",
        f"{_CANCEL} every {_ONE}",
        "(cancel|turn off|switch off) (all of them|them all|both of them)",
    ],
    heard_as=["(canceled|cancele) [in|at|and] all (timers|timeers)", "cancel timeors"],
    last_words=True,
)
async def cancel_timers(ports: Ports, kinds: Kinds | None = None) -> str:
    """Cancel all timers, alarms and reminders, or all of one kind."""
    meant = [one for one in await ports.alarms.all() if kinds in (None, f"{kind_of(one)}s")]
    canceled = [one for one in meant if await ports.alarms.cancel(one.key)]
    if not canceled:
        return f"You have no {kinds or 'timers'}."
    return f"I canceled {listed([label(one) for one in canceled])}."
